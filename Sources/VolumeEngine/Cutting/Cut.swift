internal import Blocks
internal import Synchronization

/// One cut that is pending, or done but not settled yet.
///
/// Life: cut -> sealed (`cut.json` is durable) -> every block captured -> committed (the manifest exists) or given up
/// -> settled (its overlay is part of home) -> gone. Given up means that it freezes nothing any more.
final class Cut: Sendable {
    let epoch: Int
    let snapshot: String
    /// The snapshot that the changes count from; fixed at the instant of the cut.
    var parent: String? { parentName.withLock { $0 } }
    private let parentName: Guarded<String?>
    let size: ByteCount
    /// What changed in the epoch that the cut ended. Static once the epoch has drained.
    let delta: BlockBitmap
    /// Blocks whose pack is durable in the store and recorded in `log`.
    let captured: BlockBitmap
    let overlay: Overlay
    let log: CapturedLog
    /// Blocks that settling has copied to home: writes of them go to both files from then on.
    let mirrored = BlockBitmap()
    let isEverythingDirty: Bool
    /// Where writers are redirected because of this cut.
    let hot = HotRegions()
    private let given = Atomic(false)
    private let committed = Atomic(false)
    private let reason = Guarded<String?>(nil)

    init(
        epoch: Int, snapshot: String, parent: String?, size: ByteCount, delta: BlockBitmap, captured: BlockBitmap,
        overlay: Overlay, log: CapturedLog, isEverythingDirty: Bool
    ) {
        self.epoch = epoch
        self.snapshot = snapshot
        parentName = Guarded(parent)
        self.size = size
        self.delta = delta
        self.captured = captured
        self.overlay = overlay
        self.log = log
        self.isEverythingDirty = isEverythingDirty
    }

    /// Does the snapshot still need the version of `block` that the layers below hold?
    func freezes(_ block: BlockIndex) -> Bool {
        isPending && delta.contains(block) && !captured.contains(block)
    }

    /// The first of `blocks` that is changed and not captured.
    func firstUncaptured(in blocks: BlockRange) -> BlockIndex? {
        var position = blocks.start
        while let run = delta.nextRun(from: position, below: blocks.end) {
            if let gap = captured.nextGap(from: run.start, below: run.end) { return gap.start }
            position = run.end
        }
        return nil
    }

    var isGivenUp: Bool { given.load(ordering: .sequentiallyConsistent) }
    var isCommitted: Bool { committed.load(ordering: .sequentiallyConsistent) }
    var isPending: Bool { !isGivenUp && !isCommitted }
    var givenUpReason: String? { reason.withLock { $0 } }

    /// Before it is published only.
    func count(from parent: String?) { parentName.withLock { $0 = parent } }

    /// Under the lock `giving`, like ``giveUp(_:)``: a cut never comes to both ends.
    func commit() {
        precondition(!isGivenUp, "a cut that was given up is not committed")
        committed.store(true, ordering: .sequentiallyConsistent)
    }
    func giveUp(_ why: String) {
        precondition(!isCommitted, "a committed cut is not given up")
        reason.withLock { $0 = $0 ?? why }
        given.store(true, ordering: .sequentiallyConsistent)
    }
}
