internal import Blocks

/// A run of blocks in parts that lie in one chunk each, and so have one stripe lock each.
struct Chunks: Sequence, IteratorProtocol {
    private var rest: BlockRange

    init(_ blocks: BlockRange) { rest = blocks }

    mutating func next() -> BlockRange? {
        guard !rest.isEmpty else { return nil }
        let chunk = BlockRange(from: rest.start, to: Swift.min(rest.end, Volume.chunkEnd(rest.start)))
        rest = BlockRange(from: chunk.end, to: rest.end)
        return chunk
    }
}
