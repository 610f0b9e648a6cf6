public import Blocks

/// What an upload reads: one pending cut of a volume. The engine's `CutView` has this shape.
///
/// What claims to be unchanged since the parent is read again for the audit; see ``UnchangedBlocks``.
///
/// Calls block and come from several threads at once. `nextChange` and `nextData` answer from memory or the file
/// system's extents and may cut runs short; the next call continues.
public protocol SnapshotContent: UnchangedBlocks {
    /// The volume's size at the cut, a multiple of 512.
    var size: ByteCount { get }

    /// The next run of blocks at or after `block` that may differ from the parent (a superset), or nil. Blocks that
    /// were captured already are still reported. Without a parent: the blocks that may hold data.
    func nextChange(from block: BlockIndex) throws(BlockFailure) -> BlockRange?

    /// The next run of blocks at or after `block` that may be non-zero, or nil.
    func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange?

    /// Fills `target` with the version of the cut. Asked only for blocks of ``nextChange(from:)`` that were not
    /// captured. The bytes of the last block past ``size`` are ignored.
    func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure)

    /// A block among the changes not yet captured that should be captured soon, because writers keep running into its
    /// neighbourhood, or nil for no wish. Only a hint; each call gives the next one.
    func takeHotBlock() -> BlockIndex?

    /// The store acknowledged pack `pack`: its `runs` (ascending) need never be read again. Recorded durably on return.
    /// May be called from several threads, and out of order.
    func captured(pack: Int, runs: [BlockRange]) throws(BlockFailure)

    /// What ``captured(pack:runs:)`` recorded, also before a restart.
    var capturedPacks: [CapturedPack] { get }

    /// Why the volume gave this snapshot up, or nil while it is good. Once not nil, never nil again.
    var brokenReason: String? { get }
}

extension SnapshotContent {
    /// For the audit. By default nothing can be told.
    public func readIfUnchanged(
        _ blocks: BlockRange, into target: inout MutableRawSpan
    ) throws(BlockFailure) -> Bool { false }

    /// By default there is no wish.
    public func takeHotBlock() -> BlockIndex? { nil }
}

/// One pack whose blocks need not be read again.
public struct CapturedPack: Equatable, Sendable {
    /// The pack's number.
    public var number: Int
    /// The blocks it settles, ascending.
    public var runs: [BlockRange]

    /// A pack and its blocks.
    public init(number: Int, runs: [BlockRange]) {
        self.number = number
        self.runs = runs
    }
}
