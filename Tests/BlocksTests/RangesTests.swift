import Blocks
import Testing

@Suite struct RangesTests {
    private static let edges = [0, 1, 511, 512, 4095, 4096, 4097, 8191, 8192, 12287, 12288]

    @Test("touched and whole blocks agree with counting bytes, for all edges")
    func blocksOfBytes() {
        for start in Self.edges {
            for end in Self.edges where end >= start {
                let range = ByteRange(from: ByteOffset(start), to: ByteOffset(end))
                let touched = (0..<4).filter { $0 * 4096 < end && ($0 + 1) * 4096 > start && end > start }
                let whole = (0..<4).filter { $0 * 4096 >= start && ($0 + 1) * 4096 <= end }
                #expect(Self.numbers(range.touchedBlocks) == touched, "\(start)..<\(end)")
                #expect(Self.numbers(range.wholeBlocks) == whole, "\(start)..<\(end)")
            }
        }
    }
    private static func numbers(_ range: BlockRange) -> [Int] {
        range.isEmpty ? [] : Array(range.start.number..<range.end.number)
    }

    @Test("intersections agree with sets, for all small ranges")
    func intersections() {
        let ranges = (0..<5).flatMap { start in (start..<6).map { (start, $0) } }
        for (a, b) in ranges {
            for (c, d) in ranges {
                let common = Set(a..<b).intersection(c..<d).sorted()
                let bytes = ByteRange(from: ByteOffset(a), to: ByteOffset(b))
                    .intersection(ByteRange(from: ByteOffset(c), to: ByteOffset(d)))
                let blocks = BlockRange(from: BlockIndex(a), to: BlockIndex(b))
                    .intersection(BlockRange(from: BlockIndex(c), to: BlockIndex(d)))
                #expect(
                    bytes?.start.bytes == common.first && bytes?.count.bytes == (common.isEmpty ? nil : common.count))
                #expect(blocks?.start.number == common.first)
                #expect(blocks?.count.count == (common.isEmpty ? nil : common.count))
            }
        }
    }

    @Test("a range fits only when it lies within the size, without overflow")
    func fitting() {
        func fits(_ start: Int, _ count: Int) -> Bool {
            ByteRange(at: ByteOffset(start), count: ByteCount(count)).fits(in: 1000)
        }
        #expect(fits(0, 1000) && fits(1000, 0) && fits(999, 1) && fits(0, 0))
        #expect(!fits(1, 1000) && !fits(1001, 0) && !fits(-1, 1) && !fits(0, -1))
        #expect(!fits(Int.max, Int.max) && !fits(500, Int.max) && !fits(Int.min, 0))
    }

    @Test("blocks and bytes convert both ways", arguments: [0, 1, 7, 1 << 34])
    func conversions(_ number: Int) {
        let block = BlockIndex(number)
        #expect(block.offset == ByteOffset(number * 4096))
        #expect(BlockIndex(holding: block.offset) == block)
        #expect(BlockIndex(holding: block.offset + 4095) == block)
        #expect(BlockRange(at: block, count: 3).bytes == ByteRange(at: block.offset, count: 12288))
        #expect(BlockCount(covering: ByteCount(number * 4096)).count == number)
        #expect(BlockCount(covering: ByteCount(number * 4096 + 1)).count == number + 1)
    }

    @Test("membership is half open")
    func membership() {
        let range = BlockRange(at: 3, count: 2)
        #expect((0..<8).filter { range.contains(BlockIndex($0)) } == [3, 4])
        #expect(BlockRange(at: 3, count: 0).isEmpty)
        #expect(!range.isEmpty)
    }

    @Test("what is more than can be counted stays far too much", arguments: [Int.max, 1 << 40, Int.max >> 20, Int.min])
    func huge(_ count: Int) {
        for size in [ByteCount.mebibytes(count), .gibibytes(count), .tebibytes(count)] {
            #expect(count > 0 ? size >= .tebibytes(1 << 20) : size < 0)
            #expect(size.isMultiple(of: .mebibytes(1)))
        }
    }

    @Test("sizes add, compare and divide")
    func sizes() {
        #expect(ByteCount.mebibytes(3) == ByteCount(3 << 20))
        #expect(ByteCount.gibibytes(3) == ByteCount(3 << 30))
        #expect(ByteCount.tebibytes(64) == ByteCount(64 << 40))
        var sum: ByteCount = 512
        sum += 512
        #expect(sum == 1024 && sum.isMultiple(of: Sector.size) && !sum.isMultiple(of: Block.size))
        #expect(ByteCount(3) - 1 == 2 && ByteCount(1) < 2)
    }
}
