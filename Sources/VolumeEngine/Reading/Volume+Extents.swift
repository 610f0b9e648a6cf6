public import Blocks

extension Volume {
    /// The most extents one answer lists.
    private static let extentLimit = 1024

    /// Data and holes. A block of an overlay counts as data; an absent block as its source has it.
    public func allocation(in range: ByteRange) throws(BlockFailure) -> [Extent] {
        guard range.fits(in: size) else { throw .outOfRange }
        return try extents(range) { (position) throws(BlockFailure) in
            try self.nextData(from: position, below: range.end, under: nil)
        }
    }

    /// Changed since the newest cut, whether or not that is uploaded yet.
    public func changes(in range: ByteRange) throws(BlockFailure) -> [Extent]? {
        guard range.fits(in: size) else { throw .outOfRange }
        let ticket = admission.enter()
        defer { admission.leave(ticket) }
        let dirty = admission.generation(ticket).dirty
        return try extents(range) { (position) throws(BlockFailure) in
            dirty.nextRun(from: BlockIndex(holding: position), below: range.touchedBlocks.end)?.bytes
        }
    }

    /// The next run of blocks at or after `block` that may be non-zero, or nil; it may be cut short.
    public func nextAllocated(from block: BlockIndex) throws(BlockFailure) -> BlockRange? {
        let end = ByteOffset(size.bytes)
        guard block.offset < end else { return nil }
        return try nextData(from: block.offset, below: end, under: nil)?.touchedBlocks
    }

    /// Turns "the next set run" into extents that cover `range` exactly.
    private func extents(
        _ range: ByteRange, next: (ByteOffset) throws(BlockFailure) -> ByteRange?
    ) throws(BlockFailure) -> [Extent] {
        var found: [Extent] = []
        var position = range.start
        while position < range.end, found.count < Self.extentLimit {
            let run = try next(position)?.intersection(ByteRange(from: position, to: range.end))
            let start = run?.start ?? range.end
            if start > position { found.append(Extent(ByteRange(from: position, to: start), isSet: false)) }
            if let run { Self.append(run, to: &found) }
            position = run?.end ?? range.end
        }
        return found
    }

    private static func append(_ run: ByteRange, to extents: inout [Extent]) {
        if let last = extents.last, last.isSet, last.range.end == run.start {
            extents[extents.count - 1].range = ByteRange(from: last.range.start, to: run.end)
        } else {
            extents.append(Extent(run, isSet: true))
        }
    }

    /// The next run at or after `start` that may be non-zero, live or as of a cut: the nearest of the overlays' blocks,
    /// home's data and the source's data. Everything outside these runs reads as zeros.
    func nextData(
        from start: ByteOffset, below end: ByteOffset, under cut: Cut?
    ) throws(BlockFailure) -> ByteRange? {
        let (home, overlays, hydration) = try layers(under: cut)
        let first = BlockIndex(holding: start)
        let past = ByteRange(from: 0, to: end).touchedBlocks.end
        var candidates: [ByteRange] = []
        for overlay in overlays {
            if let run = overlay.present.nextRun(from: first, below: past) { candidates.append(run.bytes) }
        }
        if let data = try home.nextData(from: start), data < end {
            candidates.append(ByteRange(from: data, to: min(end, try home.nextHole(from: data))))
        }
        if let hydration, first < hydration.end, let run = try hydration.source.nextData(from: first) {
            candidates.append(run.bytes)
        }
        guard let nearest = candidates.min(by: { $0.start < $1.start }), nearest.start < end else { return nil }
        return nearest.intersection(ByteRange(from: start, to: end))
    }

    /// Strong references to the layers, so that the ticket need not be held while the source is asked.
    private func layers(under cut: Cut?) throws(BlockFailure) -> ((any DiskFile), [Overlay], Hydration?) {
        let ticket = admission.enter()
        defer { admission.leave(ticket) }
        let generation = admission.generation(ticket)
        guard let count = generation.layers(under: cut) else { throw .unavailable }
        return (generation.home, generation.cuts.prefix(count).map(\.overlay), generation.hydration)
    }
}
