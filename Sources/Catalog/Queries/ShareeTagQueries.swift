extension CatalogSession {
    /// What an account wrote on an object that another shares with it, by key.
    public func shareeTags(of object: String, by account: String) throws(CatalogFailure) -> [String: String] {
        try shareeTags(onAll: [object], by: account)[object] ?? [:]
    }

    /// What an account wrote on objects that others share with it, by object and key; nothing of those without any.
    public func shareeTags(
        onAll objects: [String], by account: String
    ) throws(CatalogFailure) -> [String: [String: String]] {
        var tags: [String: [String: String]] = [:]
        for list in SQL.lists(of: objects) {
            for row in try connection.query(
                "SELECT object_id, key, value FROM sharee_tags WHERE account_id = \(account) AND object_id IN " + list)
            {
                tags[try row.text("object_id"), default: [:]][try row.text("key")] = try row.text("value")
            }
        }
        return tags
    }

    /// Writes one of an account's tags on what another shares with it, replacing one with the same key.
    public func setShareeTag(
        _ key: String, to value: String, on object: String, by account: String
    ) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO sharee_tags (account_id, object_id, key, value)
            VALUES (\(account), \(object), \(key), \(value))
            ON CONFLICT (account_id, object_id, key) DO UPDATE SET value = excluded.value
            """)
    }

    /// Removes one; with `value`, only if it has that. No error if there is none.
    public func removeShareeTag(
        _ key: String, value: String?, from object: String, by account: String
    ) throws(CatalogFailure) {
        var sql: SQL =
            "DELETE FROM sharee_tags WHERE account_id = \(account) AND object_id = \(object) AND key = \(key)"
        if let value { sql = sql + " AND value = \(value)" }
        try connection.execute(sql)
    }
}
