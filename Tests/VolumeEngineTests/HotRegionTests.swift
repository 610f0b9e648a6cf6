import Blocks
import Testing
import VolumeEngine

/// Which part of a cut writers run into most.
@Suite struct HotRegionTests {
    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func make(_ size: ByteCount) throws -> Volume {
        let environment = VolumeEnvironment.local()
        try Volume.create(NewVolume(size: size), at: scratch.path + "/v", in: environment)
        return try Volume.open(at: scratch.path + "/v", in: environment)
    }
    private static let region = 2048
    private func block(_ region: Int, _ index: Int) -> Int { (region * Self.region + index) * 4096 }
    private func first(_ region: Int) -> BlockIndex { BlockIndex(region * Self.region) }

    @Test("the region with most redirected writes comes first, each once, and none when all of it is captured")
    func order() throws {
        let volume = try make(.mebibytes(44))
        for region in 0..<5 { try volume.put(pattern(40 << 12, 1), at: block(region, 10)) }
        let cut = try volume.cut(for: "snap-1")
        #expect(cut.takeHotBlock() == nil)
        // Once around a block is enough: then the overlay has it, and nobody is in the way any more.
        for _ in 0..<9 { try volume.put([1], at: block(1, 10)) }
        for index in 0..<3 { try volume.put([1], at: block(4, 10 + index * 2)) }
        for index in 0..<2 { try volume.put(pattern(8192, 2), at: block(2, 20 + index * 4)) }
        // Not the snapshot's: goes in place.
        for index in 0..<8 { try volume.put([1], at: block(3, index)) }
        try volume.put([1], at: block(5, 0))
        #expect(cut.takeHotBlock() == first(4))
        try volume.put([1], at: block(1, 11))
        try volume.put([1], at: block(1, 12))
        #expect(cut.takeHotBlock() == first(1))
        try volume.put([1], at: block(4, 30))
        try cut.captured(pack: 1, runs: [BlockRange(at: first(2) + 10, count: 40)])
        #expect(cut.takeHotBlock() == first(4), "again, because a writer came again; of region 2 nothing is left")
        #expect(cut.takeHotBlock() == nil)
        try volume.put([1], at: block(2, 40))
        #expect(cut.takeHotBlock() == nil, "captured: in place")
        try volume.put([1], at: block(0, 10))
        #expect(volume.cancel("snap-1", reason: "test") == ["snap-1"])
        try volume.put([1], at: block(3, 12))
        #expect(cut.takeHotBlock() == first(0))
        #expect(cut.takeHotBlock() == nil, "given up: in place")
    }

    @Test("of two pending cuts the one that is in the way hears of it") func twoCuts() throws {
        let volume = try make(.mebibytes(32))
        try volume.put(pattern(40 << 12, 1), at: block(0, 0))
        try volume.put(pattern(40 << 12, 1), at: block(1, 0))
        let older = try volume.cut(for: "snap-1")
        try volume.put([1], at: block(0, 0))
        #expect(older.takeHotBlock() == first(0))
        let newer = try volume.cut(for: "snap-2")
        // Region 0, block 0: the newer cut's version is in the older overlay, and only the newer needs it.
        try volume.put([2], at: block(0, 0))
        #expect(older.takeHotBlock() == nil)
        #expect(newer.takeHotBlock() == first(0))
        // Region 1: unchanged since the older cut, so only that is in the way.
        try volume.put([2], at: block(1, 0))
        #expect(newer.takeHotBlock() == nil)
        #expect(older.takeHotBlock() == first(1))
    }

    @Test("the table has room for a thousand regions and no more") func bounded() throws {
        let volume = try make(.gibibytes(9))
        for region in 0..<1100 { try volume.put([1], at: block(region, 3)) }
        let cut = try volume.cut(for: "snap-1")
        for region in 0..<1100 { try volume.put([2], at: block(region, 3)) }
        var taken: [BlockIndex] = []
        while let block = cut.takeHotBlock() { taken.append(block) }
        #expect(taken == (0..<1024).map(first))
    }
}
