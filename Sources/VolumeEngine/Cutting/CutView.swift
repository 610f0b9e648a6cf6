public import Blocks

/// A pending cut as the one who uploads it sees it. Calls may come from any thread.
public final class CutView: Sendable {
    /// The volume that holds the content, open or closed. It may not be the one that the snapshot was taken of: see
    /// ``Volume/setAside``.
    public let volume: Volume
    let cut: Cut

    init(_ volume: Volume, _ cut: Cut) {
        self.volume = volume
        self.cut = cut
    }

    /// The snapshot being taken.
    public var snapshot: String { cut.snapshot }
    /// The snapshot that the changes count from; nil: from an empty volume.
    public var parent: String? { cut.parent }
    /// The volume's size at the cut.
    public var size: ByteCount { cut.size }
    /// Why the engine gave the snapshot up, if it did. Whoever uploads asks after each read and before the commit.
    public var givenUpReason: String? { cut.isGivenUp ? cut.givenUpReason ?? "given up" : nil }
    /// Packs recorded so far, also from before a restart.
    public var capturedPacks: [CapturedPack] { cut.log.packs }
    private var end: BlockIndex { BlockIndex(0) + BlockCount(covering: cut.size) }

    /// The next run of blocks at or after `block` that may have changed since the parent, captured or not.
    public func nextChange(from block: BlockIndex) throws(BlockFailure) -> BlockRange? {
        cut.delta.nextRun(from: block, below: end)
    }

    /// The next run of blocks at or after `block` that may be non-zero in this version. Only for blocks that are
    /// changed and not captured does the answer hold until they are captured.
    public func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? {
        guard block < end else { return nil }
        let found = try volume.nextData(from: block.offset, below: end.offset, under: cut)
        return found?.touchedBlocks
    }

    /// The cut's version of `blocks`, which must all be changed and not yet captured.
    ///
    /// - Throws: ``BlockFailure/unavailable`` if the snapshot was given up, now or while reading.
    public func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        precondition(blocks.end <= end && target.byteCount == blocks.count.size.bytes)
        try volume.readLayers(blocks.bytes, under: cut, into: &target)
        // Giving up comes before the first in-place write: not given up now means that what was read was the cut's.
        if cut.isGivenUp { throw .unavailable }
    }

    /// Like ``read(_:into:)``, for one block that a clone asks for: false if it is not the cut's to give (unchanged,
    /// captured, or given up), and then someone else has it.
    public func readIfFrozen(_ block: BlockIndex, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool {
        guard cut.freezes(block) else { return false }
        do {
            try volume.readLayers(BlockRange(at: block, count: 1).bytes, under: cut, into: &target)
        } catch .unavailable { return false }
        return cut.freezes(block)
    }

    /// For the audit: the content of blocks that claim to be unchanged since the parent. False if they are changed after
    /// all, were written meanwhile, or are not here; the bytes then mean nothing.
    public func readIfUnchanged(
        _ blocks: BlockRange, into target: inout MutableRawSpan
    ) throws(BlockFailure) -> Bool {
        guard blocks.end <= end else { return false }
        return try volume.readIfUnmarked(blocks, into: &target) { mapsSinceParent }
    }

    /// Every map since the cut before this one; nil if blocks may be absent, or this cut is settled or given up.
    private var mapsSinceParent: [BlockBitmap]? {
        let ticket = volume.admission.enter()
        defer { volume.admission.leave(ticket) }
        let generation = volume.admission.generation(ticket)
        guard generation.hydration == nil, !cut.isGivenUp,
            let position = generation.cuts.firstIndex(where: { $0 === cut })
        else { return nil }
        return generation.cuts[position...].map(\.delta) + [generation.dirty]
    }

    /// Records that the store has acknowledged `pack` with these blocks: durably, and only then are they free to be
    /// written in place.
    public func captured(pack: Int, runs: [BlockRange]) throws(BlockFailure) {
        try cut.log.append(CapturedPack(pack: pack, runs: runs))
        Failpoint.hit("capture.recorded")
        for run in runs { try cut.captured.insert(run) }
    }

    /// Has every changed block been captured (or found to need no pack)?
    public var isWhollyCaptured: Bool { cut.firstUncaptured(in: BlockRange(from: 0, to: end)) == nil }

    /// The first block of the 8 MiB in which writers had to go around most blocks of this cut, of those with something
    /// left to capture; nil if there is none. Asking again gives the next, and the same only after more such writes.
    public func takeHotBlock() -> BlockIndex? {
        while let region = cut.hot.take() {
            let inside = BlockRange(from: region.start, to: min(region.end, end))
            if cut.firstUncaptured(in: inside) != nil { return region.start }
        }
        return nil
    }
}
