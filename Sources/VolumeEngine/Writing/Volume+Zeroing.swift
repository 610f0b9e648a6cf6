public import Blocks

extension Volume {
    /// The most that one admitted step of a zero or trim covers, so that a cut never waits long for it.
    private static let stepLimit: ByteCount = .mebibytes(32)
    private static let zeros = AlignedBuffer(count: StripeLocks.chunk.size.bytes)

    /// Writes zeros, by making holes where nothing needs the blocks to be data.
    public func zero(_ range: ByteRange, mayPunch: Bool, durably: Bool) throws(BlockFailure) {
        try checkWritable(range)
        try forEachStep(range) { (step) throws(BlockFailure) in
            if mayPunch, try punchData(in: step) { return }
            try writeZeros(step, takingSpace: !mayPunch)
        }
        if durably { try flush() }
    }

    /// Makes holes where nothing needs the blocks; leaves the rest as it is.
    public func trim(_ range: ByteRange, durably: Bool) throws(BlockFailure) {
        try checkWritable(range)
        try forEachStep(range) { (step) throws(BlockFailure) in
            if try !punchData(in: step) { try trimLayers(step) }
        }
        if durably { try flush() }
    }

    /// Plain volumes: punches what is data. What is a hole already is zero before and after, so it does not count as
    /// changed: a trim of a whole empty disk costs nothing and dirties nothing. False if the volume is not plain.
    private func punchData(in range: ByteRange) throws(BlockFailure) -> Bool {
        var position = range.start
        while position < range.end {
            guard let (home, data) = try nextPlainData(from: position) else { return false }
            guard let data, data < range.end else { return true }
            let end = min(range.end, try home.nextHole(from: data))
            let piece = ByteRange(from: data, to: end)
            let ticket = try admitWrite(piece.touchedBlocks)
            let generation = admission.generation(ticket)
            defer { admission.leave(ticket) }
            guard generation.isPlain else { return false }
            try noting { () throws(BlockFailure) in try generation.home.punch(piece) }
            position = end
        }
        return true
    }

    private func nextPlainData(from position: ByteOffset) throws(BlockFailure) -> ((any DiskFile), ByteOffset?)? {
        let ticket = admission.enter()
        defer { admission.leave(ticket) }
        let generation = admission.generation(ticket)
        guard generation.isPlain else { return nil }
        return (generation.home, try generation.home.nextData(from: position))
    }

    /// Exact zeros: real data where layers or a source would show through a hole.
    private func writeZeros(_ range: ByteRange, takingSpace: Bool) throws(BlockFailure) {
        if takingSpace {
            let ticket = try admitWrite(range.touchedBlocks)
            let generation = admission.generation(ticket)
            defer { admission.leave(ticket) }
            if generation.isPlain {
                do throws(BlockFailure) { return try generation.home.zero(range) } catch {
                    // A file system without that call gets zeros written.
                    if error != .unsupported {
                        note(error)
                        throw error
                    }
                }
            }
        }
        var position = range.start
        while position < range.end {
            let piece = ByteRange(
                from: position, to: min(range.end, Self.chunkEnd(BlockIndex(holding: position)).offset))
            try Self.zeros.read(0..<piece.count.bytes) { (bytes) throws(BlockFailure) in
                try write(piece, from: bytes, durably: false)
            }
            position = piece.end
        }
    }

    /// Volumes with pending cuts: punches chunks that are wholly in home and needed by no snapshot. With a source,
    /// nothing: a hole would bring its blocks back.
    private func trimLayers(_ range: ByteRange) throws(BlockFailure) {
        var position = range.start
        while position < range.end {
            let piece = ByteRange(
                from: position, to: min(range.end, Self.chunkEnd(BlockIndex(holding: position)).offset))
            position = piece.end
            let ticket = try admitWrite(piece.touchedBlocks)
            defer { admission.leave(ticket) }
            let generation = admission.generation(ticket)
            if generation.hydration != nil { return }
            let first = piece.touchedBlocks.start
            locks.lock(first)
            defer { locks.unlock(first) }
            var block = first
            while block < piece.touchedBlocks.end, generation.placementForWrite(block) == .home { block = block + 1 }
            if block == piece.touchedBlocks.end {
                try noting { () throws(BlockFailure) in try generation.home.punch(piece) }
            }
        }
    }

    private func forEachStep(
        _ range: ByteRange, _ body: (ByteRange) throws(BlockFailure) -> Void
    ) throws(BlockFailure) {
        var position = range.start
        while position < range.end {
            let step = ByteRange(from: position, to: min(range.end, position + Self.stepLimit))
            try body(step)
            position = step.end
        }
    }
}
