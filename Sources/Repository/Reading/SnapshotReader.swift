public import Blocks

/// Reads one committed snapshot. Every byte is checked against the hash chain from the manifest.
///
/// Thread-safe; clones share the repository's frame cache. It needs the snapshot's packs: pin the snapshot in
/// ``Repository/reclaim(_:)`` for as long as a reader of a deleted one lives.
public final class SnapshotReader: BlockSource {
    /// The snapshot.
    public let manifest: Manifest
    let tree: Tree
    private let readAhead = ReadAhead()
    /// A read this long, as a restore's are, fetches nothing ahead and leaves the cache to others: several at once would
    /// fetch each other's blocks.
    private static let bulk = BlockCount(512)

    init(manifest: Manifest, access: PackAccess) {
        self.manifest = manifest
        tree = Tree(root: manifest.root, access: access)
    }

    /// The volume's size at the cut.
    public var size: ByteCount { manifest.size }

    /// What a full copy of it holds.
    public var dataSize: ByteCount? { manifest.fullBytes }

    /// Fills `target`; holes are zeros. See ``BlockSource``.
    public func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        try check(blocks, target.byteCount)
        let isBulk = blocks.count >= SnapshotReader.bulk
        let ahead = isBulk ? 0 : readAhead.blocks(after: blocks)
        do throws(RepositoryFailure) {
            for part in LeafParts(blocks) {
                try read(part, ahead: ahead, keeping: !isBulk, from: blocks.start, into: &target)
            }
        } catch { throw error.blockFailure(at: blocks.start) }
    }

    /// The next run of stored blocks. See ``BlockSource``.
    public func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? {
        do { return try storedRun(from: block) } catch { throw error.blockFailure(at: block) }
    }

    /// Like ``read(_:into:)``, but fills what cannot be read with zeros and returns those ranges, ascending:
    /// the restore mode that skips bad ranges and lists them.
    ///
    /// - Throws: only for what a retry may mend (``BlockFailure/unavailable``).
    public func readSkippingDamage(
        _ blocks: BlockRange, into target: inout MutableRawSpan
    ) throws(BlockFailure) -> [BlockRange] {
        try check(blocks, target.byteCount)
        var damaged: [BlockRange] = []
        for part in LeafParts(blocks) {
            do { try read(part, ahead: 0, keeping: true, from: blocks.start, into: &target) } catch {
                guard case .corrupt = error.blockFailure(at: part.blocks.start) else {
                    throw error.blockFailure(at: part.blocks.start)
                }
                damaged += try readBlockwise(part, from: blocks.start, into: &target)
            }
        }
        return BlockRuns.joined(damaged)
    }

    // MARK: Steps

    private func check(_ blocks: BlockRange, _ byteCount: Int) throws(BlockFailure) {
        guard blocks.start.number >= 0, blocks.count.count >= 0,
            blocks.end.number <= BlockCount(covering: size).count
        else { throw .outOfRange }
        precondition(byteCount == blocks.count.size.bytes, "the target holds exactly the blocks asked for")
    }

    /// Reads blocks of one leaf into their place in `target`, which starts with block `origin`.
    private func read(
        _ part: LeafParts.Part, ahead: Int, keeping: Bool, from origin: BlockIndex, into target: inout MutableRawSpan
    ) throws(RepositoryFailure) {
        var filled = (part.blocks.start - origin).size.bytes
        let end = filled + part.blocks.count.size.bytes
        guard let (_, leaf) = try tree.leaf(part.leaf) else { return target.zero(filled..<end) }
        let pieces = LeafPieces(of: leaf, within: part.blocks)
        let frames = try FrameBatch(access: tree.access, leaf: leaf).load(
            pieces, ahead: ahead, after: part.blocks.end, keeping: keeping)
        for piece in pieces.all {
            guard let plain = frames[piece.frame] else { preconditionFailure("a frame that was asked for is not here") }
            let start = piece.first * Block.size.bytes
            let (at, count) = ((piece.blocks.start - origin).size.bytes, piece.blocks.count.size.bytes)
            // Pieces ascend: a leaf's runs do.
            target.zero(filled..<at)
            target.copy(plain, start..<start + count, to: at)
            filled = at + count
        }
        target.zero(filled..<end)
    }

    private func readBlockwise(
        _ part: LeafParts.Part, from origin: BlockIndex, into target: inout MutableRawSpan
    ) throws(BlockFailure) -> [BlockRange] {
        var damaged: [BlockRange] = []
        for number in part.blocks.start.number..<part.blocks.end.number {
            let one = BlockRange(at: BlockIndex(number), count: 1)
            do {
                try read(
                    LeafParts.Part(leaf: part.leaf, blocks: one), ahead: 0, keeping: true, from: origin, into: &target)
            } catch {
                guard case .corrupt = error.blockFailure(at: one.start) else { throw error.blockFailure(at: one.start) }
                let start = (one.start - origin).size.bytes
                target.zero(start..<start + Block.size.bytes)
                damaged.append(one)
            }
        }
        return damaged
    }

    /// What a tree says beyond the snapshot's size is nobody's.
    private func storedRun(from block: BlockIndex) throws(RepositoryFailure) -> BlockRange? {
        let end = BlockIndex(0) + BlockCount(covering: size)
        guard let run = try treeRun(from: block), run.start < end else { return nil }
        return BlockRange(from: run.start, to: min(run.end, end))
    }

    private func treeRun(from block: BlockIndex) throws(RepositoryFailure) -> BlockRange? {
        var leafNumber = max(0, block.number) / Limits.leafBlocks
        while let next = try tree.nextLeaf(from: leafNumber) {
            if let (_, leaf) = try tree.leaf(next) {
                let origin = next * Limits.leafBlocks
                let runs = leaf.runs.map { BlockRange(at: BlockIndex(origin + $0.start), count: BlockCount($0.count)) }
                for run in BlockRuns.joined(runs) where run.end > block {
                    return BlockRange(from: max(run.start, block), to: run.end)
                }
            }
            leafNumber = next + 1
        }
        return nil
    }
}

/// Splits a run of blocks at the borders of leaves.
struct LeafParts: Sequence, IteratorProtocol {
    struct Part {
        var leaf: Int
        var blocks: BlockRange
    }
    private var rest: BlockRange

    init(_ blocks: BlockRange) { rest = blocks }

    mutating func next() -> Part? {
        guard !rest.isEmpty else { return nil }
        let leaf = rest.start.number / Limits.leafBlocks
        let end = Swift.min(rest.end, BlockIndex((leaf + 1) * Limits.leafBlocks))
        defer { rest = BlockRange(from: end, to: rest.end) }
        return Part(leaf: leaf, blocks: BlockRange(from: rest.start, to: end))
    }
}

/// Where the stored blocks of part of a leaf lie.
struct LeafPieces {
    struct Piece {
        var blocks: BlockRange
        var frame: Int
        /// The piece's first block, within the frame.
        var first: Int
    }
    let all: [Piece]

    init(of leaf: Leaf, within blocks: BlockRange) {
        let origin = leaf.number * Limits.leafBlocks
        all = leaf.runs.compactMap { run in
            let place = BlockRange(at: BlockIndex(origin + run.start), count: BlockCount(run.count))
            guard let part = place.intersection(blocks) else { return nil }
            return Piece(blocks: part, frame: run.frame, first: run.first + (part.start - place.start).count)
        }
    }
}
