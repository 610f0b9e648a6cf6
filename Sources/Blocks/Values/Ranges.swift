/// A run of bytes.
public struct ByteRange: Hashable, Sendable {
    /// Where it starts.
    public var start: ByteOffset
    /// How long it is.
    public var count: ByteCount

    /// `count` bytes from `start`.
    public init(at start: ByteOffset, count: ByteCount) {
        self.start = start
        self.count = count
    }
    /// From `start` up to, not including, `end`.
    public init(from start: ByteOffset, to end: ByteOffset) {
        self.start = start
        count = end - start
    }

    /// The first byte past the range.
    public var end: ByteOffset { start + count }
    /// Does it hold no byte?
    public var isEmpty: Bool { count.bytes <= 0 }
    /// The blocks that hold at least one of its bytes.
    public var touchedBlocks: BlockRange {
        guard !isEmpty else { return BlockRange(at: BlockIndex(holding: start), count: 0) }
        return BlockRange(
            from: BlockIndex(holding: start), to: BlockIndex(holding: ByteOffset(end.bytes - 1)) + 1)
    }
    /// The blocks all of whose bytes it holds.
    public var wholeBlocks: BlockRange {
        let first = BlockIndex((start.bytes + Block.size.bytes - 1) / Block.size.bytes)
        let past = BlockIndex(holding: end)
        return BlockRange(at: first, count: past < first ? 0 : past - first)
    }
    /// What both hold, or nil.
    public func intersection(_ other: ByteRange) -> ByteRange? {
        let low = max(start, other.start), high = min(end, other.end)
        return low < high ? ByteRange(from: low, to: high) : nil
    }
    /// Does the range lie within a device of `size`, with no overflow?
    public func fits(in size: ByteCount) -> Bool {
        start.bytes >= 0 && count.bytes >= 0 && start.bytes <= size.bytes && count.bytes <= size.bytes - start.bytes
    }
}

/// A run of 4 KiB blocks.
public struct BlockRange: Hashable, Sendable {
    /// The first block.
    public var start: BlockIndex
    /// How many.
    public var count: BlockCount

    /// `count` blocks from `start`.
    public init(at start: BlockIndex, count: BlockCount) {
        self.start = start
        self.count = count
    }
    /// From `start` up to, not including, `end`.
    public init(from start: BlockIndex, to end: BlockIndex) {
        self.start = start
        count = end - start
    }

    /// The first block past the range.
    public var end: BlockIndex { start + count }
    /// Does it hold no block?
    public var isEmpty: Bool { count.count <= 0 }
    /// The bytes of its blocks.
    public var bytes: ByteRange { ByteRange(at: start.offset, count: count.size) }
    /// Is `block` one of them?
    public func contains(_ block: BlockIndex) -> Bool { block >= start && block < end }
    /// What both hold, or nil.
    public func intersection(_ other: BlockRange) -> BlockRange? {
        let low = max(start, other.start), high = min(end, other.end)
        return low < high ? BlockRange(from: low, to: high) : nil
    }
}
