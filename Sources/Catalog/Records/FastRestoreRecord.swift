public import Blocks

/// That volumes made of a snapshot in a zone are to be fast from the start, for one account.
public struct FastRestoreRecord: Equatable, Sendable {
    /// The snapshot.
    public var snapshotID: String
    /// The zone's name.
    public var zone: String
    /// Who asked for it: the snapshot may be another's.
    public var account: String
    /// When.
    public var enabledAt: WallTime

    /// Makes one.
    public init(snapshotID: String, zone: String, account: String, enabledAt: WallTime) {
        self.snapshotID = snapshotID
        self.zone = zone
        self.account = account
        self.enabledAt = enabledAt
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        snapshotID = try row.text("snapshot_id")
        zone = try row.text("zone")
        account = try row.text("account_id")
        enabledAt = try row.time("enabled_at")
    }
}

extension CatalogSession {
    /// Adds one that is not there yet.
    public func insert(_ restore: FastRestoreRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO fast_restores (snapshot_id, zone, account_id, enabled_at)
            VALUES (\(restore.snapshotID), \(restore.zone), \(restore.account), \(restore.enabledAt))
            """)
    }

    /// What an account asked for, by snapshot and zone, of snapshots that are not deleted.
    public func fastRestores(of account: String) throws(CatalogFailure) -> [FastRestoreRecord] {
        try connection.query(
            """
            SELECT fast_restores.* FROM fast_restores JOIN snapshots ON snapshots.id = fast_restores.snapshot_id
            WHERE fast_restores.account_id = \(account) AND snapshots.is_deleted = 0
            ORDER BY fast_restores.snapshot_id, fast_restores.zone
            """
        ).records(FastRestoreRecord.init)
    }

    /// Takes one back.
    public func delete(_ restore: FastRestoreRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            DELETE FROM fast_restores WHERE snapshot_id = \(restore.snapshotID) AND zone = \(restore.zone)
                AND account_id = \(restore.account)
            """)
    }
}
