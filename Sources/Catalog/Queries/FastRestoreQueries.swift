public import Blocks

/// What is restored fast.
extension CatalogSession {
    /// Adds one, or writes over the one of the same snapshot, zone and account.
    public func put(_ restore: FastRestoreRecord) throws(CatalogFailure) {
        try delete(restore)
        try connection.execute(
            """
            INSERT INTO fast_restores (snapshot_id, zone, account_id, enabled_at, disabling_at, disabled_at)
            VALUES (\(restore.snapshotID), \(restore.zone), \(restore.account), \(restore.enabledAt),
                \(restore.disablingAt), \(restore.disabledAt))
            """)
    }

    /// What an account asked for, or took back of late, by snapshot and zone, of snapshots that are not deleted.
    public func fastRestores(of account: String) throws(CatalogFailure) -> [FastRestoreRecord] {
        try connection.query(
            """
            SELECT fast_restores.* FROM fast_restores JOIN snapshots ON snapshots.id = fast_restores.snapshot_id
            WHERE fast_restores.account_id = \(account) AND snapshots.is_deleted = 0
            ORDER BY fast_restores.snapshot_id, fast_restores.zone
            """
        ).records(FastRestoreRecord.init)
    }

    /// Those of all accounts and all snapshots, what was asked for first at the front.
    public func fastRestores() throws(CatalogFailure) -> [FastRestoreRecord] {
        try connection.query("SELECT * FROM fast_restores ORDER BY enabled_at, snapshot_id, zone, account_id")
            .records(FastRestoreRecord.init)
    }

    /// Forgets one.
    public func delete(_ restore: FastRestoreRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            DELETE FROM fast_restores WHERE snapshot_id = \(restore.snapshotID) AND zone = \(restore.zone)
                AND account_id = \(restore.account)
            """)
    }

    /// Forgets all of one snapshot: nothing can be made of it for now.
    public func deleteFastRestores(of snapshot: String) throws(CatalogFailure) {
        try connection.execute("DELETE FROM fast_restores WHERE snapshot_id = \(snapshot)")
    }

    /// Forgets those that were gone before a time.
    public func deleteFastRestores(goneBefore time: WallTime) throws(CatalogFailure) {
        try connection.execute("DELETE FROM fast_restores WHERE disabled_at < \(time)")
    }

    /// Adds a copy, or writes over that of the same snapshot.
    public func put(_ copy: FastCopyRecord) throws(CatalogFailure) {
        try deleteFastCopy(of: copy.snapshotID)
        try connection.execute(
            """
            INSERT INTO fast_copies (snapshot_id, began_at, completed_at)
            VALUES (\(copy.snapshotID), \(copy.beganAt), \(copy.completedAt))
            """)
    }

    /// The copy of a snapshot, or nil.
    public func fastCopy(of snapshot: String) throws(CatalogFailure) -> FastCopyRecord? {
        try connection.query("SELECT * FROM fast_copies WHERE snapshot_id = \(snapshot)")
            .records(FastCopyRecord.init).first
    }

    /// All copies that are there, or were begun.
    public func fastCopies() throws(CatalogFailure) -> [FastCopyRecord] {
        try connection.query("SELECT * FROM fast_copies ORDER BY began_at, snapshot_id").records(FastCopyRecord.init)
    }

    /// There is none any more.
    public func deleteFastCopy(of snapshot: String) throws(CatalogFailure) {
        try connection.execute("DELETE FROM fast_copies WHERE snapshot_id = \(snapshot)")
    }
}
