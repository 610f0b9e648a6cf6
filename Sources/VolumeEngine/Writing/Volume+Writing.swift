public import Blocks
internal import Synchronization

extension Volume {
    /// Writes in place when nothing needs the old version, else by block (see ``Placement``).
    ///
    /// The blocks are in the epoch's map before any byte moves (G6), and the request holds its ticket until the kernel
    /// has the bytes (G1, G4).
    public func write(_ range: ByteRange, from source: RawSpan, durably: Bool) throws(BlockFailure) {
        precondition(source.byteCount == range.count.bytes)
        try checkWritable(range)
        guard !range.isEmpty else { return }
        while true {
            let ticket = try admitWrite(range.touchedBlocks)
            let generation = admission.generation(ticket)
            if generation.isPlain {
                defer { admission.leave(ticket) }
                return try noting { () throws(BlockFailure) in
                    try generation.home.write(source, at: range.start, durably: durably)
                }
            }
            let isDone: Bool
            do { isDone = try writeLayers(generation, range, source, durably) } catch {
                admission.leave(ticket)
                note(error)
                // Overlays may be what fills the disk: settling them gives space back to the guest's next writes.
                if error == .noSpace { _ = giveUpPending("the disk is full") }
                throw error
            }
            admission.leave(ticket)
            if isDone { return }
            try fetchPartlyCovered(by: range)
        }
    }

    func checkWritable(_ range: ByteRange) throws(BlockFailure) {
        if isFailed { throw .failed }
        guard range.fits(in: size) else { throw .outOfRange }
    }

    /// Counts a writer in, with its blocks marked as changed in the epoch that it is counted in.
    ///
    /// The second look at the number comes after the bits: a writer whose epoch was cut meanwhile starts over, and the
    /// bits it leaves behind only make the superset larger.
    func admitWrite(_ blocks: BlockRange) throws(BlockFailure) -> Admission.Ticket {
        while true {
            let ticket = admission.enter(writing: true)
            do { try admission.generation(ticket).dirty.insert(blocks) } catch {
                admission.leave(ticket)
                // No room even for the marks: snapshots give way before the guest does (G7).
                note(error)
                if error == .noSpace { _ = giveUpPending("the disk is full") }
                throw error
            }
            if admission.isCurrent(ticket) { return ticket }
            admission.leave(ticket)
        }
    }

    /// Writes chunk by chunk. False: a partly covered block is absent and must be fetched first; nothing of that
    /// block was written, and the caller repeats the whole request.
    private func writeLayers(
        _ generation: Generation, _ range: ByteRange, _ source: RawSpan, _ durably: Bool
    ) throws(BlockFailure) -> Bool {
        var position = range.start
        while position < range.end {
            let block = BlockIndex(holding: position)
            let piece = ByteRange(from: position, to: min(range.end, Self.chunkEnd(block).offset))
            let from = (position - range.start).bytes
            let bytes = source.extracting(from..<from + piece.count.bytes)
            if generation.isInPlace(piece.touchedBlocks) {
                try generation.home.write(bytes, at: piece.start, durably: durably)
            } else {
                if piece.wholeBlocks != piece.touchedBlocks { waitForPreviousEpoch(generation) }
                guard try writeChunk(generation, piece, bytes, durably) else { return false }
            }
            position = piece.end
        }
        return true
    }

    /// A partial write that redirects copies the rest of its block; a write of the previous epoch still in flight may
    /// be changing that rest, and its bytes would be lost. Those writers never wait for this one.
    private func waitForPreviousEpoch(_ generation: Generation) {
        var wait = Backoff()
        while !generation.isDrained { wait.pause() }
    }

    private func writeChunk(
        _ generation: Generation, _ piece: ByteRange, _ bytes: RawSpan, _ durably: Bool
    ) throws(BlockFailure) -> Bool {
        let first = BlockIndex(holding: piece.start)
        locks.lock(first)
        defer { locks.unlock(first) }
        var position = piece.start
        while position < piece.end {
            let block = BlockIndex(holding: position)
            let placement = generation.placementForWrite(block)
            var end = min(piece.end, (block + 1).offset)
            let isWhole = position == block.offset && end == (block + 1).offset
            if isWhole {
                while (BlockIndex(holding: end) + 1).offset <= piece.end,
                    generation.placementForWrite(BlockIndex(holding: end)) == placement
                { end = (BlockIndex(holding: end) + 1).offset }
            }
            let from = (position - piece.start).bytes
            let part = ByteRange(from: position, to: end)
            let partBytes = bytes.extracting(from..<from + part.count.bytes)
            // Absent is decided once: looked at again, the block may be present, because the restore has just ended.
            if !isWhole, placement == .absent || placement == .frozen && generation.isMissing(block) { return false }
            if try place(generation, part, partBytes, at: placement, isWhole: isWhole, durably) { position = end }
        }
        return true
    }

    /// Writes bytes that all have the same placement. False: an overlay could not take them, the pending snapshots
    /// were given up, and the placement must be found again.
    private func place(
        _ generation: Generation, _ part: ByteRange, _ bytes: RawSpan, at placement: Placement, isWhole: Bool,
        _ durably: Bool
    ) throws(BlockFailure) -> Bool {
        switch placement {
        case .home:
            try generation.home.write(bytes, at: part.start, durably: durably)
        case .absent:
            guard isWhole, let hydration = generation.hydration else {
                preconditionFailure("absent, yet partly written")
            }
            try bringHome(bytes, part.touchedBlocks, hydration, generation, durably: durably)
        case .overlay(let position):
            let cut = generation.cuts[position]
            try cut.overlay.write(bytes, at: part.start, durably: durably)
            if cut.mirrored.nextRun(from: part.touchedBlocks.start, below: part.touchedBlocks.end) != nil {
                // Settling copies whole chunks under this lock, so either all of these blocks are mirrored or none.
                try generation.home.write(bytes, at: part.start, durably: durably)
            }
        case .frozen:
            return try redirect(generation, part, bytes, isWhole: isWhole, durably)
        }
        return true
    }

    /// Why no more may go into overlays: their quota, or a disk that is nearly full, which is looked at every few MiB.
    private func shortage(_ generation: Generation, adding blocks: BlockCount) -> String? {
        let pending = generation.cuts.reduce(ByteCount.zero) { $1.isPending ? $0 + $1.overlay.size : $0 }
        if pending + blocks.size > overlayQuota { return "the overlay quota of \(overlayQuota.bytes) bytes is used up" }
        let before = redirected.add(blocks.count, ordering: .relaxed).oldValue
        guard before / Self.looksEvery != (before + blocks.count) / Self.looksEvery else { return nil }
        guard let free = try? environment.disk.freeSpace(paths.directory), free < environment.freeSpaceFloor else {
            return nil
        }
        let reason = "the disk has only \(free.bytes) bytes left"
        giveUpAside(reason)
        return reason
    }
    private static let looksEvery = 1024

    /// Puts whole new versions of frozen blocks into the newest overlay.
    private func redirect(
        _ generation: Generation, _ part: ByteRange, _ bytes: RawSpan, isWhole: Bool, _ durably: Bool
    ) throws(BlockFailure) -> Bool {
        guard let newest = generation.cuts.last else { preconditionFailure("frozen without a cut") }
        let blocks = part.touchedBlocks
        if let reason = shortage(generation, adding: blocks.count), giveUpPending(reason) { return false }
        generation.noteRedirect(of: blocks.start)
        do {
            if isWhole {
                try newest.overlay.add(blocks, from: bytes, durably: durably)
            } else {
                try addMerged(generation, part, bytes, to: newest, durably)
            }
            return true
        } catch .noSpace {
            giveUpAside("the disk is full")
            // Another writer may have given them up just now: then this block is not frozen any more, and has its place.
            guard giveUpPending("the disk is full") || generation.placementForWrite(blocks.start) != .frozen else {
                throw .noSpace
            }
            return false
        }
    }

    /// A partial write of a frozen block: the current version with the new bytes over it, as one whole write.
    /// The block is here: ``writeChunk`` has sent a write of a missing one back to fetch it first.
    private func addMerged(
        _ generation: Generation, _ part: ByteRange, _ bytes: RawSpan, to newest: Cut, _ durably: Bool
    ) throws(BlockFailure) {
        let block = BlockIndex(holding: part.start)
        var whole = AlignedBuffer(count: Block.size.bytes)
        let file = generation.cuts.last { $0.overlay.present.contains(block) }?.overlay.file ?? generation.home
        try whole.write(0..<whole.count) { (all) throws(BlockFailure) in try file.read(at: block.offset, into: &all) }
        let start = (part.start - block.offset).bytes
        whole.write(start..<start + part.count.bytes) { $0.copy(bytes, at: 0) }
        try whole.read(0..<whole.count) { (all) throws(BlockFailure) in
            try newest.overlay.add(BlockRange(at: block, count: 1), from: all, durably: durably)
        }
    }
}
