extension CatalogSession {
    /// Adds a data key, unless a rotation was quicker to do so.
    public func insert(_ key: KeyRecord) throws(CatalogFailure) {
        try connection.execute(
            "INSERT INTO data_keys (id, key_id) VALUES (\(key.id), \(key.keyID)) ON CONFLICT (id) DO NOTHING")
    }

    /// Adds a data key, or changes which wrapping key opens it.
    public func set(_ key: KeyRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO data_keys (id, key_id) VALUES (\(key.id), \(key.keyID))
            ON CONFLICT (id) DO UPDATE SET key_id = excluded.key_id
            """)
    }

    /// Every data key.
    public func dataKeys() throws(CatalogFailure) -> [KeyRecord] {
        try connection.query("SELECT id, key_id FROM data_keys ORDER BY id").records { (row) throws(CatalogFailure) in
            KeyRecord(id: try row.text("id"), keyID: try row.text("key_id"))
        }
    }
}
