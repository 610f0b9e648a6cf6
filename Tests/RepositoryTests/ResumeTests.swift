import Blocks
import ObjectStore
import Repository
import TestSupport
import Testing

@Suite struct ResumeTests {
    /// An upload of several packs on top of a parent, with zeros, equal blocks and real changes.
    private struct Case {
        let fixture: Fixture
        let memory: MemoryStore
        let image: TestImage
        let content: TestContent
        let old: TestImage

        private static let images: (TestImage, TestImage) = {
            var image = TestImage(size: .mebibytes(60))
            for block in 0..<3000 { image.set(block, TestImage.block(UInt64(block + 1))) }
            let old = image
            for block in 2500..<11_000 { image.set(block, TestImage.block(UInt64(block + 50_000))) }
            for block in 100..<140 { image.set(block, nil) }
            return (old, image)
        }()

        init(isEncrypted: Bool = false) throws {
            let clock = TestClock()
            memory = MemoryStore(clock: clock)
            fixture = try Fixture(memory, isEncrypted: isEncrypted)
            (old, image) = Case.images
            try fixture.take(1, old)
            content = TestContent(image, changed: nil)
        }

        func writer(over store: any ObjectStore) throws -> SnapshotWriter {
            try Repository.open(store, options: fixture.options).writer(
                SnapshotPlan(
                    id: Fixture.id(2), volume: "vol-1", parent: Fixture.id(1), created: WallTime(milliseconds: 5),
                    dataKey: fixture.dataKey),
                content: content, options: UploadOptions(memory: .mebibytes(64), workers: 2))
        }
    }

    @Test(
        "an upload that fails at any call of the store is finished by the next run",
        arguments: [
            (FaultyStore.Fault.transient, false), (.permanent, false), (.lostResponse, false), (.lostResponse, true),
        ])
    func everyCall(_ fault: FaultyStore.Fault, _ isEncrypted: Bool) throws {
        var call = Int.random(in: 1...Seed.stride)
        while true {
            let test = try Case(isEncrypted: isEncrypted)
            // Every call from this one on fails, as when the machine loses its network and then dies.
            let failing = call
            let faulty = FaultyStore(test.memory) { $0.number == failing || $0.number > failing + 3 ? fault : nil }
            var ended = false
            do {
                _ = try test.writer(over: faulty).run()
                ended = faulty.calls < failing
            } catch {}
            let sent = test.content.capturedPacks
            let manifest = try test.writer(over: test.memory).run()
            #expect(manifest.fullBytes.bytes == test.image.blocks.count * 4096)
            #expect(test.content.capturedPacks.prefix(sent.count).elementsEqual(sent))
            #expect(try test.fixture.keys(under: "uploads/") == [])
            #expect(try test.fixture.repository.verify(.structure).findings == [])
            _ = try test.fixture.repository.reclaim(ReclaimPlan(grace: .zero))
            #expect(try test.fixture.restore(2) == test.image, "call \(call), after reclaim")
            #expect(try test.fixture.restore(1) == test.old)
            if ended { break }
            call += Seed.stride
        }
        #expect(call > 10, "there was more than one step to fail at")
    }

    @Test(
        "packs that were recorded are not sent again; one that was put but not recorded is passed over",
        arguments: 0...2, [false, true])
    func recordedPacks(_ good: Int, _ isEncrypted: Bool) throws {
        let test = try Case(isEncrypted: isEncrypted)
        test.content.state.withLock { state in
            state.onCaptured = { [content = test.content] _ in
                content.state.withLock { state in
                    if state.packs.count >= good { state.failCaptured = .io(errno: 5) }
                }
            }
        }
        #expect(throws: RepositoryFailure.content(.io(errno: 5))) { try test.writer(over: test.memory).run() }
        let packs = try test.fixture.keys(under: "packs/\(Fixture.id(2))/")
        let recorded = test.content.capturedPacks.map(\.number)
        #expect(recorded.count == good && packs.count > good)
        test.content.state.withLock { state in
            state.failCaptured = nil
            state.onCaptured = nil
        }
        let puts = Guarded<[String]>([])
        let watched = FaultyStore(test.memory) { call in
            if call.operation == .putIfAbsent { puts.withLock { $0.append(call.key) } }
            return nil
        }
        _ = try test.writer(over: watched).run()
        let later = puts.withLock { $0 }
        #expect(Set(later).isDisjoint(with: packs), "no key is used twice")
        #expect(try test.fixture.restore(2) == test.image)
        _ = try test.fixture.repository.reclaim(ReclaimPlan(grace: .zero))
        #expect(try test.fixture.restore(2) == test.image)
    }

    @Test("blocks of an unfinished upload can be read from its packs", arguments: [false, true])
    func readUploaded(_ isEncrypted: Bool) throws {
        let test = try Case(isEncrypted: isEncrypted)
        test.content.state.withLock { state in
            state.onCaptured = { [content = test.content] _ in
                content.state.withLock { state in
                    if state.packs.count == 2 { state.failCaptured = .io(errno: 5) }
                }
            }
        }
        #expect(throws: RepositoryFailure.self) { try test.writer(over: test.memory).run() }
        test.content.state.withLock { $0.onCaptured = nil }
        let writer = try test.writer(over: test.memory)
        let captured = test.content.state.withLock { $0.captured }
        #expect(!captured.isEmpty)
        var seen = 0
        for block in stride(from: 0, to: test.image.blockCount, by: 7) {
            var bytes = [UInt8](repeating: 1, count: 4096)
            let isThere = try bytes.writeBytes { (span) throws(BlockFailure) in
                try writer.readUploaded(BlockRange(at: BlockIndex(block), count: 1), into: &span)
            }
            if captured.contains(block) { #expect(isThere) }
            if isThere {
                seen += 1
                #expect(bytes == test.image.blocks[block] ?? [UInt8](repeating: 0, count: 4096), "block \(block)")
            }
        }
        #expect(seen > 10)
    }

    @Test("a cancelled upload commits nothing and can be taken up again")
    func cancelled() throws {
        let test = try Case()
        let writer = try test.writer(over: test.memory)
        test.content.state.withLock { $0.onCaptured = { _ in writer.cancel() } }
        #expect(throws: RepositoryFailure.cancelled) { try writer.run() }
        #expect(throws: RepositoryFailure.missing(Fixture.id(2))) {
            try test.fixture.repository.manifest(of: Fixture.id(2))
        }
        test.content.state.withLock { $0.onCaptured = nil }
        _ = try test.writer(over: test.memory).run()
        #expect(try test.fixture.restore(2) == test.image)
    }

    @Test("content that gives the snapshot up ends the upload, also in the very last step")
    func broken() throws {
        let test = try Case()
        let faulty = FaultyStore(test.memory) { [content = test.content] call in
            // The last object before the commit is the pack with the table.
            if call.operation == .putIfAbsent, content.capturedPacks.count > 1 {
                content.state.withLock { $0.broken = "the overlay is full" }
            }
            return nil
        }
        #expect(throws: RepositoryFailure.broken("the overlay is full")) { try test.writer(over: faulty).run() }
        #expect(try test.fixture.keys(under: "snapshots/") == ["snapshots/\(Fixture.id(1))"])
    }

    @Test("running again after the commit returns the same manifest")
    func committed() throws {
        let test = try Case()
        let first = try test.writer(over: test.memory).run()
        #expect(try test.writer(over: test.memory).run() == first)
        let other = TestContent(TestImage(size: .mebibytes(1)), changed: nil)
        #expect(throws: RepositoryFailure.alreadyExists(Fixture.id(2))) {
            try test.fixture.repository.writer(test.fixture.plan(2, parent: 1), content: other).run()
        }
    }

    @Test("a parent deleted during the upload keeps its packs until the child is done")
    func parentDeleted() throws {
        let test = try Case()
        test.content.state.withLock { state in
            state.onCaptured = { [repository = test.fixture.repository] _ in
                try? repository.delete(Fixture.id(1))
                _ = try? repository.reclaim(ReclaimPlan(grace: .zero))
            }
        }
        _ = try test.writer(over: test.memory).run()
        _ = try test.fixture.repository.reclaim(ReclaimPlan(grace: .zero))
        #expect(try test.fixture.restore(2) == test.image)
        #expect(try test.fixture.keys(under: "trash/") == [])
    }

    @Test("a parent that is deleted before the upload begins is refused")
    func parentGone() throws {
        let test = try Case()
        try test.fixture.repository.delete(Fixture.id(1))
        #expect(throws: RepositoryFailure.parentGone(Fixture.id(1))) { try test.writer(over: test.memory).run() }
    }

    @Test("an upload that was abandoned meanwhile does not commit")
    func abandoned() throws {
        let test = try Case()
        test.content.state.withLock { state in
            state.onCaptured = { [repository = test.fixture.repository] _ in
                try? repository.abandonUpload(Fixture.id(2))
            }
        }
        #expect(throws: RepositoryFailure.cancelled) { try test.writer(over: test.memory).run() }
        #expect(try test.fixture.keys(under: "snapshots/") == ["snapshots/\(Fixture.id(1))"])
    }

    @Test("progress ends at the whole")
    func progress() throws {
        let test = try Case()
        let writer = try test.writer(over: test.memory)
        _ = try writer.run()
        #expect(writer.progress.fraction == 1)
        #expect(try #require(writer.progress.total).bytes >= test.image.blocks.count * 4096)
    }
}
