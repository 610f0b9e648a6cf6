extension CatalogSession {
    /// Puts an object of an account into a resource group, out of the one it was in; nil: into none.
    public func place(_ object: String, of account: String, in group: String?) throws(CatalogFailure) {
        guard let group else {
            try connection.execute("DELETE FROM resource_groups WHERE object_id = \(object)")
            return
        }
        try connection.execute(
            """
            INSERT INTO resource_groups (object_id, account_id, resource_group) VALUES (\(object), \(account), \(group))
            ON CONFLICT (object_id) DO UPDATE SET resource_group = excluded.resource_group
            """)
    }

    /// The resource group that an object is in, or nil.
    public func resourceGroup(of object: String) throws(CatalogFailure) -> String? {
        try connection.query("SELECT resource_group FROM resource_groups WHERE object_id = \(object)").first?
            .text("resource_group")
    }

    /// Those of an account's objects that are in one, by object.
    public func resourceGroups(ofAllOf account: String) throws(CatalogFailure) -> [String: String] {
        var groups: [String: String] = [:]
        for row in try connection.query(
            "SELECT object_id, resource_group FROM resource_groups WHERE account_id = \(account)")
        {
            groups[try row.text("object_id")] = try row.text("resource_group")
        }
        return groups
    }
}
