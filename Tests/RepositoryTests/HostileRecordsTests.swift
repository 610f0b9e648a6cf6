import Blocks
import ObjectStore
import Testing

@testable import Repository

/// Records with right checksums and values that no Varve writes.
@Suite struct HostileRecordsTests {
    private static let time = WallTime(milliseconds: 1_760_000_000_000)

    private func manifest() -> String {
        let plan = SnapshotPlan(id: Fixture.id(1), volume: "vol-1", parent: nil, created: Self.time)
        let manifest = Manifest(
            plan: plan, size: 8192, completed: Self.time, fullBytes: 111, changedBytes: 222, storedBytes: 333,
            root: nil,
            packs: nil, tool: "test")
        return String(decoding: manifest.encoded().prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    @Test(
        "a manifest dated where no calendar goes, or counting more than there can be, is refused",
        arguments: [
            ("created", Int.max), ("created", Int.min), ("completed", 253_402_300_800_000), ("size", Int.max - 511),
            ("size", 1 << 46 + 512), ("fullBytes", 1 << 62), ("changedBytes", Int.max), ("storedBytes", -1),
        ])
    func manifests(_ key: String, _ value: Int) throws {
        let good = manifest()
        #expect(throws: Never.self) { try Manifest(decoding: seal(Array(good.utf8))) }
        let text = good.replacing(try Regex("\"\(key)\":[0-9]+"), with: "\"\(key)\":\(value)")
        #expect(text != good)
        #expect(throws: FormatFailure.self) { try Manifest(decoding: seal(Array(text.utf8))) }
    }

    @Test("a pin of a time that cannot be is refused", arguments: [Int64.min, .max])
    func pins(_ milliseconds: Int64) {
        let pin = UploadPin(
            snapshot: Fixture.id(1), parent: nil, volume: "vol-1", started: WallTime(milliseconds: milliseconds))
        #expect(throws: FormatFailure.self) { try UploadPin(decoding: pin.encoded()) }
    }

    @Test("a pack unneeded since a time that cannot be waits anew", arguments: [Int64.min, .max])
    func candidates(_ milliseconds: Int64) throws {
        let fixture = try Fixture()
        let keys = Keys(prefix: "")
        let pack = PackName(Fixture.id(9), 1)
        let record = RecordJSON.encode(
            CandidatesRecord(time: milliseconds, packs: ["\(Fixture.id(9))/00000001": milliseconds]))
        for (bytes, key) in [([7], keys.pack(pack)), (record, keys.candidates)] {
            try bytes.readBytes { (span) throws(StoreFailure) in try fixture.store.put(span, at: key) }
        }
        let report = try fixture.repository.reclaim(ReclaimPlan(grace: .seconds(1)))
        #expect(report.packsWaiting == 1)
        #expect(try fixture.keys(under: "packs/").count == 1)
    }

    @Test("a tree that says more than the snapshot's size is read up to that size")
    func beyondTheEnd() throws {
        let fixture = try Fixture()
        var image = TestImage(size: .mebibytes(1))
        for block in 0..<256 { image.set(block, TestImage.block(UInt64(block + 1))) }
        let manifest = try fixture.take(1, image)
        var smaller = manifest
        smaller.size = ByteCount(3 * 4096)
        let bytes = smaller.encoded()
        try bytes.readBytes { (span) throws(StoreFailure) in
            try fixture.store.put(span, at: Keys(prefix: "").manifest(Fixture.id(1)))
        }
        let reader = try fixture.repository.reader(of: Fixture.id(1))
        #expect(try reader.nextData(from: 0) == BlockRange(at: 0, count: 3))
        #expect(try reader.nextData(from: 3) == nil)
    }
}
