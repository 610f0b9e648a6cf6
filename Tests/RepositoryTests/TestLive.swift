import Blocks
import Repository

/// A live volume as a model: what it holds, and which blocks it says have changed since the snapshot.
final class TestLive: LiveContent {
    struct State {
        var image: TestImage
        var changed: Set<Int>
        /// Not all here: nothing can be told.
        var isHydrating = false
        var failure: BlockFailure?
        var questions = 0
        /// Called before each read with the blocks asked for: a guest that writes meanwhile.
        var onRead: (@Sendable (BlockRange, inout State) -> Void)?
    }
    let state: Guarded<State>
    let name = "the volume vol-1"

    init(_ image: TestImage, changed: Set<Int> = []) { state = Guarded(State(image: image, changed: changed)) }

    var size: ByteCount { state.withLock { $0.image.size } }

    func nextChange(in blocks: BlockRange) -> BlockRange? {
        state.withLock { state in
            state.questions += 1
            if state.isHydrating { return blocks }
            return (blocks.start.number..<blocks.end.number).first { state.changed.contains($0) }
                .map { BlockRange(at: BlockIndex($0), count: 1) }
        }
    }

    func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? {
        state.withLock { state in
            state.questions += 1
            let next = state.image.blocks.keys.filter { $0 >= block.number }.min()
            return next.map { start in
                var end = start
                while state.image.blocks[end] != nil, end < start + 50 { end += 1 }
                return BlockRange(from: BlockIndex(start), to: BlockIndex(end))
            }
        }
    }

    func readIfUnchanged(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool {
        let (bytes, isUnchanged, failure) = state.withLock { state -> ([[UInt8]], Bool, BlockFailure?) in
            let hook = state.onRead
            hook?(blocks, &state)
            let numbers = blocks.start.number..<blocks.end.number
            let bytes = numbers.map { state.image.blocks[$0] ?? [UInt8](repeating: 0, count: 4096) }
            let isUnchanged = !state.isHydrating && !numbers.contains { state.changed.contains($0) }
            return (bytes, isUnchanged, state.failure)
        }
        if let failure { throw failure }
        for (index, block) in bytes.enumerated() { block.readBytes { target.copy($0, at: index * 4096) } }
        return isUnchanged
    }
}
