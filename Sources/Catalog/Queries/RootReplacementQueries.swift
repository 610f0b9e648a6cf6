public import Blocks

extension CatalogSession {
    /// Adds one.
    public func insert(_ one: RootReplacementRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO root_replacements (id, account_id, instance_id, device, snapshot_id, image_id,
                launch_snapshot_id, size, old_volume, new_volume, deletes_old, state, reason, started_at, ended_at,
                instance_state, instance_since)
            VALUES (\(one.id), \(one.account), \(one.instanceID), \(one.device), \(one.snapshotID), \(one.imageID),
                \(one.launchSnapshotID), \(one.size), \(one.oldVolume), \(one.newVolume), \(one.deletesOld),
                \(one.state), \(one.reason), \(one.startedAt), \(one.endedAt), \(one.instanceState?.rawValue),
                \(one.instanceSince))
            """)
    }

    /// Writes what can change of one: its new disk, how far it is, and why it failed.
    public func update(_ one: RootReplacementRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            UPDATE root_replacements SET new_volume = \(one.newVolume), state = \(one.state), reason = \(one.reason),
                ended_at = \(one.endedAt)
            WHERE id = \(one.id)
            """)
    }

    /// The replacement, or nil.
    public func rootReplacement(_ id: String) throws(CatalogFailure) -> RootReplacementRecord? {
        try connection.query("SELECT * FROM root_replacements WHERE id = \(id)")
            .records(RootReplacementRecord.init).first
    }

    /// Those of an account, oldest first.
    public func rootReplacements(of account: String) throws(CatalogFailure) -> [RootReplacementRecord] {
        try connection.query(
            "SELECT * FROM root_replacements WHERE account_id = \(account) ORDER BY started_at, id"
        ).records(RootReplacementRecord.init)
    }

    /// Those of an instance, oldest first.
    public func rootReplacements(ofInstance instance: String) throws(CatalogFailure) -> [RootReplacementRecord] {
        try connection.query(
            "SELECT * FROM root_replacements WHERE instance_id = \(instance) ORDER BY started_at, id"
        ).records(RootReplacementRecord.init)
    }

    /// Forgets those that were over before `time` and whose instance is gone, and their tags. Of one that is there they tell what
    /// its first disk was made from.
    public func deleteRootReplacements(endedBefore time: WallTime) throws(CatalogFailure) {
        let old: SQL =
            """
            SELECT id FROM root_replacements WHERE ended_at < \(time) AND instance_id NOT IN (SELECT id FROM instances)
            """
        try connection.execute("DELETE FROM tags WHERE object_id IN (" + old + ")")
        try connection.execute("DELETE FROM root_replacements WHERE id IN (" + old + ")")
    }
}
