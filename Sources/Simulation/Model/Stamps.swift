public import Blocks

/// The content of a volume as one number per unit (512 bytes, or 128 for unaligned work): 0 is zeros, any other number
/// was written once, by one write, and fills its unit together with the unit's place. So every byte of a volume tells which
/// write it comes from, and a unit that mixes two writes or stands in the wrong place is found.
public struct Stamps: Equatable, Sendable {
    /// Bytes per unit.
    public let unit: Int
    /// One number per unit.
    public var numbers: [UInt32]

    /// All zeros.
    public init(unit: Int, count: Int) {
        self.unit = unit
        numbers = [UInt32](repeating: 0, count: count)
    }

    private static func word(_ number: UInt32, _ place: Int, _ index: Int) -> UInt64 {
        number == 0 ? 0 : UInt64(number) << 32 | UInt64(place & 0xff_ffff) << 8 | UInt64(index & 0xff)
    }

    /// The bytes of a run of units that all carry `number`.
    public static func bytes(_ number: UInt32, at place: Int, count: Int, unit: Int) -> [UInt8] {
        bytes(of: [UInt32](repeating: number, count: count), at: place, unit: unit)
    }
    /// The bytes of units with these numbers.
    public static func bytes(of numbers: [UInt32], at place: Int, unit: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: numbers.count * unit)
        bytes.writeBytes { span in
            for (offset, number) in numbers.enumerated() where number != 0 {
                for index in 0..<unit / 8 {
                    let word = Self.word(number, place + offset, index)
                    span.storeBytes(of: word, toByteOffset: offset * unit + index * 8, as: UInt64.self)
                }
            }
        }
        return bytes
    }

    /// The numbers in `bytes`, which start at unit `place`; nil where a unit is not wholly one write's.
    public static func decode(_ bytes: [UInt8], at place: Int, unit: Int) -> [UInt32?] {
        bytes.readBytes { span in
            (0..<bytes.count / unit).map { offset -> UInt32? in
                let first = unsafe span.unsafeLoad(fromByteOffset: offset * unit, as: UInt64.self)
                let number = UInt32(truncatingIfNeeded: first >> 32)
                for index in 0..<unit / 8 {
                    let found = unsafe span.unsafeLoad(fromByteOffset: offset * unit + index * 8, as: UInt64.self)
                    if found != word(number, place + offset, index) { return nil }
                }
                return number
            }
        }
    }

    /// Units in a block.
    public var perBlock: Int { Block.size.bytes / unit }
    /// Blocks, the last one perhaps partial.
    public var blocks: Int { (numbers.count + perBlock - 1) / perBlock }
    /// One block's numbers; what lies past the end is zeros.
    public func block(_ index: Int) -> [UInt32] {
        let start = min(index * perBlock, numbers.count), end = min(start + perBlock, numbers.count)
        return Array(numbers[start..<end]) + [UInt32](repeating: 0, count: perBlock - (end - start))
    }
    /// The blocks in which this and `other` (nil: an empty volume) differ.
    public func differences(from other: Stamps?) -> [Int] {
        let empty = [UInt32](repeating: 0, count: perBlock)
        return (0..<max(blocks, other?.blocks ?? 0)).filter { block($0) != other?.block($0) ?? empty }
    }
    /// The same with more or fewer units; new ones are zeros.
    public func resized(to count: Int) -> Stamps {
        var copy = self
        let extra = max(0, count - numbers.count)
        copy.numbers = Array(numbers.prefix(count)) + [UInt32](repeating: 0, count: extra)
        return copy
    }
}

/// A committed snapshot that a volume can be restored from.
public final class StampedSource: BlockSource {
    private let stamps: Stamps
    /// A snapshot with this content.
    public init(_ stamps: Stamps) { self.stamps = stamps }
    /// See `BlockSource`.
    public var size: ByteCount { ByteCount(stamps.numbers.count * stamps.unit) }
    /// See `BlockSource`.
    public func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        for offset in 0..<blocks.count.count {
            let block = blocks.start.number + offset
            let numbers = stamps.block(block)
            let bytes = Stamps.bytes(of: numbers, at: block * stamps.perBlock, unit: stamps.unit)
            bytes.readBytes { target.copy($0, at: offset * 4096) }
        }
    }
    /// See `BlockSource`.
    public func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? {
        let next = (block.number..<max(block.number, stamps.blocks)).first { stamps.block($0).contains { $0 != 0 } }
        return next.map { BlockRange(at: BlockIndex($0), count: 1) }
    }
}
