internal import Blocks

/// Does the work of one thread of an upload, leaf by leaf: read, compare, compress, hash, hand to the packs.
final class LeafWorker {
    private let upload: Upload
    private let coder: FrameCoder
    /// The leaf's blocks that were read, each in its place.
    private var buffer = AlignedBuffer(count: Limits.leafBlocks * Block.size.bytes)
    /// Bytes a worker holds: the buffer and the encoded frames of one leaf.
    static let memory = 2 * Limits.leafBlocks * Block.size.bytes + (1 << 20)

    init(_ upload: Upload) {
        self.upload = upload
        coder = FrameCoder(level: upload.options.compressionLevel)
    }

    /// Works until there are no more leaves.
    func run() throws(RepositoryFailure) {
        while let number = try upload.leaves.take() {
            try upload.checkGood()
            try process(number)
        }
    }

    private func process(_ number: Int) throws(RepositoryFailure) {
        let count = BlockCount(covering: upload.content.size).count - number * Limits.leafBlocks
        var state = LeafState(number: number, count: max(0, min(Limits.leafBlocks, count)))
        let old = try upload.parentTree.leaf(number)
        try markChanges(&state)
        state.apply(try upload.uploaded.facts(of: number))
        let marked = state.fates.count { $0 == .pending }
        try readPending(&state)
        if let parent = old?.leaf {
            try ParentComparison(
                parent: parent, access: upload.access, distrusted: upload.options.distrusted
            ).run(&state, buffer)
            try rescue(&state, parent)
            try trimEnd(&state, parent)
            try tidy(&state, parent)
        }
        let stored = try store(state, marked: marked)
        let new = LeafAssembly(state, parent: old?.leaf, stored: stored).leaf()
        try finish(state, old, new)
    }

    // MARK: Steps

    private func markChanges(_ state: inout LeafState) throws(RepositoryFailure) {
        let blocks = state.blocks
        let content = upload.content
        try eachRun(of: blocks, { (block) throws(BlockFailure) in try content.nextChange(from: block) }) { run in
            state.mark(run) { _ in .zero }
        }
        try eachRun(of: blocks, { (block) throws(BlockFailure) in try content.nextData(from: block) }) { run in
            state.mark(run) { $0 == .zero ? .pending : $0 }
        }
    }

    private func eachRun(
        of blocks: BlockRange, _ next: (BlockIndex) throws(BlockFailure) -> BlockRange?, _ body: (BlockRange) -> Void
    ) throws(RepositoryFailure) {
        var block = blocks.start
        while block < blocks.end {
            let found: BlockRange?
            do { found = try next(block) } catch { throw upload.contentFailure(error) }
            guard let found, found.start < blocks.end else { return }
            precondition(found.end > block, "runs go forward")
            body(found)
            block = found.end
        }
    }

    /// Reads what may hold data; what turns out to be zero is marked so, unless zeros are wanted.
    private func readPending(_ state: inout LeafState) throws(RepositoryFailure) {
        let size = Block.size.bytes
        let content = upload.content
        for run in state.runs([.pending], limit: 8 * Limits.frameBlocks) {
            try upload.checkGood()
            let blocks = BlockRange(at: state.origin + BlockCount(run.lowerBound), count: BlockCount(run.count))
            do throws(BlockFailure) {
                try buffer.write(run.lowerBound * size..<run.upperBound * size) { (span) throws(BlockFailure) in
                    try content.read(blocks, into: &span)
                    let beyond = blocks.bytes.end.bytes - content.size.bytes
                    if beyond > 0 { span.zero(span.byteCount - beyond..<span.byteCount) }
                }
            } catch { throw upload.contentFailure(error) }
            guard !upload.options.keepsZeros else { continue }
            for index in run where buffer.read(index * size..<(index + 1) * size, { $0.isAllZero }) {
                state.fates[index] = .zero
            }
        }
    }

    /// Blocks that did not change, but whose frames in the parent are damaged: stored anew while the volume still has
    /// them, so that the damage is not inherited. What was written over meanwhile stays with its damaged frame.
    private func rescue(_ state: inout LeafState, _ parent: Leaf) throws(RepositoryFailure) {
        let size = Block.size.bytes
        for run in parent.runs {
            let blocks = BlockRange(at: state.origin + BlockCount(run.start), count: BlockCount(run.count))
            for part in upload.options.distrusted.compactMap({ $0.intersection(blocks) }) {
                for number in part.start.number..<part.end.number {
                    let index = number - state.origin.number
                    let one = BlockRange(at: BlockIndex(number), count: 1)
                    // A volume's last block may be cut short; its tail is nobody's.
                    guard index < state.count, state.fates[index] == .kept, one.bytes.fits(in: upload.content.size),
                        let bytes = try unchanged(one)
                    else { continue }
                    buffer.write(index * size..<(index + 1) * size) { $0.copy(bytes, 0..<size, to: 0) }
                    state.fates[index] = .rewritten
                }
            }
        }
    }

    private func unchanged(_ blocks: BlockRange) throws(RepositoryFailure) -> [UInt8]? {
        do { return try upload.content.unchanged(blocks) } catch {
            if case .content(let failure) = error { throw upload.contentFailure(failure) }
            throw error
        }
    }

    /// A smaller volume than the parent that ends within a block: what lay past the end must not come back.
    private func trimEnd(_ state: inout LeafState, _ parent: Leaf) throws(RepositoryFailure) {
        let size = upload.content.size
        guard size < upload.parentSize, !size.isMultiple(of: Block.size),
            state.blocks.end == BlockIndex(BlockCount(covering: size).count),
            let last = state.fates.indices.prefix(state.count).last, state.fates[last] == .kept
        else { return }
        try load(parent, &state) { $0 == last }
        let tail = size.bytes % Block.size.bytes
        buffer.write((last + 1) * Block.size.bytes - (Block.size.bytes - tail)..<(last + 1) * Block.size.bytes) {
            $0.zero(0..<$0.byteCount)
        }
    }

    /// Stores a leaf whole when its frames are mostly dead, within this snapshot's allowance for that.
    private func tidy(_ state: inout LeafState, _ parent: Leaf) throws(RepositoryFailure) {
        let kept = parent.runs.reduce(0) { sum, run in
            sum + (0..<run.count).count { isKept(run.start + $0, state) }
        }
        let isTouched = state.fates.contains(.pending) || state.fates.contains(.zero) || state.fates.contains(.uploaded)
        guard isTouched, kept > 0, upload.tidying.allows(parent, keptBlocks: kept) else { return }
        let before = state
        try load(parent, &state) { isKept($0, before) }
    }

    private func isKept(_ index: Int, _ state: LeafState) -> Bool {
        index < state.count && (state.fates[index] == .kept || state.fates[index] == .same)
    }

    /// Fetches blocks from the parent's frames, to be stored again. A damaged frame stays where it is.
    private func load(
        _ parent: Leaf, _ state: inout LeafState, _ wanted: (Int) -> Bool
    ) throws(RepositoryFailure) {
        let size = Block.size.bytes
        var frames: [Int: [UInt8]?] = [:]
        for run in parent.runs {
            for step in 0..<run.count where wanted(run.start + step) {
                let index = run.start + step
                if frames[run.frame] == nil { frames[run.frame] = try frame(parent.frames[run.frame]) }
                guard case .some(.some(let plain)) = frames[run.frame] else { continue }
                buffer.write(index * size..<(index + 1) * size) { span in
                    span.copy(plain, (run.first + step) * size..<(run.first + step + 1) * size, to: 0)
                }
                state.fates[index] = .rewritten
            }
        }
    }

    private func frame(_ pointer: FramePointer) throws(RepositoryFailure) -> [UInt8]? {
        do { return try upload.access.plain(of: pointer, blocks: nil) } catch {
            if case .corrupt = error { return nil }
            throw error
        }
    }

    /// Encodes what must be stored and hands it to the packs.
    private func store(
        _ state: LeafState, marked: Int
    ) throws(RepositoryFailure) -> [(frame: FramePointer, blocks: [Int])] {
        let wanted = (0..<state.count).filter { state.fates[$0] == .pending || state.fates[$0] == .rewritten }
        var stored: [UInt8] = []
        var frames: [EncodedFrame] = []
        var groups: [[Int]] = []
        for start in stride(from: 0, to: wanted.count, by: Limits.frameBlocks) {
            let group = Array(wanted[start..<min(wanted.count, start + Limits.frameBlocks)])
            frames.append(encode(group, state, onto: &stored))
            groups.append(group)
        }
        // What an earlier run settled is in its packs' footers already.
        let isNew = { (index: Int) in state.uploaded.places.isEmpty || state.uploaded.places[index] == .unknown }
        let zero = LeafWorker.joined(state, (0..<state.count).filter { state.fates[$0] == .zero && isNew($0) })
        let same = LeafWorker.joined(state, (0..<state.count).filter { state.fates[$0] == .same && isNew($0) })
        guard !frames.isEmpty || !zero.isEmpty || !same.isEmpty else { return [] }
        let pointers = try upload.sink.append(frames, stored, zero: zero, same: same, marked: marked)
        return zip(pointers, groups).map { ($0, $1) }
    }

    private func encode(_ group: [Int], _ state: LeafState, onto stored: inout [UInt8]) -> EncodedFrame {
        let size = Block.size.bytes
        let start = stored.count
        let isContiguous = group[group.count - 1] - group[0] == group.count - 1
        let (codec, digest): (FrameCodec, Digest)
        if isContiguous {
            (codec, digest) = buffer.read(group[0] * size..<(group[0] + group.count) * size) { plain in
                (coder.encode(plain, onto: &stored), upload.access.digest(of: plain))
            }
        } else {
            var plain: [UInt8] = []
            plain.reserveCapacity(group.count * size)
            for index in group { buffer.read(index * size..<(index + 1) * size) { plain.append(copying: $0) } }
            codec = plain.readBytes { coder.encode($0, onto: &stored) }
            digest = plain.readBytes(0..<plain.count) { upload.access.digest(of: $0) }
        }
        return EncodedFrame(
            place: start..<stored.count, plainLength: group.count * size, codec: upload.access.codec(codec),
            digest: digest,
            what: .data(leaf: state.number, blocks: LeafWorker.joined(state, group)),
            captured: LeafWorker.joined(state, group.filter { state.fates[$0] == .pending }))
    }

    private static func joined(_ state: LeafState, _ indexes: [Int]) -> [BlockRange] {
        BlockRuns.joined(indexes.map { BlockRange(at: state.origin + BlockCount($0), count: 1) })
    }

    /// Stores the new leaf's node, unless it is the parent's, and keeps the books.
    private func finish(
        _ state: LeafState, _ old: (pointer: FramePointer, leaf: Leaf)?, _ new: Leaf?
    ) throws(RepositoryFailure) {
        let zeroed = old.map { old in
            old.leaf.runs.reduce(0) { sum, run in
                sum
                    + (0..<run.count).count {
                        run.start + $0 >= state.count || state.fates[run.start + $0] == .zero
                    }
            }
        }
        let written = (0..<state.count).count { state.fates[$0] == .pending || state.fates[$0] == .uploaded }
        guard new != old?.leaf else { return }
        var pointer: FramePointer?
        if let new {
            pointer = try upload.putNode(new.encoded(), .node(level: 0, number: state.number), coder)
        }
        upload.record(state.number, pointer) { ledger in
            ledger.replace(old?.leaf, with: new)
            if let old { ledger.drop(old.pointer) }
            if let pointer { ledger.add(pointer) }
            ledger.changedBlocks += written + (zeroed ?? 0)
        }
    }
}
