internal import Blocks
internal import Testing

/// The laws of ``DiskFile`` about what a file reads as.
struct DiskContentLaws {
    let disk: any Disk
    let directory: String

    private func file() throws -> any DiskFile { try disk.open(directory + "/file", .create) }
    private func ones(_ count: Int) -> [UInt8] { [UInt8](repeating: 1, count: count) }
    private func range(_ start: Int, _ count: Int) -> ByteRange {
        ByteRange(at: ByteOffset(start), count: ByteCount(count))
    }
    /// Starts and lengths around the edges of blocks.
    private static let odd = [
        (0, 1), (1, 4095), (0, 4096), (4095, 2), (100, 9000), (4096, 8192), (511, 513), (8191, 1),
    ]

    func readsBackWrites() throws {
        let file = try file()
        var model = [UInt8](repeating: 0, count: 20000)
        for (round, (start, count)) in Self.odd.enumerated() {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ round &+ 1) }
            try file.put(bytes, at: start, durably: round % 2 == 0)
            model.replaceSubrange(start..<start + count, with: bytes)
            #expect(try file.bytes(at: 0, count: 20000) == model, "after \(count) bytes at \(start)")
        }
        #expect(try file.size() == 12288)
        try file.put([], at: 30000)
        #expect(try file.bytes(at: 3, count: 0) == [])
    }
    func zerosPastTheEnd() throws {
        let file = try file()
        #expect(try file.bytes(at: 1 << 40, count: 10) == [UInt8](repeating: 0, count: 10))
        try file.put([1, 2, 3], at: 0)
        #expect(try file.bytes(at: 1, count: 4) == [2, 3, 0, 0])
        #expect(try file.bytes(at: 3, count: 4096) == [UInt8](repeating: 0, count: 4096))
    }
    func writePastTheEndLeavesAHole() throws {
        let file = try file()
        try file.put([5], at: 64 << 30)
        #expect(try file.size() == ByteCount(64 << 30 + 1))
        #expect(try file.bytes(at: 64 << 30 - 1, count: 3) == [0, 5, 0])
        #expect(try file.dataBlocks() == [16 << 20])
    }
    func resizeCutsAndGrowsWithZeros() throws {
        let file = try file()
        try file.put(ones(10000), at: 0)
        try file.resize(to: 5000)
        #expect(try file.size() == 5000)
        try file.resize(to: .gibibytes(2))
        #expect(try file.bytes(at: 4998, count: 5002) == [1, 1] + [UInt8](repeating: 0, count: 5000))
        #expect(try file.dataBlocks() == [0, 1])
        try file.resize(to: .zero)
        #expect(try file.dataBlocks() == [])
    }
    func punchedBlocksReadZero() throws {
        try clears { file, range in try file.punch(range) }
    }
    func zeroedRangeReadsZero() throws {
        try clears { file, range in try file.zero(range) }
    }
    private func clears(_ act: (any DiskFile, ByteRange) throws -> Void) throws {
        let file = try file()
        for (start, count) in Self.odd {
            try file.put(ones(16384), at: 0)
            try act(file, range(start, count))
            var model = ones(16384)
            model.replaceSubrange(start..<start + count, with: [UInt8](repeating: 0, count: count))
            #expect(try file.bytes(at: 0, count: 16384) == model, "\(count) bytes at \(start)")
            #expect(try file.size() == 16384)
        }
        try act(file, range(1 << 30, 8192))
        #expect(try file.size() == 16384, "past the end it must not grow the file")
        try act(file, range(0, 0))
    }
    func allocatedRangeReadsAsBefore() throws {
        let file = try file()
        try file.put(ones(4096), at: 4096)
        let before = try file.bytes(at: 0, count: 16384)
        try file.allocate(range(100, 16000))
        #expect(try file.bytes(at: 0, count: 16384) == before)
        #expect(try file.size() == 8192)
        try file.put([7], at: 12288)
        #expect(try file.bytes(at: 12287, count: 3) == [0, 7, 0])
    }
    func twoHandlesSeeOneFile() throws {
        let one = try file(), two = try file()
        try one.put([1, 2], at: 10)
        #expect(try two.bytes(at: 10, count: 2) == [1, 2])
        try two.resize(to: 11)
        #expect(try one.size() == 11)
        try two.sync()
        try one.sync()
    }
    func readOnlyRefusesWrites() throws {
        try file().put([1], at: 0)
        let reader = try disk.open(directory + "/file", .readOnly)
        #expect(throws: BlockFailure.self) { try reader.put([2], at: 0) }
        #expect(throws: BlockFailure.self) { try reader.resize(to: 0) }
        #expect(throws: BlockFailure.self) { try reader.punch(range(0, 4096)) }
        #expect(try reader.bytes(at: 0, count: 1) == [1])
    }
    func cachedReadsAgree() throws {
        let file = try file()
        try file.put(ones(8192), at: 0)
        var bytes = [UInt8](repeating: 0xee, count: 4096)
        let isDone = try bytes.writeBytes { span in try file.readIfCached(at: 2048, into: &span) }
        if isDone { #expect(bytes == ones(4096)) }
    }
}
