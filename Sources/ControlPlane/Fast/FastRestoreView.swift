public import Blocks
internal import Catalog

/// That volumes made of a snapshot in a zone are to be fast from the start. The JSON of the native API has exactly these names.
public struct FastRestoreView: Codable, Equatable, Sendable {
    /// How far that is.
    public enum State: String, Codable, Sendable, CaseIterable {
        /// Asked for: its copy waits for its turn, or for the snapshot to be completed.
        case enabling
        /// The local copy is being made.
        case optimizing
        /// All of the snapshot is here: a volume made now needs nothing of the store.
        case enabled
        /// Taken back; the copy is still there.
        case disabling
        /// Taken back. Shown for an hour.
        case disabled
    }

    /// The snapshot.
    public var snapshotId: String
    /// Whose it is.
    public var ownerId: String
    /// The zone's name.
    public var zone: String
    /// How far it is.
    public var state: State
    /// Of the local copy, from 0 to 1.
    public var progress: Double
    /// Estimated seconds until it is enabled, or nil.
    public var remainingSeconds: Int?
    /// What keeps it from being enabled, or nil.
    public var reason: String?
    /// When it was asked for.
    public var enablingAt: WallTime
    /// When its copy was begun.
    public var optimizingAt: WallTime?
    /// When its copy was whole.
    public var enabledAt: WallTime?
    /// When it was taken back.
    public var disablingAt: WallTime?
    /// When the copy was not kept for it any more.
    public var disabledAt: WallTime?
}

extension FastRestoreView {
    /// What the catalog says, with how the copy goes.
    init(_ record: FastRestoreRecord, _ copy: FastCopyRecord?, owner: String, _ house: Household) {
        self.init(
            snapshotId: record.snapshotID, ownerId: owner, zone: record.zone, state: .enabling, progress: 0,
            enablingAt: record.enabledAt)
        if let disablingAt = record.disablingAt {
            state = record.disabledAt == nil ? .disabling : .disabled
            self.disablingAt = disablingAt
            disabledAt = record.disabledAt
            return
        }
        // The copy may be older than the wish: another zone had it.
        optimizingAt = copy.map { max($0.beganAt, enablingAt) }
        if let completedAt = copy?.completedAt, house.fast[snapshotId] != nil {
            state = .enabled
            progress = 1
            enabledAt = max(completedAt, enablingAt)
            return
        }
        if copy != nil { state = .optimizing }
        guard let course = house.fast.course(of: snapshotId) else { return }
        progress = course.fraction
        remainingSeconds = course.remaining(at: house.clock.uptime()).map { Int($0.components.seconds) }
        reason = course.problem
    }
}
