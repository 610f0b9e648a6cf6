import Blocks
import ObjectStore
import Repository
import TestSupport
import Testing

/// Uploads, deletions, reclaims with no grace and readers, all at once over one store.
@Suite struct ConcurrencyTests {
    private struct State {
        var images: [Int: TestImage] = [:]
        var next = 1
        var unexpected: [String] = []
        var uploads = 0
        var reclaims = 0
    }

    @Test("reclaim never takes what an upload or a reader needs", arguments: 1...Seed.share(of: 4))
    func everythingAtOnce(_ seed: Int) throws {
        let memory = MemoryStore()
        let repository = try Repository.openOrCreate(memory)
        let state = Guarded(State())
        let uploaders = (0..<2).map { lane in
            OSThread(name: "uploads") {
                var random = SeededRandom(UInt64(seed * 10 + lane + 1))
                for _ in 0..<25 { upload(repository, state, &random) }
            }
        }
        let isOver = Guarded(false)
        let cleaner = OSThread(name: "cleaner") {
            var random = SeededRandom(UInt64(seed * 100 + 7))
            while !isOver.withLock({ $0 }) { clean(repository, state, &random) }
        }
        for thread in uploaders { thread.join() }
        isOver.withLock { $0 = true }
        cleaner.join()
        let end = state.withLock { $0 }
        #expect(end.unexpected == [], "seed \(seed)")
        #expect(end.uploads > 10 && end.reclaims > 3)
        #expect(try repository.verify(.everything).findings == [])
        let fixture = try Fixture(memory)
        for (number, image) in end.images { #expect(try fixture.restore(number) == image, "seed \(seed)") }
    }

    private func upload(_ repository: Repository, _ state: Guarded<State>, _ random: inout SeededRandom) {
        let pick = random.next()
        let (number, parent) = state.withLock { state -> (Int, (Int, TestImage)?) in
            state.next += 1
            let numbers = state.images.keys.sorted()
            guard !numbers.isEmpty, pick % 5 != 0 else { return (state.next, nil) }
            let number = numbers[Int(pick % UInt64(numbers.count))]
            return (state.next, state.images[number].map { (number, $0) })
        }
        let old = parent?.1 ?? TestImage(size: .mebibytes(10))
        var image = old
        for _ in 0..<60 { image.set(Int(random.next() % 2560), TestImage.block(random.next())) }
        let plan = SnapshotPlan(
            id: Fixture.id(number), volume: "v", parent: parent.map { Fixture.id($0.0) },
            created: WallTime(milliseconds: 0))
        let content = TestContent(image, changed: parent == nil ? nil : image.changed(from: old))
        do {
            _ = try repository.writer(plan, content: content, options: UploadOptions(workers: 1)).run()
            state.withLock { state in
                state.images[number] = image
                state.uploads += 1
            }
        } catch RepositoryFailure.parentGone {
            try? repository.abandonUpload(plan.id)
        } catch {
            state.withLock { $0.unexpected.append("\(number): \(error)") }
        }
    }

    private func clean(_ repository: Repository, _ state: Guarded<State>, _ random: inout SeededRandom) {
        let pick = random.next()
        let victim = state.withLock { state -> Int? in
            let numbers = state.images.keys.sorted()
            guard numbers.count > 2 else { return nil }
            let number = numbers[Int(pick % UInt64(numbers.count))]
            state.images[number] = nil
            return number
        }
        do {
            if let victim { try repository.delete(Fixture.id(victim)) }
            _ = try repository.reclaim(ReclaimPlan(grace: .zero))
            state.withLock { $0.reclaims += 1 }
        } catch {
            state.withLock { $0.unexpected.append("reclaim: \(error)") }
        }
    }

    @Test("a writer that slept until its pin and its parent were gone takes its manifest back")
    func sleeper() throws {
        let memory = MemoryStore()
        let fixture = try Fixture(memory)
        var image = TestImage(size: .mebibytes(4))
        for block in 0..<300 { image.set(block, TestImage.block(UInt64(block + 1))) }
        try fixture.take(1, image)
        let old = image
        image.set(7, TestImage.block(999))
        let sleepy = FaultyStore(memory) { [repository = fixture.repository] call in
            guard call.operation == .putIfAbsent, call.key.hasPrefix("snapshots/") else { return nil }
            try? repository.abandonUpload(Fixture.id(2))
            try? repository.delete(Fixture.id(1))
            _ = try? repository.reclaim(ReclaimPlan(grace: .zero))
            return nil
        }
        let writer = try Repository.open(sleepy).writer(
            fixture.plan(2, parent: 1), content: TestContent(image, changed: image.changed(from: old)))
        #expect(throws: RepositoryFailure.cancelled) { try writer.run() }
        #expect(try fixture.keys(under: "snapshots/") == [])
        #expect(try fixture.keys(under: "packs/") == [])
    }
}
