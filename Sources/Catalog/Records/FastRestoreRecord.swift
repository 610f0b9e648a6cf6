public import Blocks

/// That volumes made of a snapshot in a zone are to be fast from the start, for one account; or were, until a moment ago.
public struct FastRestoreRecord: Equatable, Sendable {
    /// The snapshot.
    public var snapshotID: String
    /// The zone's name.
    public var zone: String
    /// Who asked for it: the snapshot may be another's.
    public var account: String
    /// When.
    public var enabledAt: WallTime
    /// When it was taken back; nil: it holds.
    public var disablingAt: WallTime?
    /// When what was kept for it was gone.
    public var disabledAt: WallTime?

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
        disablingAt = try row.optionalTime("disabling_at")
        disabledAt = try row.optionalTime("disabled_at")
    }

    /// Was it not taken back?
    public var holds: Bool { disablingAt == nil }
}

/// The local copy of a snapshot, one for all zones and accounts.
public struct FastCopyRecord: Equatable, Sendable {
    /// The snapshot.
    public var snapshotID: String
    /// When it was begun.
    public var beganAt: WallTime
    /// When all of it was there, durably; nil: it is not.
    public var completedAt: WallTime?

    /// Makes one.
    public init(snapshotID: String, beganAt: WallTime, completedAt: WallTime? = nil) {
        self.snapshotID = snapshotID
        self.beganAt = beganAt
        self.completedAt = completedAt
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        snapshotID = try row.text("snapshot_id")
        beganAt = try row.time("began_at")
        completedAt = try row.optionalTime("completed_at")
    }
}
