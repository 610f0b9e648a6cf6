public import Blocks

/// What there is to say about a volume at one moment.
public struct VolumeStatus: Sendable, Equatable {
    /// The size guests see.
    public var size: ByteCount
    /// Bytes of local disk that home and overlays take.
    public var allocated: ByteCount
    /// Bytes changed since the last cut, in whole blocks: what the next snapshot will read.
    public var dirty: ByteCount
    /// The snapshot that `dirty` counts from, if any.
    public var parent: String?
    /// The snapshot that missing blocks still come from, if any.
    public var source: String?
    /// While hydrating: how much of the source's data is here.
    public var hydrated: ByteCount
    /// While hydrating: how much of it there is; while the source cannot say, no less than that. Zero before the start.
    public var toHydrate: ByteCount
    /// While hydrating: how long the rest will take at the pace so far; nil until that can be said.
    public var hydrationLeft: Duration?
    /// What went wrong last while hydrating, if anything.
    public var hydrationProblem: String?
    /// Was that damage: something of the source that is not there, or not what it should be?
    public var isSourceDamaged: Bool
    /// Snapshots cut but not yet settled, oldest first.
    public var pendingSnapshots: [String]
    /// Bytes in overlays.
    public var overlay: ByteCount
    /// Cuts since the volume was opened.
    public var cuts: CutTally
    /// Did a sync fail? Writes and flushes fail from then on.
    public var isFailed: Bool
}

/// Cuts, and how long their instants took: from holding back those who give snapshots up to the last swap. Of a group,
/// requests are held back during it; of one volume, none are.
public struct CutTally: Sendable, Equatable {
    /// How many.
    public var count = 0
    /// Together.
    public var time = Duration.zero
    /// The longest.
    public var longest = Duration.zero

    mutating func add(_ time: Duration) {
        count += 1
        self.time += time
        longest = max(longest, time)
    }
}
