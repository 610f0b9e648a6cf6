public import Blocks

extension Volume {
    /// One `pread` when the volume is plain; else the topmost overlay that holds a block, then home, then the source.
    public func read(_ range: ByteRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        precondition(target.byteCount == range.count.bytes)
        guard range.fits(in: size) else { throw .outOfRange }
        guard !range.isEmpty else { return }
        let ticket = admission.enter()
        let generation = admission.generation(ticket)
        if generation.isPlain {
            defer { admission.leave(ticket) }
            return try generation.home.read(at: range.start, into: &target)
        }
        admission.leave(ticket)
        try readLayers(range, under: nil, into: &target)
    }

    /// Only from memory: false for anything that would wait, and for absent blocks.
    public func readWithoutWaiting(_ range: ByteRange, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool {
        precondition(target.byteCount == range.count.bytes)
        guard range.fits(in: size) else { throw .outOfRange }
        guard !range.isEmpty else { return true }
        let ticket = admission.enter()
        defer { admission.leave(ticket) }
        let generation = admission.generation(ticket)
        if generation.isPlain { return try generation.home.readIfCached(at: range.start, into: &target) }
        var position = range.start
        while position < range.end {
            let (placement, part) = extent(generation, from: position, to: range.end, layers: generation.cuts.count)
            guard let file = generation.file(placement) else { return false }
            let from = (position - range.start).bytes
            let isDone = try target.withPart(from..<from + part.count.bytes) { (span) throws(BlockFailure) in
                try file.readIfCached(at: part.start, into: &span)
            }
            guard isDone else { return false }
            position = part.end
        }
        return true
    }

    /// In home, where no layer hides or freezes it.
    ///
    /// The bytes are sent after the ticket was given back, from the file that was home then. For each block of `range` that
    /// file holds the current version now; later it holds that version still (what a cut redirects goes elsewhere) or one
    /// written since. Each is the version of a moment between this call and the answer, which is all that a read of a live
    /// disk promises for a block that is being written. A file that stops being home stays open while it is sent.
    public func cachedPart(_ range: ByteRange) -> CachedPart? {
        guard range.fits(in: size), !range.isEmpty else { return nil }
        let ticket = admission.enter()
        defer { admission.leave(ticket) }
        let generation = admission.generation(ticket)
        guard generation.isPlain || generation.isInPlace(range.touchedBlocks) else { return nil }
        return generation.home.cachedPart(range)
    }

    /// Reads run by run, each under a ticket of its own: a fetch from the source must not hold up a cut.
    ///
    /// - Parameter cut: read the version of this cut instead of the live one.
    func readLayers(_ range: ByteRange, under cut: Cut?, into target: inout MutableRawSpan) throws(BlockFailure) {
        var position = range.start
        while position < range.end {
            let ticket = admission.enter()
            let generation = admission.generation(ticket)
            guard let layers = generation.layers(under: cut) else {
                admission.leave(ticket)
                throw .unavailable
            }
            let (placement, part) = extent(generation, from: position, to: range.end, layers: layers)
            let from = (position - range.start).bytes
            if let file = generation.file(placement) {
                defer { admission.leave(ticket) }
                try target.withPart(from..<from + part.count.bytes) { (span) throws(BlockFailure) in
                    try file.read(at: part.start, into: &span)
                }
            } else {
                let hydration = generation.hydration
                admission.leave(ticket)
                guard let hydration else { preconditionFailure("absent without a source") }
                try target.withPart(from..<from + part.count.bytes) { (span) throws(BlockFailure) in
                    try fetch(part, from: hydration, into: &span)
                }
            }
            position = part.end
        }
    }

    /// The longest run from `start` with one placement, at most one fetch long.
    private func extent(
        _ generation: Generation, from start: ByteOffset, to end: ByteOffset, layers: Int
    ) -> (Placement, ByteRange) {
        let first = BlockIndex(holding: start)
        let placement = generation.placementForRead(first, layers: layers, locks: locks)
        let last = min(BlockIndex(holding: ByteOffset(end.bytes - 1)), first + Self.fetchLimit)
        var block = first
        while block < last,
            generation.placementForRead(block + 1, layers: layers, locks: locks) == placement
        { block = block + 1 }
        return (placement, ByteRange(from: start, to: min(end, (block + 1).offset)))
    }
}

extension Generation {
    /// The file to read from; nil for an absent block.
    func file(_ placement: Placement) -> (any DiskFile)? {
        switch placement {
        case .home: home
        case .overlay(let position): cuts[position].overlay.file
        case .absent: nil
        case .frozen: preconditionFailure("frozen is a placement of writes")
        }
    }
}
