import Blocks
import ObjectStore
import Repository
import TestSupport
import Testing

/// A snapshot beside the volume that counts its changes from it: differences that no change explains are found, and
/// nothing else is.
@Suite struct LiveComparisonTests {
    /// Three leaves, of which the second has scattered changes on top of a parent: whole frames and parts of frames.
    private struct Case {
        let fixture: Fixture
        let image: TestImage

        init(isEncrypted: Bool = false) throws {
            fixture = try Fixture(isEncrypted: isEncrypted)
            var image = TestImage(size: ByteCount((20 << 20) + 512))
            for block in 0..<4500 where block % 500 != 7 { image.set(block, TestImage.block(UInt64(block + 1))) }
            image.set(image.blockCount - 1, TestImage.block(77))
            try fixture.take(1, image)
            let old = image
            for block in stride(from: 2100, to: 4000, by: 13) {
                image.set(block, TestImage.block(UInt64(block + 9000)))
            }
            image.set(3000, nil)
            try fixture.take(2, image, parent: 1, changed: image.changed(from: old))
            self.image = image
        }

        func compare(_ live: TestLive) throws -> ComparisonReport {
            try fixture.repository.compare(Fixture.id(2), with: live)
        }
    }

    private func blocks(_ report: ComparisonReport) -> [Range<Int>] {
        report.findings.compactMap { $0.blocks }.map { $0.start.number..<$0.end.number }
    }

    @Test(
        "a volume that holds what the snapshot holds is compared whole, and nothing is found", arguments: [false, true])
    func same(_ isEncrypted: Bool) throws {
        let test = try Case(isEncrypted: isEncrypted)
        let report = try test.compare(TestLive(test.image))
        #expect(report.findings == [] && report.skipped == .zero)
        #expect(report.compared.bytes == test.image.blocks.count * 4096)
    }

    @Test("damage is found where it is, in whole frames, in parts of frames and across leaves, and names both sides")
    func damage() throws {
        let test = try Case()
        var image = test.image
        for block in [3, 2047, 2048, 2113, 2114, 4499] { image.blocks[block]?[100] ^= 1 }
        image.set(1000, nil)
        image.set(image.blockCount - 1, TestImage.block(78))
        let report = try test.compare(TestLive(image))
        let last = image.blockCount - 1
        #expect(blocks(report) == [3..<4, 1000..<1001, 2047..<2049, 2113..<2115, 4499..<4500, last..<last + 1])
        #expect(report.findings.allSatisfy { $0.object == "the volume vol-1" && $0.snapshot == Fixture.id(2) })
    }

    @Test("what the volume says has changed is left out, whatever it holds")
    func changed() throws {
        let test = try Case()
        var image = test.image
        for block in [3, 40, 2113, 3000, 4900] { image.set(block, TestImage.block(5)) }
        image.blocks[2114]?[0] ^= 1
        let report = try test.compare(TestLive(image, changed: [3, 40, 2113, 3000, 4900, 4100]))
        #expect(blocks(report) == [2114..<2115])
        #expect(report.compared.bytes == (test.image.blocks.count - 4) * 4096)
        #expect(report.skipped == ByteCount(6 * 4096))
    }

    @Test("of a volume that is not all here nothing is compared")
    func hydrating() throws {
        let test = try Case()
        let live = TestLive(TestImage(size: test.image.size))
        live.state.withLock { $0.isHydrating = true }
        let report = try test.compare(live)
        #expect(report.findings == [] && report.compared == .zero)
        #expect(report.skipped.bytes == test.image.blocks.count * 4096)
    }

    @Test("what the snapshot calls zero must be zero, also past its end, and holes cost nothing")
    func holes() throws {
        let test = try Case()
        var image = test.image
        image.size = .tebibytes(64)
        let far = 1 << 33
        image.set(7, TestImage.block(1))
        image.set(4800, TestImage.block(2))
        image.set(far, TestImage.block(3))
        image.set(far + 1, TestImage.block(4))
        image.set(far + 5000, TestImage.block(5))
        let live = TestLive(image, changed: [far + 5000])
        let report = try test.compare(live)
        #expect(blocks(report) == [7..<8, 4800..<4801, far..<far + 2])
        #expect(live.state.withLock { $0.questions } < 20_000)
    }

    @Test("a guest that writes in the middle of it is never a finding, and its neighbours are still compared")
    func writing() throws {
        let test = try Case()
        var image = test.image
        image.blocks[1601]?[9] ^= 4
        let live = TestLive(image)
        live.state.withLock { state in
            state.onRead = { blocks, state in
                // Every tenth block is overwritten while it is being looked at.
                for block in blocks.start.number..<blocks.end.number where block % 10 == 0 {
                    state.image.set(block, TestImage.block(6))
                    state.changed.insert(block)
                }
            }
        }
        let report = try test.compare(live)
        #expect(blocks(report) == [1601..<1602])
        let written = test.image.blocks.keys.count { $0 % 10 == 0 }
        #expect(report.compared.bytes == (test.image.blocks.count - written) * 4096)
    }

    @Test("a frame damaged in the store says nothing of the volume, unless its hash does")
    func damagedStore() throws {
        let test = try Case()
        let key = "packs/\(Fixture.id(1))/00000001"
        var bytes = try test.fixture.store.get(key, range: nil)
        for index in stride(from: 1000, to: 9_000_000, by: 50_000) { bytes[index] ^= 1 }
        try bytes.readBytes { (span) throws(StoreFailure) in try test.fixture.store.put(span, at: key) }
        #expect(try test.compare(TestLive(test.image)).findings == [])
        var image = test.image
        image.blocks[40]?[0] ^= 1
        let found = try blocks(test.compare(TestLive(image)))
        #expect(found.count == 1 && found[0].contains(40) && found[0].count <= 32)
    }

    @Test("a volume that cannot be read ends it, and so does one that is too small")
    func failures() throws {
        let test = try Case()
        let live = TestLive(test.image)
        live.state.withLock { $0.failure = .io(errno: 5) }
        #expect(throws: RepositoryFailure.content(.io(errno: 5))) { try test.compare(live) }
        #expect(throws: RepositoryFailure.self) { try test.compare(TestLive(TestImage(size: .mebibytes(1)))) }
        #expect(throws: RepositoryFailure.missing(Fixture.id(9))) {
            try test.fixture.repository.compare(Fixture.id(9), with: live)
        }
    }

    @Test("very many differences end it early")
    func many() throws {
        let test = try Case()
        var image = test.image
        for block in stride(from: 0, to: 4500, by: 2) { image.set(block, TestImage.block(UInt64(block + 70_000))) }
        #expect(try test.compare(TestLive(image)).findings.count == ComparisonReport.findingsMax)
    }

    @Test("exactly the unmarked differences are found", arguments: Seed.some(fixed: 6, fresh: 6))
    func model(_ seed: Seed) throws {
        var random = SeededRandom(seed.number)
        let fixture = try Fixture()
        var image = TestImage(size: ByteCount(17 << 20))
        for block in 0..<image.blockCount where random.next() % 5 != 0 {
            image.set(block, TestImage.block(random.next()))
        }
        try fixture.take(1, image)
        let old = image
        for _ in 0..<300 {
            let isZero = random.next() % 4 == 0
            image.set(Int(random.next() % UInt64(image.blockCount)), isZero ? nil : TestImage.block(random.next()))
        }
        try fixture.take(2, image, parent: 1, changed: image.changed(from: old))
        var live = image
        live.size = .mebibytes(18)
        var marked: Set<Int> = []
        for _ in 0..<200 {
            let block = Int(random.next() % UInt64(live.blockCount))
            live.set(block, random.next() % 3 == 0 ? nil : TestImage.block(random.next()))
            if random.next() % 4 != 0 { marked.insert(block) }
        }
        let report = try fixture.repository.compare(Fixture.id(2), with: TestLive(live, changed: marked))
        let expected = TestContent.runs(live.changed(from: image).subtracting(marked))
        #expect(report.findings.compactMap(\.blocks) == expected)
    }
}
