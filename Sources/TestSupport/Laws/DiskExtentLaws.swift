internal import Blocks
internal import Testing

/// The laws of ``DiskFile`` about holes and data, on which the engine's overlays stand.
///
/// What no law says: whether a range that was allocated, or zeroed whole, and never written shows as data. ext4 says hole
/// until somebody reads it.
struct DiskExtentLaws {
    let disk: any Disk
    let directory: String

    private func file() throws -> any DiskFile { try disk.open(directory + "/file", .create) }
    private let block = [UInt8](repeating: 1, count: 4096)
    private func range(_ start: Int, _ count: Int) -> ByteRange {
        ByteRange(at: ByteOffset(start), count: ByteCount(count))
    }

    func extentsAreExactPerBlock() throws {
        // All patterns of ten blocks, spread over a large file.
        let file = try file()
        try file.resize(to: .gibibytes(1))
        for pattern in stride(from: 1, to: 1024, by: 37) {
            let base = pattern * 16
            let wanted = (0..<10).filter { pattern >> $0 & 1 == 1 }.map { base + $0 }
            for block in wanted.reversed() { try file.put(self.block, at: block * 4096) }
            let found = try file.dataBlocks().filter { $0 >= base && $0 < base + 16 }
            #expect(found == wanted, "pattern \(pattern)")
            for block in base..<base + 10 {
                let data = try file.nextData(from: ByteOffset(block * 4096 + 5))
                let next = wanted.first { $0 >= block }
                #expect(data.map(\.bytes) == next.map { $0 == block ? block * 4096 + 5 : $0 * 4096 })
            }
        }
    }
    func writtenZerosAreData() throws {
        let file = try file()
        try file.resize(to: .mebibytes(1))
        try file.put([UInt8](repeating: 0, count: 8192), at: 3 * 4096)
        #expect(try file.dataBlocks() == [3, 4])
        try file.sync()
        #expect(try file.dataBlocks() == [3, 4])
    }
    func partialPunchKeepsData() throws {
        let file = try file()
        try file.resize(to: .mebibytes(1))
        try file.put(block + block, at: 8192)
        try file.punch(range(8192, 4095))
        try file.punch(range(12289, 4095))
        try file.zero(range(8192, 4095))
        #expect(try file.dataBlocks() == [2, 3])
    }
    func partialWriteMakesData() throws {
        let file = try file()
        try file.resize(to: .mebibytes(1))
        try file.put([0], at: 5 * 4096 + 4095)
        #expect(try file.dataBlocks() == [5])
        try file.put([0, 0], at: 8 * 4096 - 1)
        #expect(try file.dataBlocks() == [5, 7, 8])
    }
    func punchMakesAHole() throws {
        let file = try file()
        try file.put([UInt8](repeating: 1, count: 10 * 4096), at: 0)
        try file.punch(range(4 * 4096 + 1, 3 * 4096))
        #expect(try file.dataBlocks() == [0, 1, 2, 3, 4, 7, 8, 9])
        try file.sync()
        #expect(try file.dataBlocks() == [0, 1, 2, 3, 4, 7, 8, 9])
        try file.put(block, at: 5 * 4096)
        #expect(try file.dataBlocks() == [0, 1, 2, 3, 4, 5, 7, 8, 9])
    }
    func emptyFileHasNoData() throws {
        let file = try file()
        #expect(try file.nextData(from: 0) == nil)
        try file.resize(to: .tebibytes(2))
        #expect(try file.nextData(from: 0) == nil)
        #expect(try file.nextHole(from: 4097) == 4097)
    }
    func endOfFileIsAHole() throws {
        let file = try file()
        try file.put(block + [1, 2], at: 0)
        #expect(try file.nextHole(from: 0) == 4098)
        #expect(try file.nextHole(from: 4098) == 4098)
        #expect(try file.nextData(from: 4098) == nil)
        #expect(try file.nextData(from: 4097) == 4097)
    }
    func extentsSurviveSync() throws {
        let file = try file()
        try file.resize(to: .mebibytes(16))
        for index in stride(from: 0, to: 4096, by: 3) { try file.put(block, at: index * 4096) }
        let before = try file.dataBlocks()
        #expect(before == Array(stride(from: 0, to: 4096, by: 3)))
        try file.sync()
        #expect(try file.dataBlocks() == before)
    }
}
