extension CatalogSession {
    /// A setting's value, or nil.
    public func setting(_ key: String) throws(CatalogFailure) -> String? {
        try connection.query("SELECT value FROM settings WHERE key = \(key)").first?.text("value")
    }

    /// Sets a setting.
    public func set(_ key: String, to value: String) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO settings (key, value) VALUES (\(key), \(value))
            ON CONFLICT (key) DO UPDATE SET value = excluded.value
            """)
    }
}
