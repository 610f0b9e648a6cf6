extension CatalogSession {
    /// Adds a snapshot.
    public func insert(_ snapshot: SnapshotRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO snapshots (id, volume_id, parent_id, group_id, state, reason, is_deleted, name, description,
                volume_size, changed_bytes, stored_bytes, created_at, completed_at, data_key, account_id,
                copy_region, copy_source, copy_encrypted, copy_key, written_timeout, full_bytes, release_at,
                has_instant_access, consistency, lineage)
            VALUES (\(snapshot.id), \(snapshot.volumeID), \(snapshot.parentID), \(snapshot.groupID), \(snapshot.state),
                \(snapshot.reason), \(snapshot.isDeleted), \(snapshot.name), \(snapshot.description),
                \(snapshot.volumeSize), \(snapshot.changed), \(snapshot.stored), \(snapshot.createdAt),
                \(snapshot.completedAt), \(snapshot.dataKey), \(snapshot.account), \(snapshot.copy?.region),
                \(snapshot.copy?.source), \(snapshot.copy?.isEncrypted ?? false), \(snapshot.copy?.key),
                \(snapshot.written?.milliseconds), \(snapshot.full), \(snapshot.releaseAt),
                \(snapshot.hasInstantAccess), \(snapshot.consistency?.rawValue),\u{20}
            """ + Self.lineage(withParent: snapshot.parentID, else: "\(snapshot.ownLineage)") + ")")
    }

    /// Writes every column of a snapshot that exists, but for its owner.
    ///
    /// - Returns: false if there is none.
    @discardableResult
    public func update(_ snapshot: SnapshotRecord) throws(CatalogFailure) -> Bool {
        try connection.execute(
            """
            UPDATE snapshots SET parent_id = \(snapshot.parentID), state = \(snapshot.state),
                reason = \(snapshot.reason), is_deleted = \(snapshot.isDeleted), name = \(snapshot.name),
                description = \(snapshot.description), volume_size = \(snapshot.volumeSize),
                changed_bytes = \(snapshot.changed), stored_bytes = \(snapshot.stored), completed_at = \(snapshot.completedAt),
                created_at = \(snapshot.createdAt), data_key = \(snapshot.dataKey), full_bytes = \(snapshot.full),
                has_instant_access = \(snapshot.hasInstantAccess), lineage =\u{20}
            """ + Self.lineage(withParent: snapshot.parentID, else: "lineage") + " WHERE id = \(snapshot.id)") == 1
    }

    /// Says what a snapshot's content is sure to be.
    public func set(
        consistency: SnapshotRecord.Consistency?, ofSnapshot id: String
    ) throws(CatalogFailure) {
        try connection.execute("UPDATE snapshots SET consistency = \(consistency?.rawValue) WHERE id = \(id)")
    }

    /// The snapshot, or nil.
    public func snapshot(_ id: String) throws(CatalogFailure) -> SnapshotRecord? {
        guard let row = try connection.query("SELECT * FROM keyed_snapshots WHERE id = \(id)").first else { return nil }
        return try SnapshotRecord(row)
    }

    /// Every snapshot, oldest first, deleted ones among them.
    public func snapshots() throws(CatalogFailure) -> [SnapshotRecord] {
        try connection.query("SELECT * FROM keyed_snapshots ORDER BY created_at, id").records(SnapshotRecord.init)
    }

    /// A volume's snapshots and the copies of such, oldest first.
    public func snapshots(ofVolume id: String) throws(CatalogFailure) -> [SnapshotRecord] {
        try connection.query("SELECT * FROM keyed_snapshots WHERE volume_id = \(id) ORDER BY created_at, id")
            .records(SnapshotRecord.init)
    }

    /// One account's snapshots, or of them those taken of one volume, oldest first, deleted and binned ones among them.
    public func snapshots(
        of account: String, volume: String? = nil
    ) throws(CatalogFailure) -> [SnapshotRecord] {
        let rows =
            if let volume {
                try connection.query(
                    """
                    SELECT * FROM keyed_snapshots
                    WHERE volume_id = \(volume) AND account_id = \(account) AND copy_source IS NULL AND written_timeout IS NULL
                    ORDER BY created_at, id
                    """)
            } else {
                try connection.query(
                    "SELECT * FROM keyed_snapshots WHERE account_id = \(account) ORDER BY created_at, id")
            }
        return try rows.records(SnapshotRecord.init)
    }

    /// The snapshots in one state, oldest first.
    public func snapshots(in state: SnapshotRecord.State) throws(CatalogFailure) -> [SnapshotRecord] {
        try connection.query("SELECT * FROM keyed_snapshots WHERE state = \(state) ORDER BY created_at, id")
            .records(SnapshotRecord.init)
    }

    /// Removes a snapshot, its export and its tags, and its group with the group's last. No error if there is none.
    public func deleteSnapshot(_ id: String) throws(CatalogFailure) {
        try removeTags(of: id)
        let group = try connection.query("SELECT group_id FROM snapshots WHERE id = \(id)").first?.optionalText(
            "group_id")
        try connection.execute("DELETE FROM snapshots WHERE id = \(id)")
        guard let group, try snapshots(ofGroup: group).isEmpty else { return }
        try deleteSnapshotGroup(group)
    }

    /// The pending or half-made snapshots that build on another one.
    public func unfinishedChildren(ofSnapshot id: String) throws(CatalogFailure) -> [SnapshotRecord] {
        try connection.query(
            """
            SELECT * FROM keyed_snapshots WHERE parent_id = \(id) AND state IN ('creating', 'pending')
            ORDER BY created_at, id
            """
        ).records(SnapshotRecord.init)
    }
}
