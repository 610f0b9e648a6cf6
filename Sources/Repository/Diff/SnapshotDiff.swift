public import Blocks

/// What differs between two snapshots. Descends only where their trees differ.
///
/// A superset at 4 KiB grain: a block that was written again with the same content may be reported; a block that
/// differs always is. What lies past the smaller one's size counts as zeros. Thread-safe.
public final class SnapshotDiff: Sendable {
    private let old: FramePointer?
    private let new: FramePointer?
    private let oldReader: SnapshotReader?
    private let newReader: SnapshotReader

    /// Hashes of different keys are never equal: then everything that either one holds is reported.
    init(from old: SnapshotReader?, to new: SnapshotReader) {
        oldReader = old
        newReader = new
        self.old = old?.tree.root
        self.new = new.tree.root
    }

    /// The next run of blocks at or after `block` that may differ, or nil. Runs end at the borders of 8 MiB; ask again.
    public func nextChange(from block: BlockIndex) throws(RepositoryFailure) -> BlockRange? {
        var leaf = max(0, block.number) / Limits.leafBlocks
        while let next = try nextLeaf(from: leaf, old, new, level: Limits.rootLevel, node: 0) {
            for run in try runs(next) where run.end > block {
                return BlockRange(from: max(run.start, block), to: run.end)
            }
            leaf = next.number + 1
        }
        return nil
    }

    /// All of them from `block` on, joined, at most `limit` runs.
    public func ranges(from block: BlockIndex = 0, limit: Int = .max) throws(RepositoryFailure) -> [BlockRange] {
        var found: [BlockRange] = []
        var leaf = max(0, block.number) / Limits.leafBlocks
        while let next = try nextLeaf(from: leaf, old, new, level: Limits.rootLevel, node: 0) {
            for run in try runs(next) where run.end > block {
                let part = BlockRange(from: max(run.start, block), to: run.end)
                if let last = found.last, last.end == part.start {
                    found[found.count - 1].count += part.count
                } else if found.count == limit {
                    return found
                } else {
                    found.append(part)
                }
            }
            leaf = next.number + 1
        }
        return found
    }

    /// Those blocks of `run`, one that ``nextChange(from:)`` gave, whose bytes really differ: reads both snapshots.
    public func confirmed(_ run: BlockRange) throws(RepositoryFailure) -> [BlockRange] {
        var different: [BlockRange] = []
        for number in run.start.number..<run.end.number {
            let block = BlockRange(at: BlockIndex(number), count: 1)
            if try bytes(block, oldReader) != bytes(block, newReader) { different.append(block) }
        }
        return BlockRuns.joined(different)
    }

    private func bytes(_ block: BlockRange, _ reader: SnapshotReader?) throws(RepositoryFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Block.size.bytes)
        guard let reader, block.start.number < BlockCount(covering: reader.size).count else { return bytes }
        do throws(BlockFailure) {
            try bytes.writeBytes { (span) throws(BlockFailure) in try reader.read(block, into: &span) }
        } catch { throw .content(error) }
        return bytes
    }

    /// One leaf of which the two trees have different nodes.
    private struct Pair {
        var number: Int
        var old: FramePointer?
        var new: FramePointer?
    }

    private func nextLeaf(
        from leaf: Int, _ old: FramePointer?, _ new: FramePointer?, level: Int, node: Int
    ) throws(RepositoryFailure) -> Pair? {
        // Equal hashes mean equal nodes, so equal content, wherever they lie.
        if old?.digest == new?.digest { return nil }
        if level == 0 { return Pair(number: node, old: old, new: new) }
        let before = try inner(old, oldReader, level: level, node: node)
        let after = try inner(new, newReader, level: level, node: node)
        let width = TreeShape.leaves(level: level - 1)
        for slot in 0..<Limits.fanout where ((node << 8 | slot) + 1) * width > leaf {
            let (a, b) = (before?.children[slot], after?.children[slot])
            if let found = try nextLeaf(from: leaf, a, b, level: level - 1, node: node << 8 | slot) { return found }
        }
        return nil
    }

    private func inner(
        _ pointer: FramePointer?, _ reader: SnapshotReader?, level: Int, node: Int
    ) throws(RepositoryFailure) -> InnerNode? {
        guard let pointer, let reader else { return nil }
        return try reader.tree.access.inner(pointer, level: level, number: node)
    }

    private func runs(_ pair: Pair) throws(RepositoryFailure) -> [BlockRange] {
        let before = try places(pair.old, oldReader, pair.number)
        let after = try places(pair.new, newReader, pair.number)
        let origin = pair.number * Limits.leafBlocks
        let changed = (0..<Limits.leafBlocks).filter { before[$0] != after[$0] }
        return BlockRuns.joined(changed.map { BlockRange(at: BlockIndex(origin + $0), count: 1) })
    }

    /// What identifies each block's content: its frame's hash and its place there; nil for zeros.
    private struct Place: Equatable {
        var digest: Digest
        var first: Int
    }

    private func places(
        _ pointer: FramePointer?, _ reader: SnapshotReader?, _ number: Int
    ) throws(RepositoryFailure) -> [Place?] {
        var places = [Place?](repeating: nil, count: Limits.leafBlocks)
        guard let pointer, let reader else { return places }
        let leaf = try reader.tree.access.leaf(pointer, number: number)
        for run in leaf.runs {
            for step in 0..<run.count {
                places[run.start + step] = Place(digest: leaf.frames[run.frame].digest, first: run.first + step)
            }
        }
        return places
    }
}
