public import Blocks

/// The state of the object store. The JSON of the native API has exactly these names.
public struct StoreStatus: Codable, Equatable, Sendable {
    /// Where it is.
    public var location: String
    /// The repository's own id.
    public var repositoryId: String
    /// Did it answer just now?
    public var isReachable: Bool
    /// Why not, or nil.
    public var reason: String?
    /// Snapshots whose manifest is in the store.
    public var snapshotCount: Int
    /// Deleted snapshots still in the trash.
    public var trashCount: Int
    /// Snapshots on their way.
    public var uploadCount: Int
    /// Packs in the store.
    public var packCount: Int
    /// All bytes of packs.
    public var storedBytes: Int
    /// Bytes of packs that no snapshot needs, which a reclaim may free.
    public var reclaimableBytes: Int

    /// What full copies of all snapshots would hold.
    public var logicalBytes: Int
    /// Snapshots that are on their way, oldest first.
    public var pending: [Pending]
    /// Snapshots that cannot be read wholly.
    public var degraded: [Degraded]
    /// Records of snapshots that are damaged in the store itself, a few of them; nothing is reclaimed meanwhile.
    public var unreadable: [Unreadable]
    /// How the store is read again bit by bit.
    public var scrub: ScrubView?
    /// What to know or to do next, in plain words; never empty.
    public var advice: [String]

    /// A snapshot on its way.
    public struct Pending: Codable, Equatable, Sendable {
        /// The snapshot.
        public var id: String
        /// Its volume.
        public var volumeId: String
        /// From 0 to 1.
        public var progress: Double
        /// Why it waits; nil while it is being uploaded.
        public var reason: String?
        /// When it was taken.
        public var createdAt: WallTime
    }
    /// A snapshot that cannot be read wholly.
    public struct Degraded: Codable, Equatable, Sendable {
        /// The snapshot.
        public var id: String
        /// Its volume.
        public var volumeId: String
        /// How much of it cannot be read.
        public var bytes: Int
    }
    /// A snapshot of which a record in the store is damaged.
    public struct Unreadable: Codable, Equatable, Sendable {
        /// The snapshot.
        public var id: String
        /// Which object, and what is wrong with it.
        public var problem: String
    }
    /// How many unreadable records are listed.
    static let unreadableMax = 100

    /// Makes one.
    public init(location: String, repositoryId: String) {
        self.location = location
        self.repositoryId = repositoryId
        isReachable = true
        snapshotCount = 0
        trashCount = 0
        uploadCount = 0
        packCount = 0
        storedBytes = 0
        reclaimableBytes = 0
        logicalBytes = 0
        pending = []
        degraded = []
        unreadable = []
        advice = []
    }
}

/// What a reclaim did.
public struct ReclaimReport: Codable, Equatable, Sendable {
    /// Packs removed.
    public var freedPacks: Int
    /// Their bytes.
    public var freedBytes: Int
    /// Trash entries whose grace period is over, removed.
    public var expiredSnapshots: Int
    /// Packs that nothing names but whose grace period is not over.
    public var waitingPacks: Int
    /// Why no pack was freed though some may be due, and what to do; nil if nothing stood in the way.
    public var reason: String?

    /// Makes one.
    public init(freedPacks: Int, freedBytes: Int, expiredSnapshots: Int, waitingPacks: Int) {
        self.freedPacks = freedPacks
        self.freedBytes = freedBytes
        self.expiredSnapshots = expiredSnapshots
        self.waitingPacks = waitingPacks
    }
}

/// What a check found.
public struct VerifyReport: Codable, Equatable, Sendable {
    /// Is everything as it should be?
    public var isSound: Bool
    /// Snapshots looked at.
    public var snapshotCount: Int
    /// Bytes read and compared.
    public var checkedBytes: Int
    /// Snapshots that a volume counts its changes from, and that were compared with it. This and the next two only at
    /// level `live`.
    public var comparedSnapshotCount: Int?
    /// Bytes of live volumes that were compared.
    public var comparedBytes: Int?
    /// Bytes that were not compared: changed since, or not restored yet.
    public var skippedBytes: Int?
    /// Snapshots that are encrypted with a key that is not here: of them only what is in the clear was checked. Nil when
    /// there are none.
    public var lockedSnapshotIds: [String]?
    /// One sentence each, at most 1000; empty when sound.
    public var problems: [String]

    /// Makes one.
    public init(snapshotCount: Int, checkedBytes: Int, problems: [String]) {
        isSound = problems.isEmpty
        self.snapshotCount = snapshotCount
        self.checkedBytes = checkedBytes
        self.problems = problems
    }

    /// How many problems are listed.
    static let problemsMax = 1000

    /// Adds problems, as many as there is room for.
    mutating func add(_ more: [String]) {
        problems += more.prefix(Self.problemsMax - problems.count)
        isSound = isSound && more.isEmpty
    }
}

/// How thoroughly to check the store.
public enum VerifyLevel: String, Codable, Sendable, CaseIterable {
    /// Every object is there with its size.
    case listing
    /// Manifests, nodes and pack footers as well.
    case structure
    /// A few frames of each pack as well.
    case sample
    /// Every byte.
    case everything
    /// Each snapshot that a volume counts its changes from is compared with what that volume holds unchanged, as well.
    case live
}
