import Blocks
import ObjectStore
import Repository
import Testing

/// What goes on beside a verification is no damage.
@Suite struct VerifyBesideOthersTests {
    /// When the second of three snapshots is deleted: as its manifest is read, or as a pack of its own is.
    enum Moment: CaseIterable { case manifest, pack }

    private static func chain() throws -> (MemoryStore, Fixture) {
        let memory = MemoryStore()
        let fixture = try Fixture(memory)
        var image = TestImage(size: .mebibytes(16))
        for number in 1...3 {
            let before = image
            for step in 0..<40 {
                image.set((number * 37 + step * 90) % 4096, TestImage.block(UInt64(number * 1000 + step)))
            }
            let parent = number == 1 ? nil : number - 1
            try fixture.take(number, image, parent: parent, changed: parent.map { _ in image.changed(from: before) })
        }
        return (memory, fixture)
    }

    /// Verifies everything while the second snapshot is deleted and freed.
    private static func verify(
        _ memory: MemoryStore, _ fixture: Fixture, _ level: VerifyLevel, at moment: Moment
    ) throws -> VerifyReport {
        let manifest = try #require(try fixture.keys(under: "snapshots/").dropFirst().first)
        let own = try fixture.keys(under: "packs/").filter { $0.contains("\(Fixture.id(2))") }
        let isDone = Guarded(false)
        let other = fixture.repository
        let store = FaultyStore(memory) { call in
            let isMoment = moment == .manifest ? call.key == manifest : own.contains(call.key)
            guard call.operation == .get, isMoment else { return nil }
            let isFirst = isDone.withLock { isDone in
                defer { isDone = true }
                return !isDone
            }
            guard isFirst else { return nil }
            try? other.delete(Fixture.id(2))
            _ = try? other.reclaim(ReclaimPlan(grace: .zero))
            return nil
        }
        let repository = try Repository.open(store, options: RepositoryOptions(clock: fixture.clock))
        let report = try repository.verify(level)
        #expect(isDone.withLock { $0 }, "it was deleted meanwhile")
        #expect(try fixture.keys(under: "snapshots/").count == 2 && fixture.keys(under: "trash/").isEmpty)
        return report
    }

    private static let levels: [VerifyLevel] = [.structure, .sample, .everything]

    @Test(
        "a snapshot that is deleted and freed while all are verified is no finding", arguments: Moment.allCases, levels)
    func deleted(_ moment: Moment, _ level: VerifyLevel) throws {
        let (memory, fixture) = try Self.chain()
        let report = try Self.verify(memory, fixture, level, at: moment)
        #expect(report.findings == [] && report.snapshots == 2)
    }

    @Test("and damage that it shared with another is found at that one", arguments: Moment.allCases, levels)
    func damageStays(_ moment: Moment, _ level: VerifyLevel) throws {
        let (memory, fixture) = try Self.chain()
        // What the third needs of the second, which is seen there first.
        for key in try fixture.keys(under: "packs/") where key.contains("\(Fixture.id(2))") {
            var bytes = try memory.get(key, range: nil)
            for index in bytes.indices where index % 64 == 40 { bytes[index] ^= 1 }
            try bytes.readBytes { (all) throws(StoreFailure) in try memory.put(all, at: key) }
        }
        let report = try Self.verify(memory, fixture, level, at: moment)
        #expect(report.findings.contains { $0.snapshot == Fixture.id(3) })
        #expect(!report.findings.contains { $0.snapshot == Fixture.id(2) })
    }

    @Test("nor is one that is completed meanwhile", arguments: ["snapshots/", "packs/"])
    func completed(_ folder: String) throws {
        let (memory, fixture) = try Self.chain()
        var image = TestImage(size: .mebibytes(16))
        image.set(7, TestImage.block(4))
        let writer = try fixture.repository.writer(
            fixture.plan(4, parent: nil), content: TestContent(image, changed: nil), options: UploadOptions(workers: 1))
        let runs = Guarded(0)
        let store = FaultyStore(memory) { call in
            guard call.operation == .list, call.key == folder, runs.withLock({ $0 == 0 }) else { return nil }
            runs.withLock { $0 += 1 }
            _ = try? writer.run()
            return nil
        }
        let repository = try Repository.open(store, options: RepositoryOptions(clock: fixture.clock))
        #expect(try repository.verify(.everything).findings == [])
        #expect(runs.withLock { $0 } == 1)
        #expect(try fixture.keys(under: "snapshots/").count == 4)
    }
}
