public import Blocks

/// What of a committed snapshot cannot be read.
public struct SnapshotDamage: Equatable, Sendable {
    /// The most problems that are described.
    public static let problemsMax = 100

    /// The snapshot.
    public var snapshot: SnapshotID
    /// Exactly the blocks that a reader would be refused, ascending, no two touching.
    public var blocks: [BlockRange] = []
    /// Is part of its map damaged: the manifest, a node, the table of packs? Then nothing can build on it.
    public var isMapDamaged = false
    /// Is it encrypted, and its key not here? Then its nodes and frames could not be looked at.
    public var isLocked = false
    /// The packs that are to blame.
    public var packs: Set<PackName> = []
    /// What is wrong, object by object.
    public var problems: [Finding] = []

    /// Nothing is known against it yet.
    public init(snapshot: SnapshotID) { self.snapshot = snapshot }

    /// Is all of it there, as far as could be seen?
    public var isWhole: Bool { blocks.isEmpty && !isMapDamaged }
    /// How much cannot be read.
    public var bytes: ByteCount { blocks.reduce(.zero) { $0 + $1.count.size } }

    mutating func add(_ finding: Finding) {
        if problems.count < Self.problemsMax { problems.append(finding) }
    }

    /// Adds blocks in any order.
    mutating func add(_ more: [BlockRange]) {
        guard !more.isEmpty else { return }
        blocks = BlockRuns.joined((blocks + more).sorted { $0.start < $1.start })
    }
}

/// Snapshots that something is, or may be, wrong with.
public struct SnapshotsAtRisk: Equatable, Sendable {
    /// Those that need a suspect pack, or whose own records cannot be read.
    public var snapshots: Set<SnapshotID> = []
    /// Packs that are suspect: those that were given, and those that the store does not list as they should be.
    public var packs: Set<PackName> = []
    /// Every snapshot that has a manifest, readable or not.
    public var committed: Set<SnapshotID> = []
}
