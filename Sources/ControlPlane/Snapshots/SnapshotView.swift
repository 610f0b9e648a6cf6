public import Blocks
internal import Catalog

/// A snapshot as its owner sees it; those with whom it is shared see less. The JSON of the native API has exactly these names.
public struct SnapshotView: Codable, Equatable, Sendable {
    /// Where a snapshot is in its life.
    public enum State: String, Codable, Sendable, CaseIterable {
        /// The instant is fixed; the upload goes on.
        case pending
        /// Whole in the store.
        case completed
        /// It could not be finished; `reason` says why. Delete it.
        case error
    }

    /// `snap-` and 17 hexadecimal digits.
    public var id: String
    /// The account it belongs to.
    public var ownerId: String
    /// The volume it was taken of, which may be gone; ``noVolume`` of a copy, and of one written piece by piece.
    public var volumeId: String
    /// What it is a copy of, which may be gone; nil: it is no copy.
    public var copyOf: CopyOrigin?
    /// The snapshot whose unchanged content it shares, or nil.
    public var parentId: String?
    /// Snapshots of one group cut share this id; nil outside a group.
    public var groupId: String?
    /// Where it is in its life.
    public var state: State
    /// From 0 to 1.
    public var progress: Double
    /// Estimated seconds until completed; nil when not pending or not known yet.
    public var remainingSeconds: Int?
    /// Why it failed, or why it waits (the store is away).
    public var reason: String?
    /// What its content is sure to be, beyond ``Consistency/crash``; nil: nothing.
    public var consistency: Consistency?
    /// The instant of the cut.
    public var createdAt: WallTime
    /// When its manifest was committed.
    public var completedAt: WallTime?
    /// The disk's size at the cut.
    public var volumeSizeBytes: Int
    /// Bytes of the blocks that differ from the parent (all data without one); nil until completed.
    public var changedBytes: Int?
    /// Bytes that this snapshot added to the store; nil until completed.
    public var storedBytes: Int?
    /// Bytes of a full copy of it: of the blocks that are not zero; nil until completed, or until it is known of one that an
    /// earlier version stored.
    public var fullBytes: Int?
    /// Bytes that deleting it would free; nil until completed, and in lists.
    public var exclusiveBytes: Int?
    /// Is it encrypted in the store?
    public var encrypted: Bool
    /// The wrapping key that opens it, or nil.
    public var keyId: String?
    /// The data key that it is encrypted with, the same for all that builds on one another; or nil. For its owner alone.
    public var dataKeyId: String?
    /// The name its owner gave, or nil.
    public var name: String?
    /// The description its owner gave, or nil.
    public var description: String?
    /// Its tags by key, of another account's snapshot those that the caller's own wrote on it; nil without any.
    public var tags: [String: String]?
    /// With whom it is shared, as far as the caller may know: all of them for its owner, themselves for others. Nil: with nobody.
    public var sharing: SnapshotSharing?
    /// That it must not be deleted before a time; nil: it may be. For its owner alone.
    public var lock: SnapshotLockView?
    /// Whether it is in the archive, or was there; nil: never. For its owner alone.
    public var tier: SnapshotTierView?
    /// When it is deleted by itself; nil: never. For its owner alone.
    public var releaseAt: WallTime?
    /// Did its owner ask for it to be available from its cut on, before it is completed? It can be used from then on in any case.
    public var hasInstantAccess: Bool
    /// Which policy took it; nil: none. For its owner alone.
    public var policy: SnapshotPolicyView?
    /// What of it cannot be read: it is degraded. Nil while all is well, as far as is known.
    public var damage: SnapshotDamageView?
    /// The read-only NBD URI while it is exported, or nil.
    public var uri: String?

    /// Makes one.
    public init(
        id: String, ownerId: String, volumeId: String, state: State, createdAt: WallTime, volumeSizeBytes: Int,
        progress: Double = 0
    ) {
        self.id = id
        self.ownerId = ownerId
        self.volumeId = volumeId
        self.state = state
        self.createdAt = createdAt
        self.volumeSizeBytes = volumeSizeBytes
        self.progress = progress
        encrypted = false
        hasInstantAccess = false
    }
}

extension SnapshotView {
    /// The volume of what was taken of none.
    public static let noVolume = SnapshotRecord.noVolume
}

/// Where a copy's content comes from. The JSON of the native API has exactly these names.
public struct CopyOrigin: Codable, Equatable, Sendable {
    /// The region of the source.
    public var region: String
    /// The source.
    public var snapshotId: String

    /// Makes one.
    public init(region: String, snapshotId: String) {
        self.region = region
        self.snapshotId = snapshotId
    }
}

/// Where two snapshots differ.
public struct SnapshotDiff: Codable, Equatable, Sendable {
    /// A run of bytes.
    public struct Range: Codable, Equatable, Sendable {
        /// Where it starts on the disk.
        public var offset: Int
        /// How long it is.
        public var length: Int
        /// Makes one.
        public init(offset: Int, length: Int) {
            self.offset = offset
            self.length = length
        }
    }
    /// Whole blocks (the last one cut to the disk's end), ascending, no two adjacent.
    public var ranges: [Range]
    /// Their sum.
    public var bytes: Int
    /// Makes one.
    public init(ranges: [Range], bytes: Int) {
        self.ranges = ranges
        self.bytes = bytes
    }
}
