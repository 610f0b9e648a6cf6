public import Blocks

/// That the disk an instance starts from is exchanged for a new one.
public struct RootReplacementRecord: Equatable, Sendable {
    /// How far it is.
    public enum State: String, Sendable, CaseIterable {
        /// The new disk is being made.
        case pending
        /// The new disk takes the old one's place.
        case inProgress = "in-progress"
        /// It has; the rest follows.
        case exchanged
        /// It cannot be done; what was made of it is taken away.
        case failing
        case succeeded, failed

        /// Is there nothing left to do?
        public var isFinal: Bool { self == .succeeded || self == .failed }
    }

    /// `replacevol-...`.
    public var id: String
    /// Whose it is.
    public var account: String
    /// The instance, which may be gone.
    public var instanceID: String
    /// Under which name the disk is on it.
    public var device: String
    /// What the new disk is made from.
    public var snapshotID: String
    /// The image that this is of, if one was asked for.
    public var imageID: String?
    /// What the instance's first disk was made from; nil: from no snapshot.
    public var launchSnapshotID: String?
    /// In which state the instance is to stay until the disks are exchanged; nil: it was gone before that was recorded.
    public var instanceState: InstanceRecord.State?
    /// Since when it was in that state.
    public var instanceSince: WallTime?
    /// The size of the new disk.
    public var size: ByteCount
    /// The disk it takes the place of.
    public var oldVolume: String
    /// The new disk, once it is recorded.
    public var newVolume: String?
    /// Is the old disk deleted in the end?
    public var deletesOld: Bool
    /// How far it is.
    public var state = State.pending
    /// Why it failed.
    public var reason: String?
    /// When it was asked for.
    public var startedAt: WallTime
    /// When it was over.
    public var endedAt: WallTime?

    /// Makes one that begins.
    public init(
        id: String, account: String, instanceID: String, device: String, snapshotID: String, size: ByteCount,
        oldVolume: String, deletesOld: Bool, startedAt: WallTime
    ) {
        self.id = id
        self.account = account
        self.instanceID = instanceID
        self.device = device
        self.snapshotID = snapshotID
        self.size = size
        self.oldVolume = oldVolume
        self.deletesOld = deletesOld
        self.startedAt = startedAt
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        id = try row.text("id")
        account = try row.text("account_id")
        instanceID = try row.text("instance_id")
        device = try row.text("device")
        snapshotID = try row.text("snapshot_id")
        imageID = try row.optionalText("image_id")
        launchSnapshotID = try row.optionalText("launch_snapshot_id")
        instanceState = try row.optionalWord("instance_state", as: InstanceRecord.State.self)
        instanceSince = try row.optionalTime("instance_since")
        size = ByteCount(try row.integer("size"))
        oldVolume = try row.text("old_volume")
        newVolume = try row.optionalText("new_volume")
        deletesOld = try row.integer("deletes_old") != 0
        state = try row.word("state", as: State.self)
        reason = try row.optionalText("reason")
        startedAt = try row.time("started_at")
        endedAt = try row.optionalTime("ended_at")
    }
}
