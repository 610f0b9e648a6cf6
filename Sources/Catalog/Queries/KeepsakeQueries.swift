extension CatalogSession {
    /// What is kept of a volume, by key.
    public func keepsakes(ofVolume id: String) throws(CatalogFailure) -> [String: String] {
        var kept: [String: String] = [:]
        for row in try connection.query("SELECT key, value FROM keepsakes WHERE volume_id = \(id)") {
            kept[try row.text("key")] = try row.text("value")
        }
        return kept
    }

    /// What is kept of one account's volumes, by volume.
    public func keepsakes(ofVolumesOf account: String) throws(CatalogFailure) -> [String: [String: String]] {
        let rows = try connection.query(
            """
            SELECT volume_id, key, value FROM keepsakes JOIN volumes ON volumes.id = keepsakes.volume_id
            WHERE volumes.account_id = \(account)
            """)
        var kept: [String: [String: String]] = [:]
        for row in rows { kept[try row.text("volume_id"), default: [:]][try row.text("key")] = try row.text("value") }
        return kept
    }

    /// Keeps these of a volume, and nothing else.
    public func set(keepsakes: [String: String], ofVolume id: String) throws(CatalogFailure) {
        try connection.execute("DELETE FROM keepsakes WHERE volume_id = \(id)")
        for (key, value) in keepsakes {
            try connection.execute(
                "INSERT INTO keepsakes (volume_id, key, value) VALUES (\(id), \(key), \(value))")
        }
    }

    /// What is kept of an instance, by key.
    public func keepsakes(ofInstance id: String) throws(CatalogFailure) -> [String: String] {
        var kept: [String: String] = [:]
        for row in try connection.query("SELECT key, value FROM instance_keepsakes WHERE instance_id = \(id)") {
            kept[try row.text("key")] = try row.text("value")
        }
        return kept
    }

    /// What is kept of one account's instances, by instance.
    public func keepsakes(ofInstancesOf account: String) throws(CatalogFailure) -> [String: [String: String]] {
        let rows = try connection.query(
            """
            SELECT instance_id, key, value FROM instance_keepsakes
            JOIN instances ON instances.id = instance_keepsakes.instance_id
            WHERE instances.account_id = \(account)
            """)
        var kept: [String: [String: String]] = [:]
        for row in rows { kept[try row.text("instance_id"), default: [:]][try row.text("key")] = try row.text("value") }
        return kept
    }

    /// Keeps these of an instance, and nothing else.
    public func set(keepsakes: [String: String], ofInstance id: String) throws(CatalogFailure) {
        try connection.execute("DELETE FROM instance_keepsakes WHERE instance_id = \(id)")
        for (key, value) in keepsakes {
            try connection.execute(
                "INSERT INTO instance_keepsakes (instance_id, key, value) VALUES (\(id), \(key), \(value))")
        }
    }
}
