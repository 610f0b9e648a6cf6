/// How many bytes.
public struct ByteCount: Hashable, Comparable, Sendable, ExpressibleByIntegerLiteral {
    /// The count, never negative in a valid size.
    public var bytes: Int

    /// Makes a count of `bytes`.
    public init(_ bytes: Int) { self.bytes = bytes }
    /// Makes a count from a literal, in bytes.
    public init(integerLiteral bytes: Int) { self.bytes = bytes }

    /// Nothing.
    public static let zero = ByteCount(0)
    /// 1024 x 1024 bytes, `count` times, or as many as can be counted.
    public static func mebibytes(_ count: Int) -> ByteCount { units(count, of: 20) }
    /// 1024 x 1024 x 1024 bytes, `count` times, or as many as can be counted.
    public static func gibibytes(_ count: Int) -> ByteCount { units(count, of: 30) }
    /// 2^40 bytes, `count` times, or as many as can be counted.
    public static func tebibytes(_ count: Int) -> ByteCount { units(count, of: 40) }

    /// What a stranger asks for may be more than there are: it stays far too much, instead of wrapping around to a little.
    private static func units(_ count: Int, of shift: Int) -> ByteCount {
        ByteCount(min(max(count, Int.min >> shift), Int.max >> shift) << shift)
    }

    /// Orders by size.
    public static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }
    /// The sum.
    public static func + (a: ByteCount, b: ByteCount) -> ByteCount { ByteCount(a.bytes + b.bytes) }
    /// The difference.
    public static func - (a: ByteCount, b: ByteCount) -> ByteCount { ByteCount(a.bytes - b.bytes) }
    /// Adds in place.
    public static func += (a: inout ByteCount, b: ByteCount) { a.bytes += b.bytes }

    /// Is this a whole number of `unit`s?
    public func isMultiple(of unit: ByteCount) -> Bool { bytes % unit.bytes == 0 }
}

/// A position on a device or in a file, in bytes from its start.
public struct ByteOffset: Hashable, Comparable, Sendable, ExpressibleByIntegerLiteral {
    /// Bytes from the start.
    public var bytes: Int

    /// Makes a position `bytes` from the start.
    public init(_ bytes: Int) { self.bytes = bytes }
    /// Makes a position from a literal, in bytes.
    public init(integerLiteral bytes: Int) { self.bytes = bytes }

    /// Orders by position.
    public static func < (a: ByteOffset, b: ByteOffset) -> Bool { a.bytes < b.bytes }
    /// Moves up.
    public static func + (a: ByteOffset, b: ByteCount) -> ByteOffset { ByteOffset(a.bytes + b.bytes) }
    /// The distance.
    public static func - (a: ByteOffset, b: ByteOffset) -> ByteCount { ByteCount(a.bytes - b.bytes) }
    /// Moves up in place.
    public static func += (a: inout ByteOffset, b: ByteCount) { a.bytes += b.bytes }
}

/// The number of a 4 KiB block on a device.
public struct BlockIndex: Hashable, Comparable, Sendable, ExpressibleByIntegerLiteral {
    /// The number; block 0 starts at byte 0.
    public var number: Int

    /// The block with this number.
    public init(_ number: Int) { self.number = number }
    /// The block with this number.
    public init(integerLiteral number: Int) { self.number = number }
    /// The block that holds the byte at `offset`.
    public init(holding offset: ByteOffset) { number = offset.bytes / Block.size.bytes }

    /// Where the block starts.
    public var offset: ByteOffset { ByteOffset(number * Block.size.bytes) }
    /// Orders by position.
    public static func < (a: BlockIndex, b: BlockIndex) -> Bool { a.number < b.number }
    /// Moves up.
    public static func + (a: BlockIndex, b: BlockCount) -> BlockIndex { BlockIndex(a.number + b.count) }
    /// The distance.
    public static func - (a: BlockIndex, b: BlockIndex) -> BlockCount { BlockCount(a.number - b.number) }
}

/// How many 4 KiB blocks.
public struct BlockCount: Hashable, Comparable, Sendable, ExpressibleByIntegerLiteral {
    /// The count.
    public var count: Int

    /// Makes a count of blocks.
    public init(_ count: Int) { self.count = count }
    /// Makes a count of blocks from a literal.
    public init(integerLiteral count: Int) { self.count = count }
    /// As many blocks as it takes to hold `size`.
    public init(covering size: ByteCount) { count = (size.bytes + Block.size.bytes - 1) / Block.size.bytes }

    /// The bytes they hold.
    public var size: ByteCount { ByteCount(count * Block.size.bytes) }
    /// Orders by size.
    public static func < (a: BlockCount, b: BlockCount) -> Bool { a.count < b.count }
    /// The sum.
    public static func + (a: BlockCount, b: BlockCount) -> BlockCount { BlockCount(a.count + b.count) }
    /// The difference.
    public static func - (a: BlockCount, b: BlockCount) -> BlockCount { BlockCount(a.count - b.count) }
    /// Adds in place.
    public static func += (a: inout BlockCount, b: BlockCount) { a.count += b.count }
}

/// The grain of change tracking, freezing and snapshots.
public enum Block {
    /// 4 KiB.
    public static let size: ByteCount = 4096
}

/// The grain of a device's size and of torn writes.
public enum Sector {
    /// 512 bytes.
    public static let size: ByteCount = 512
}
