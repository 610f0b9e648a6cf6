public import Blocks
internal import Catalog

/// That a snapshot must not be deleted before a time. The JSON of the native API has exactly these names.
public struct SnapshotLockView: Codable, Equatable, Sendable {
    /// What kind of lock it is.
    public enum Mode: String, Codable, Sendable, CaseIterable {
        /// Its owner may take it back.
        case governance
        /// Nobody may, once it has cooled off; it can only be prolonged.
        case compliance
    }
    /// What holds now.
    public enum State: String, Codable, Sendable, CaseIterable {
        /// It can still be taken back.
        case complianceCoolOff = "compliance-cooloff"
        case compliance, governance
        /// It holds no more.
        case expired
    }

    /// The snapshot.
    public var snapshotId: String
    /// What kind of lock it is.
    public var mode: Mode
    /// What holds now.
    public var state: State
    /// When the snapshot was first locked.
    public var createdAt: WallTime
    /// From when on the days count.
    public var startedAt: WallTime
    /// Until when it holds.
    public var expiresAt: WallTime
    /// From ``startedAt`` to ``expiresAt``, in days begun.
    public var days: Int
    /// For how many hours it could be taken back; nil: none.
    public var coolOffHours: Int?
    /// When those are over.
    public var coolsOffAt: WallTime?
}

/// A lock that is asked for.
public struct LockSnapshot: Sendable {
    /// Until when a lock holds.
    public enum End: Equatable, Sendable {
        /// So many days from now, 1 to 36,500.
        case days(Int)
        /// An instant, at least a day away.
        case at(WallTime)
    }

    /// What kind of lock it is to be.
    public var mode: SnapshotLockView.Mode
    /// Until when it is to hold.
    public var end: End
    /// For how many hours, 1 to 72, it can be taken back although it is a matter of compliance; nil: none.
    public var coolOffHours: Int?
    /// Must it end before the snapshot is released, if that has a time? Otherwise the release waits for it.
    public var endsBeforeRelease = false
    /// So that it is locked once, however often it is asked for; nil: each request locks it.
    public var token: RequestToken?

    /// Makes a request.
    public init(mode: SnapshotLockView.Mode, end: End, coolOffHours: Int? = nil) {
        self.mode = mode
        self.end = end
        self.coolOffHours = coolOffHours
    }
}

extension LockRecord {
    /// What holds at a time.
    func state(at now: WallTime) -> SnapshotLockView.State {
        if now >= expiresAt { return .expired }
        guard mode == .compliance else { return .governance }
        return coolsOffAt.map { now < $0 } == true ? .complianceCoolOff : .compliance
    }
}

extension SnapshotLockView {
    init(_ record: LockRecord, at now: WallTime) {
        let seconds = (record.expiresAt - record.startedAt).components.seconds
        self.init(
            snapshotId: record.snapshotID, mode: record.mode == .governance ? .governance : .compliance,
            state: record.state(at: now), createdAt: record.createdAt, startedAt: record.startedAt,
            expiresAt: record.expiresAt, days: Int((seconds + 86_399) / 86_400), coolOffHours: record.coolOffHours,
            coolsOffAt: record.coolsOffAt)
    }
}
