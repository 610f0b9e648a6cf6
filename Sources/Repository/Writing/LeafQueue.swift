internal import Blocks

/// Which leaves an upload must visit: those with a change where this snapshot or its parent has data. First those that
/// the content wants captured soon, then by offset.
///
/// Each leaf is handed out exactly once: what was handed out, or needs no visit, is below `next` or in `early`; what is
/// neither is still to come.
///
/// The cost follows the data: of a 64 TiB volume all marked as changed, only what holds something is visited.
final class LeafQueue: Sendable {
    private struct State {
        /// Everything below this is dealt with.
        var next = 0
        /// Leaves past that which were handed out before their turn.
        var early: Set<Int> = []
        /// Leaves to visit even if nothing changed in them (blocks captured before a restart, damaged frames), ascending.
        var uploaded: [Int]

        func isDone(_ leaf: Int) -> Bool { leaf < next || early.contains(leaf) }
    }
    private let state: Guarded<State>
    private let content: any SnapshotContent
    private let parent: Tree
    private let parentSize: ByteCount

    init(content: any SnapshotContent, parent: Tree, parentSize: ByteCount, uploaded: [Int]) {
        self.content = content
        self.parent = parent
        self.parentSize = parentSize
        state = Guarded(State(uploaded: uploaded))
    }

    private var leafCount: Int {
        (BlockCount(covering: content.size).count + Limits.leafBlocks - 1) / Limits.leafBlocks
    }

    /// The next leaf to visit, or nil when there is none.
    func take() throws(RepositoryFailure) -> Int? {
        try state.withLock { state throws(RepositoryFailure) -> Int? in
            if let leaf = try takeHot(&state) { return leaf }
            while let leaf = try find(&state) {
                precondition(leaf >= state.next, "leaves go forward")
                state.next = leaf + 1
                if state.early.remove(leaf) == nil { return leaf }
            }
            return nil
        }
    }

    /// Wishes looked at for one leaf: what is on its way to the store already may be wished for once more.
    private static let wishes = 64

    private func takeHot(_ state: inout State) throws(RepositoryFailure) -> Int? {
        for _ in 0..<LeafQueue.wishes {
            guard let block = content.takeHotBlock() else { return nil }
            let leaf = block.number / Limits.leafBlocks
            guard !state.isDone(leaf), try nextChanged(from: leaf, below: leaf + 1) != nil else { continue }
            let isNew = state.early.insert(leaf).inserted
            precondition(isNew, "a leaf is handed out once")
            return leaf
        }
        return nil
    }

    private func find(_ state: inout State) throws(RepositoryFailure) -> Int? {
        while let captured = state.uploaded.first, captured < state.next { state.uploaded.removeFirst() }
        var found = try nextChanged(from: state.next, below: leafCount)
        if let captured = state.uploaded.first { found = min(found ?? captured, captured) }
        if content.size < parentSize { found = earlier(found, try nextDropped(from: state.next)) }
        return found
    }

    private func earlier(_ a: Int?, _ b: Int?) -> Int? {
        guard let a, let b else { return a ?? b }
        return min(a, b)
    }

    private func nextChanged(from leaf: Int, below limit: Int) throws(RepositoryFailure) -> Int? {
        let end = min(BlockIndex(BlockCount(covering: content.size).count), BlockIndex(limit * Limits.leafBlocks))
        var block = BlockIndex(leaf * Limits.leafBlocks)
        while block < end {
            guard let change = try asked({ () throws(BlockFailure) in try content.nextChange(from: block) }),
                change.start < end
            else { return nil }
            let data = try asked { () throws(BlockFailure) in try content.nextData(from: change.start) }
            let parentLeaf = try parent.nextLeaf(from: change.start.number / Limits.leafBlocks)
            var candidates: [BlockIndex] = []
            if let data { candidates.append(max(change.start, data.start)) }
            if let parentLeaf { candidates.append(max(change.start, BlockIndex(parentLeaf * Limits.leafBlocks))) }
            guard let first = candidates.min(), first < end else { return nil }
            if change.contains(first) { return first.number / Limits.leafBlocks }
            block = first
        }
        return nil
    }

    /// The parent was larger: its leaves past the end go, and the one at the end is trimmed.
    private func nextDropped(from leaf: Int) throws(RepositoryFailure) -> Int? {
        try parent.nextLeaf(from: max(leaf, content.size.bytes / (Limits.leafBlocks * Block.size.bytes)))
    }

    private func asked<R>(_ body: () throws(BlockFailure) -> R) throws(RepositoryFailure) -> R {
        do { return try body() } catch { throw .content(error) }
    }

    /// Changed blocks that hold data, in bytes: what there is to capture.
    func total() throws(RepositoryFailure) -> Int {
        let end = BlockIndex(BlockCount(covering: content.size).count)
        var (block, total) = (BlockIndex(0), 0)
        while block < end {
            guard let change = try asked({ () throws(BlockFailure) in try content.nextChange(from: block) }),
                let data = try asked({ () throws(BlockFailure) in try content.nextData(from: change.start) })
            else { break }
            if let both = change.intersection(data) {
                total += min(both.end, end) > both.start ? (min(both.end, end) - both.start).size.bytes : 0
                block = both.end
            } else {
                block = max(change.start, data.start)
                if change.end <= data.start { block = data.start }
            }
        }
        return total
    }
}
