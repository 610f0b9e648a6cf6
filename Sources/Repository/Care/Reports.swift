public import Blocks

/// What reclaim may assume.
public struct ReclaimPlan: Sendable {
    /// How long a pack must have been unneeded, and a deleted manifest stays in the trash. Zero: both passes at once.
    public var grace: Duration
    /// Snapshots that count as live even if deleted: sources of volumes still hydrating, readers still open.
    public var pins: Set<SnapshotID>

    /// A plan; a day of grace unless told.
    public init(grace: Duration = .seconds(86_400), pins: Set<SnapshotID> = []) {
        self.grace = grace
        self.pins = pins
    }
}

/// What reclaim did.
public struct ReclaimReport: Equatable, Sendable {
    /// Packs removed.
    public var packsFreed = 0
    /// Their bytes.
    public var bytesFreed = ByteCount.zero
    /// Packs that nobody needs but whose grace period runs.
    public var packsWaiting = 0
    /// Their bytes.
    public var bytesWaiting = ByteCount.zero
    /// Deleted manifests that left the trash.
    public var manifestsFreed = 0
    /// What is damaged of snapshots in the trash, within their grace period: if anything, no pack was freed.
    public var doubts: [Finding] = []
}

/// How thorough a verification is. Each level includes the ones before it.
public enum VerifyLevel: Int, CaseIterable, Comparable, Sendable {
    /// Manifests decode, every pack they name is listed with the size they expect.
    case listing
    /// Every node of every tree and every pack's footer decodes and matches its hash.
    case structure
    /// One frame of each pack is read and checked.
    case sample
    /// Every frame is read and checked.
    case everything

    /// Orders by thoroughness.
    public static func < (a: VerifyLevel, b: VerifyLevel) -> Bool { a.rawValue < b.rawValue }
}

/// Something wrong, and whom it concerns.
public struct Finding: Equatable, Sendable {
    /// The object.
    public var object: String
    /// The snapshot that needs it, if known.
    public var snapshot: SnapshotID?
    /// Which blocks of that snapshot, if known.
    public var blocks: BlockRange?
    /// What is wrong, in words.
    public var problem: String

    /// Describes a finding.
    public init(object: String, snapshot: SnapshotID?, blocks: BlockRange?, problem: String) {
        self.object = object
        self.snapshot = snapshot
        self.blocks = blocks
        self.problem = problem
    }
}

/// What a verification saw.
public struct VerifyReport: Equatable, Sendable {
    /// Everything wrong. Empty: all is well, to the level asked.
    public var findings: [Finding] = []
    /// Snapshots looked at.
    public var snapshots = 0
    /// Those of them whose key is not here: only what is in the clear was checked, whatever the level.
    public var locked: [SnapshotID] = []
    /// Packs looked at.
    public var packs = 0
    /// Bytes read from the store.
    public var bytesRead = ByteCount.zero
}

/// What comparing a snapshot with a live volume saw.
public struct ComparisonReport: Equatable, Sendable {
    /// The most findings; a comparison that has so many ends early.
    public static let findingsMax = 1000

    /// Where the volume differs although it claims not to have changed since, ascending, no two touching.
    public var findings: [Finding] = []
    /// Bytes of the volume that were read and compared.
    public var compared = ByteCount.zero
    /// Bytes that one of the two has data for, but that were not compared: changed since, or not to be told.
    public var skipped = ByteCount.zero
}

/// Counts and bytes of a repository.
public struct StoreStatus: Equatable, Sendable {
    /// Committed snapshots.
    public var snapshots = 0
    /// Manifests in the trash.
    public var trashed = 0
    /// Uploads in progress, or never finished.
    public var uploads = 0
    /// Packs.
    public var packs = 0
    /// Bytes of all packs.
    public var packBytes = ByteCount.zero
    /// Bytes in packs that no committed snapshot names: reclaimable sooner or later. Zero, for that cannot be told, if
    /// something is ``unreadable``.
    public var unneededBytes = ByteCount.zero
    /// Manifests, pack tables and pins that are damaged: each stops every reclaim.
    public var unreadable: [Finding] = []
    /// The sum of ``Manifest/fullBytes``.
    public var fullBytes = ByteCount.zero
}

/// What the store alone can tell: for rebuilding a catalog.
public struct Inventory: Equatable, Sendable {
    /// Every committed snapshot, by creation time.
    public var manifests: [Manifest] = []
    /// Uploads that were begun and not committed.
    public var uploads: [UploadPin] = []
    /// Every data key, and which wrapping keys open it.
    public var dataKeys: [DataKey] = []
    /// Manifests that could not be read, and why.
    public var findings: [Finding] = []
}

/// An upload in progress, or never finished: the object `uploads/<id>`.
public struct UploadPin: Equatable, Sendable {
    /// The snapshot being uploaded.
    public var snapshot: SnapshotID
    /// The parent whose packs it needs.
    public var parent: SnapshotID?
    /// Its volume.
    public var volume: String
    /// When the upload began, by the writer's clock.
    public var started: WallTime
}
