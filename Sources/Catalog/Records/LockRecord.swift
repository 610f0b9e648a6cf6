public import Blocks

/// That a snapshot must not be deleted before a time.
public struct LockRecord: Equatable, Sendable {
    /// Who may take it back.
    public enum Mode: String, Sendable, CaseIterable {
        /// Its owner, at any time.
        case governance
        /// Nobody, once it has cooled off.
        case compliance
    }

    /// The snapshot.
    public var snapshotID: String
    /// Who may take it back.
    public var mode: Mode
    /// When it was first locked.
    public var createdAt: WallTime
    /// From when on its time counts.
    public var startedAt: WallTime
    /// Until when it holds.
    public var expiresAt: WallTime
    /// For how many hours it can be taken back although it is a matter of compliance; nil: none.
    public var coolOffHours: Int?
    /// When those are over.
    public var coolsOffAt: WallTime?

    /// Makes one.
    public init(snapshotID: String, mode: Mode, createdAt: WallTime, startedAt: WallTime, expiresAt: WallTime) {
        self.snapshotID = snapshotID
        self.mode = mode
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.expiresAt = expiresAt
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        snapshotID = try row.text("snapshot_id")
        mode = try row.word("mode", as: Mode.self)
        createdAt = try row.time("created_at")
        startedAt = try row.time("started_at")
        expiresAt = try row.time("expires_at")
        coolOffHours = try row.optionalInteger("cool_off_hours")
        coolsOffAt = try row.optionalTime("cools_off_at")
    }
}

extension CatalogSession {
    /// Keeps a snapshot's lock in place of the one before.
    public func put(_ lock: LockRecord) throws(CatalogFailure) {
        try connection.execute("DELETE FROM locks WHERE snapshot_id = \(lock.snapshotID)")
        try connection.execute(
            """
            INSERT INTO locks (snapshot_id, mode, created_at, started_at, expires_at, cool_off_hours, cools_off_at)
            VALUES (\(lock.snapshotID), \(lock.mode), \(lock.createdAt), \(lock.startedAt), \(lock.expiresAt),
                \(lock.coolOffHours), \(lock.coolsOffAt))
            """)
    }

    /// A snapshot's lock, expired or not, or nil.
    public func lock(of snapshot: String) throws(CatalogFailure) -> LockRecord? {
        guard let row = try connection.query("SELECT * FROM locks WHERE snapshot_id = \(snapshot)").first else {
            return nil
        }
        return try LockRecord(row)
    }

    /// The locks of an account's snapshots, but for those in the bin, by snapshot.
    public func locks(of account: String) throws(CatalogFailure) -> [LockRecord] {
        try connection.query(
            """
            SELECT locks.* FROM locks JOIN snapshots ON snapshots.id = locks.snapshot_id
            WHERE snapshots.account_id = \(account) AND snapshots.bin_until IS NULL ORDER BY snapshot_id
            """
        ).records(LockRecord.init)
    }

    /// Takes a snapshot's lock away. No error if there is none.
    public func deleteLock(of snapshot: String) throws(CatalogFailure) {
        try connection.execute("DELETE FROM locks WHERE snapshot_id = \(snapshot)")
    }
}
