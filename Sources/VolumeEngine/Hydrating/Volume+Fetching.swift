public import Blocks

extension Volume {
    /// The most that a read fetches at once, and that is written to home in one turn.
    static let fetchLimit = BlockCount(256)

    /// Brings the source's version of `blocks`, rounded out to whole chunks, shows `wanted` of it and keeps it.
    /// No ticket and no lock is held: the source may take its time.
    func fetch(
        _ wanted: ByteRange, from hydration: Hydration, into target: inout MutableRawSpan
    ) throws(BlockFailure) {
        if hydration.isBlind { throw .failed }
        let blocks = Self.chunksAround(wanted.touchedBlocks, below: hydration.end)
        do throws(BlockFailure) { try fetch(wanted, within: blocks, from: hydration, into: &target) } catch {
            // What is damaged may be a neighbour that nobody asked for.
            guard case .corrupt = error, blocks != wanted.touchedBlocks else { throw error }
            try fetch(wanted, within: wanted.touchedBlocks, from: hydration, into: &target)
        }
    }

    private func fetch(
        _ wanted: ByteRange, within blocks: BlockRange, from hydration: Hydration, into target: inout MutableRawSpan
    ) throws(BlockFailure) {
        var buffer = AlignedBuffer(count: blocks.count.size.bytes)
        try buffer.write(0..<buffer.count) { (all) throws(BlockFailure) in try hydration.source.read(blocks, into: &all)
        }
        let start = (wanted.start - blocks.start.offset).bytes
        buffer.read(start..<start + wanted.count.bytes) { target.copy($0, at: 0) }
        // Keeping is a favour: when the disk is full, the reader still has its data.
        try? keep(blocks, of: buffer, at: blocks.start, from: hydration)
    }

    /// Makes every absent block of `runs`, which ascend, present: one read of the source from the first to the last of
    /// them, by way of `buffer`, which has room for that.
    func fetchAll(
        _ runs: [BlockRange], from hydration: Hydration, through buffer: inout AlignedBuffer
    ) throws(BlockFailure) {
        guard let first = runs.first, let last = runs.last else { return }
        let span = BlockRange(from: first.start, to: last.end)
        try buffer.write(0..<span.count.size.bytes) { (all) throws(BlockFailure) in
            try hydration.source.read(span, into: &all)
        }
        Failpoint.hit("hydrate.fetched")
        for run in runs {
            var rest = run
            while !rest.isEmpty {
                // In short turns: a cut waits for whoever is within one.
                let turn = BlockRange(at: rest.start, count: min(rest.count, Self.fetchLimit))
                try keep(turn, of: buffer, at: span.start, from: hydration)
                rest = BlockRange(from: turn.end, to: rest.end)
            }
        }
        // The disk works while the next piece is decoded, not all at once at the end.
        home(of: hydration)?.startWriting(span.bytes)
    }

    private func home(of hydration: Hydration) -> (any DiskFile)? {
        let ticket = admission.enter()
        defer { admission.leave(ticket) }
        let generation = admission.generation(ticket)
        return generation.hydration === hydration ? generation.home : nil
    }

    /// Writes what is still absent of `blocks` to home; `buffer` has the source's blocks from `origin` on. All zeros stay a
    /// hole: asked again, the source knows at once.
    private func keep(
        _ blocks: BlockRange, of buffer: borrowing AlignedBuffer, at origin: BlockIndex, from hydration: Hydration
    ) throws(BlockFailure) {
        let ticket = admission.enter()
        defer { admission.leave(ticket) }
        let generation = admission.generation(ticket)
        // Completed or rolled back meanwhile: these bytes are not this volume's any more.
        guard generation.hydration === hydration else { return }
        for chunk in Chunks(blocks) {
            locks.lock(chunk.start)
            defer { locks.unlock(chunk.start) }
            var rest = chunk
            while let run = hydration.nextAbsent(in: rest, of: generation.home) {
                try keepRun(run, of: buffer, at: origin, hydration, generation)
                rest = BlockRange(from: run.end, to: chunk.end)
            }
        }
    }

    private func keepRun(
        _ run: BlockRange, of buffer: borrowing AlignedBuffer, at origin: BlockIndex, _ hydration: Hydration,
        _ generation: Generation
    ) throws(BlockFailure) {
        let start = (run.start - origin).size.bytes
        try buffer.read(start..<start + run.count.size.bytes) { (bytes) throws(BlockFailure) in
            if bytes.isAllZero { return }
            try bringHome(bytes, run, hydration, generation, durably: false)
        }
    }

    /// Writes whole absent blocks to home and marks them present. Stripe lock held.
    ///
    /// When that fails half way, part of a block may be data now, and data means present: it is made a hole again. If
    /// even that fails, the volume does.
    func bringHome(
        _ bytes: RawSpan, _ run: BlockRange, _ hydration: Hydration, _ generation: Generation, durably: Bool
    ) throws(BlockFailure) {
        precondition(bytes.byteCount == run.count.size.bytes)
        if hydration.isWithdrawn { throw .unavailable }
        if hydration.isBlind { throw .failed }
        do throws(BlockFailure) {
            try generation.home.write(bytes, at: run.start.offset, durably: durably)
        } catch {
            do throws(BlockFailure) { try generation.home.punch(run.bytes) } catch { note(.failed) }
            throw error
        }
        hydration.markPresent(run)
    }

    /// A write that covers part of an absent block fetches the rest first.
    public func mayWaitToWrite(_ range: ByteRange) -> Bool {
        let ticket = admission.enter()
        defer { admission.leave(ticket) }
        let generation = admission.generation(ticket)
        guard let hydration = generation.hydration, !range.isEmpty, range.wholeBlocks != range.touchedBlocks else {
            return false
        }
        let (first, last) = (range.touchedBlocks.start, BlockIndex(range.touchedBlocks.end.number - 1))
        return !hydration.isKnownPresent(first) || !hydration.isKnownPresent(last)
    }

    /// Makes the blocks that a write of `range` covers only partly present, so that the write need not wait inside.
    func fetchPartlyCovered(by range: ByteRange) throws(BlockFailure) {
        let ends = [BlockIndex(holding: range.start), BlockIndex(holding: ByteOffset(range.end.bytes - 1))]
        for block in ends where !range.wholeBlocks.contains(block) {
            let ticket = admission.enter()
            let generation = admission.generation(ticket)
            let hydration = generation.hydration
            let placement = generation.placementForRead(block, layers: generation.cuts.count, locks: locks)
            admission.leave(ticket)
            if let hydration, placement == .absent { try fetchForWriting(block, from: hydration) }
        }
    }

    /// Like ``fetchAll(_:from:)`` for one block, but zeros are written too: the block must be present afterwards.
    private func fetchForWriting(_ block: BlockIndex, from hydration: Hydration) throws(BlockFailure) {
        let blocks = BlockRange(at: block, count: 1)
        var buffer = AlignedBuffer(count: Block.size.bytes)
        try buffer.write(0..<buffer.count) { (all) throws(BlockFailure) in try hydration.source.read(blocks, into: &all)
        }
        let ticket = admission.enter()
        defer { admission.leave(ticket) }
        let generation = admission.generation(ticket)
        guard generation.hydration === hydration else { return }
        locks.lock(block)
        defer { locks.unlock(block) }
        guard hydration.isAbsent(block, in: generation.home) else { return }
        try buffer.read(0..<buffer.count) { (bytes) throws(BlockFailure) in
            try bringHome(bytes, blocks, hydration, generation, durably: false)
        }
    }

    /// The end of the 128 KiB chunk that holds `block`.
    static func chunkEnd(_ block: BlockIndex) -> BlockIndex {
        BlockIndex((block.number / StripeLocks.chunk.count + 1) * StripeLocks.chunk.count)
    }

    private static func chunksAround(_ blocks: BlockRange, below end: BlockIndex) -> BlockRange {
        let chunk = StripeLocks.chunk.count
        let start = BlockIndex(blocks.start.number / chunk * chunk)
        return BlockRange(from: start, to: max(blocks.end, min(end, chunkEnd(BlockIndex(blocks.end.number - 1)))))
    }
}
