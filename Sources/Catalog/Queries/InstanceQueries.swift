public import Blocks

extension CatalogSession {
    /// Adds an instance.
    public func insert(_ instance: InstanceRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO instances (id, account_id, state, zone, kind, image_id, is_kept, launch_id, launched_at, changed_at)
            VALUES (\(instance.id), \(instance.account), \(instance.state), \(instance.zone), \(instance.kind),
                \(instance.imageID), \(instance.isKept), \(instance.launchID), \(instance.launchedAt),
                \(instance.changedAt))
            """)
    }

    /// Writes what of an instance can change: its state, its kind and whether it is protected.
    ///
    /// - Returns: false if there is none.
    @discardableResult
    public func update(_ instance: InstanceRecord) throws(CatalogFailure) -> Bool {
        try connection.execute(
            """
            UPDATE instances SET state = \(instance.state), kind = \(instance.kind), is_kept = \(instance.isKept),
                changed_at = \(instance.changedAt)
            WHERE id = \(instance.id)
            """) == 1
    }

    /// The instance, or nil.
    public func instance(_ id: String) throws(CatalogFailure) -> InstanceRecord? {
        guard let row = try connection.query("SELECT * FROM instances WHERE id = \(id)").first else { return nil }
        return try InstanceRecord(row)
    }

    /// One account's instances, oldest first, terminated ones among them.
    public func instances(of account: String) throws(CatalogFailure) -> [InstanceRecord] {
        try connection.query(
            "SELECT * FROM instances WHERE account_id = \(account) ORDER BY launched_at, id"
        ).records(InstanceRecord.init)
    }

    /// Forgets instances that were terminated before `time`, their tags and which resource groups they were in.
    public func deleteInstances(terminatedBefore time: WallTime) throws(CatalogFailure) {
        try connection.execute(
            """
            DELETE FROM tags WHERE object_id IN
                (SELECT id FROM instances WHERE state = 'terminated' AND changed_at < \(time))
            """)
        try connection.execute(
            """
            DELETE FROM resource_groups WHERE object_id IN
                (SELECT id FROM instances WHERE state = 'terminated' AND changed_at < \(time))
            """)
        try connection.execute("DELETE FROM instances WHERE state = 'terminated' AND changed_at < \(time)")
    }
}
