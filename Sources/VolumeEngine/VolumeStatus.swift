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
    /// While hydrating: how much of the source's data is here, and how much there is.
    public var hydrated: ByteCount
    /// While hydrating: the source's data found so far.
    public var toHydrate: ByteCount
    /// What went wrong last while hydrating, if anything.
    public var hydrationProblem: String?
    /// Snapshots cut but not yet settled, oldest first.
    public var pendingSnapshots: [String]
    /// Bytes in overlays.
    public var overlay: ByteCount
    /// Did a sync fail? Writes and flushes fail from then on.
    public var isFailed: Bool
}
