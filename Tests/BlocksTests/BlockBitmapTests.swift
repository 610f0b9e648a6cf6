import Blocks
import Simulation
import TestSupport
import Testing

@Suite struct BlockBitmapTests {
    /// Blocks around the edges of words and pages.
    private static let places = [
        0, 1, 62, 63, 64, 65, 127, 128, 32_767, 32_768, 32_769, 65_535, 65_536, 2_097_151, 2_097_152,
    ]
    private static let end = BlockIndex(3_000_000)

    @Test("agrees with a set of numbers", arguments: Seed.some(fixed: 3, fresh: 2))
    func model(_ seed: Seed) throws {
        var random = SeededRandom(seed: seed.number)
        let bitmap = BlockBitmap()
        var model: Set<Int> = []
        for _ in 0..<40 {
            let start = Self.places[random.below(Self.places.count)] + random.below(3)
            let count = random.oneIn(10) ? random.below(20_000) : random.below(70)
            try bitmap.insert(BlockRange(at: BlockIndex(start), count: BlockCount(count)))
            model.formUnion(start..<start + count)
        }
        check(bitmap, model)
    }

    private func check(_ bitmap: BlockBitmap, _ model: Set<Int>) {
        let sorted = model.sorted()
        #expect(Self.runs(bitmap).flatMap { Array($0) } == sorted)
        #expect(bitmap.count(below: Self.end).count == model.count)
        for place in Self.places {
            for number in max(0, place - 2)...place + 2 {
                #expect(bitmap.contains(BlockIndex(number)) == model.contains(number), "block \(number)")
                let gap = bitmap.nextGap(from: BlockIndex(number), below: Self.end)
                #expect(gap?.start.number == (number...).first { !model.contains($0) })
                let past = gap.map { gap in sorted.first { $0 >= gap.start.number } ?? Self.end.number }
                #expect(gap?.end.number == past)
            }
        }
    }
    private static func runs(_ bitmap: BlockBitmap) -> [Range<Int>] {
        var runs: [Range<Int>] = [], position: BlockIndex = 0
        while let run = bitmap.nextRun(from: position, below: end) {
            runs.append(run.start.number..<run.end.number)
            position = run.end
        }
        for (a, b) in zip(runs, runs.dropFirst()) { #expect(a.upperBound < b.lowerBound, "runs are not cut short") }
        return runs
    }

    @Test("everything below a block is in, and nothing above", arguments: [0, 1, 64, 32_768, 32_769, 2_097_153])
    func everything(_ count: Int) throws {
        let bitmap = BlockBitmap()
        try bitmap.insertEverything(below: BlockIndex(count))
        try bitmap.insert(BlockRange(at: 2_500_000, count: 2))
        let wanted = count == 0 ? [2_500_000..<2_500_002] : [0..<count, 2_500_000..<2_500_002]
        #expect(Self.runs(bitmap) == wanted)
        #expect(bitmap.count(below: Self.end).count == count + 2)
        #expect(bitmap.nextGap(from: 0, below: Self.end)?.start.number == count)
        #expect(!bitmap.contains(BlockIndex(count)))
        let copy = BlockBitmap()
        try copy.insert(all: bitmap, below: Self.end)
        #expect(Self.runs(copy) == wanted)
    }

    @Test("a mapped set survives kill -9, and power loss once synced")
    func mapped() throws {
        let disk = SimulatedDisk()
        try disk.makeDirectory("/d")
        try disk.syncDirectory("/")
        func mapping() throws -> BlockBitmap {
            let file = try disk.open("/d/map", .create)
            try file.resize(to: .gibibytes(2) + 4096)
            return try BlockBitmap(mapping: file, after: 4096)
        }
        let first = try mapping()
        try disk.syncDirectory("/d")
        for place in Self.places { try first.insert(BlockRange(at: BlockIndex(place), count: 1)) }
        disk.kill()
        let second = try mapping()
        check(second, Set(Self.places))
        try second.sync()
        try second.insert(BlockRange(at: 1_000_000, count: 1))
        disk.losePower(seed: 1)
        let left = Set(Self.runs(try mapping()).flatMap { Array($0) })
        #expect(left.subtracting([1_000_000]) == Set(Self.places))
    }

    @Test("a full disk is an error before the first bit of a page, and other pages still work")
    func full() throws {
        let disk = SimulatedDisk(capacity: 8192)
        let file = try disk.open("/map", .create)
        try file.resize(to: .gibibytes(2) + 4096)
        let bitmap = try BlockBitmap(mapping: file, after: 4096)
        try bitmap.insert(BlockRange(at: 0, count: 1))
        try bitmap.insert(BlockRange(at: 40_000, count: 1))
        #expect(throws: BlockFailure.noSpace) { try bitmap.insert(BlockRange(at: 80_000, count: 1)) }
        #expect(!bitmap.contains(80_000))
        try bitmap.insert(BlockRange(at: 41_000, count: 1))
        #expect(Self.runs(bitmap) == [0..<1, 40_000..<40_001, 41_000..<41_001])
    }

    @Test("inserts from many threads are all there")
    func threads() throws {
        let bitmap = BlockBitmap()
        let threads = (0..<8).map { part in
            OSThread(name: "insert") {
                for number in stride(from: part, to: 40_000, by: 8) {
                    try? bitmap.insert(BlockRange(at: BlockIndex(number), count: 1))
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(Self.runs(bitmap) == [0..<40_000])
    }
}
