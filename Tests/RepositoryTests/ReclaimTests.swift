import Blocks
import ObjectStore
import Repository
import Testing

@Suite struct ReclaimTests {
    private func chain(_ count: Int, in fixture: Fixture) throws -> [TestImage] {
        var image = TestImage(size: .mebibytes(16))
        var images: [TestImage] = []
        for number in 1...count {
            for step in 0..<40 {
                image.set((number * 37 + step * 90) % 4096, TestImage.block(UInt64(number * 1000 + step)))
            }
            try fixture.take(
                number, image, parent: number == 1 ? nil : number - 1,
                changed: number == 1 ? nil : image.changed(from: images[number - 2]))
            images.append(image)
        }
        return images
    }

    @Test("deleting any snapshot of a chain of 200 takes the same few calls of the store, wherever it stands")
    func deletes() throws {
        let store = FaultyStore(MemoryStore()) { _ in nil }
        let fixture = try Fixture(store)
        let images = try chain(200, in: fixture)
        var random = SeededRandom(11)
        var left = Array(1...200).shuffled(using: &random)
        var calls: Set<Int> = []
        while left.count > 20, let number = left.popLast() {
            let before = store.calls
            try fixture.repository.delete(Fixture.id(number))
            calls.insert(store.calls - before)
        }
        #expect(calls.count == 1 && (calls.max() ?? .max) <= 4, "\(calls)")
        let report = try fixture.repository.reclaim(ReclaimPlan(grace: .zero))
        #expect(report.manifestsFreed == 180 && report.packsFreed > 100)
        for number in left { #expect(try fixture.restore(number) == images[number - 1]) }
        #expect(try fixture.repository.verify(.everything).findings == [])
    }

    @Test(
        "a manifest that arrives damaged does not go to the trash as it arrived",
        arguments: [FaultyStore.Fault.truncatedRead, .flippedBit])
    func spoiltOnItsWay(_ fault: FaultyStore.Fault) throws {
        for spoilt in [1...1, 1...2] {
            let memory = MemoryStore()
            let fixture = try Fixture(memory)
            _ = try chain(2, in: fixture)
            let key = try #require(try fixture.keys(under: "snapshots/").last)
            let whole = try memory.get(key, range: nil)
            let looks = Guarded(0)
            let faulty = FaultyStore(memory) { call in
                guard call.operation == .get, call.key == key else { return nil }
                let look = looks.withLock { looks in
                    looks += 1
                    return looks
                }
                return spoilt.contains(look) ? fault : nil
            }
            let repository = try Repository.open(faulty, options: RepositoryOptions(clock: fixture.clock))
            try repository.delete(Fixture.id(2))
            let trashed = try #require(try fixture.keys(under: "trash/").first)
            #expect(try memory.get(trashed, range: nil) == whole)
            #expect(try fixture.repository.reclaim(ReclaimPlan(grace: .zero)).manifestsFreed == 1)
        }
    }

    @Test("a manifest that is damaged in the store can be deleted")
    func damagedAtRest() throws {
        let memory = MemoryStore()
        let fixture = try Fixture(memory)
        _ = try chain(2, in: fixture)
        let key = try #require(try fixture.keys(under: "snapshots/").last)
        var bytes = try memory.get(key, range: nil)
        bytes[bytes.count / 2] ^= 1
        try bytes.readBytes { (all) throws(StoreFailure) in try memory.put(all, at: key) }
        try fixture.repository.delete(Fixture.id(2))
        #expect(try fixture.keys(under: "snapshots/").count == 1)
    }

    @Test("nothing goes before the grace period has passed since an earlier look")
    func grace() throws {
        let fixture = try Fixture()
        let images = try chain(3, in: fixture)
        let plan = ReclaimPlan(grace: .seconds(3600))
        try fixture.repository.delete(Fixture.id(3))
        #expect(try fixture.repository.reclaim(plan).packsFreed == 0)
        fixture.clock.advance(.seconds(3599))
        let early = try fixture.repository.reclaim(plan)
        #expect(early.packsFreed == 0 && early.manifestsFreed == 0 && early.packsWaiting > 0)
        fixture.clock.advance(.seconds(1))
        let late = try fixture.repository.reclaim(plan)
        #expect(late.packsFreed == early.packsWaiting && late.bytesFreed == early.bytesWaiting)
        #expect(late.manifestsFreed == 1 && late.packsWaiting == 0)
        #expect(try fixture.restore(2) == images[1])
        #expect(try fixture.repository.delete(Fixture.id(2)) == ())
        #expect(throws: RepositoryFailure.missing(Fixture.id(3))) { try fixture.repository.delete(Fixture.id(3)) }
    }

    @Test("a pinned snapshot stays readable after its deletion")
    func pins() throws {
        let fixture = try Fixture()
        let images = try chain(2, in: fixture)
        let reader = try fixture.repository.reader(of: Fixture.id(2))
        try fixture.repository.delete(Fixture.id(2))
        _ = try fixture.repository.reclaim(ReclaimPlan(grace: .zero, pins: [Fixture.id(2)]))
        let block = images[1].blocks.keys.sorted()[7]
        var bytes = [UInt8](repeating: 0, count: 4096)
        try bytes.writeBytes { (span) throws(BlockFailure) in
            try reader.read(BlockRange(at: BlockIndex(block), count: 1), into: &span)
        }
        #expect(bytes == images[1].blocks[block])
        let report = try fixture.repository.reclaim(ReclaimPlan(grace: .zero))
        #expect(report.manifestsFreed == 1 && report.packsFreed > 0)
    }

    @Test("any call that fails, and any manifest that cannot be read, ends a reclaim with nothing lost")
    func failsClosed() throws {
        let memory = MemoryStore(clock: TestClock())
        let fixture = try Fixture(memory)
        let images = try chain(4, in: fixture)
        try fixture.repository.delete(Fixture.id(2))
        var call = 2
        while true {
            let failing = call
            let faulty = FaultyStore(memory) { $0.number == failing ? .permanent : nil }
            let repository = try Repository.open(faulty, options: RepositoryOptions(clock: fixture.clock))
            let done = (try? repository.reclaim(ReclaimPlan(grace: .zero))) != nil && faulty.calls < failing
            for number in [1, 3, 4] { #expect(try fixture.restore(number) == images[number - 1], "call \(call)") }
            if done { break }
            call += 1
        }
        #expect(call > 8)
        try fixture.repository.delete(Fixture.id(3))
        let packs = try fixture.keys(under: "packs/")
        try [UInt8]("{}".utf8).readBytes { (span) throws(StoreFailure) in
            try memory.put(span, at: "snapshots/\(Fixture.id(4))")
        }
        #expect(throws: RepositoryFailure.self) { try fixture.repository.reclaim(ReclaimPlan(grace: .zero)) }
        #expect(try fixture.keys(under: "packs/") == packs)
    }

    @Test(
        "something damaged in the trash holds every pack back until it leaves, and no longer", arguments: [false, true])
    func damagedTrash(_ isTable: Bool) throws {
        let clock = TestClock()
        let memory = MemoryStore(clock: clock)
        let fixture = try Fixture(memory)
        let images = try chain(4, in: fixture)
        let plan = ReclaimPlan(grace: .seconds(3600))
        try fixture.repository.delete(Fixture.id(4))
        clock.advance(.seconds(1800))
        _ = try fixture.repository.reclaim(plan)
        try fixture.repository.delete(Fixture.id(2))
        if isTable {
            let table = try #require(try fixture.keys(under: "packs/\(Fixture.id(2))/").last)
            try memory.delete([table])
        } else {
            try put(memory, Array("{}".utf8), at: "trash/\(Fixture.id(2))")
        }
        clock.advance(.seconds(1800))
        let packs = try fixture.keys(under: "packs/")
        let held = try fixture.repository.reclaim(plan)
        #expect(held.packsFreed == 0 && held.packsWaiting > 0)
        #expect(held.doubts.map(\.snapshot) == [Fixture.id(2)])
        #expect(held.manifestsFreed == 1, "what has expired goes all the same")
        #expect(try fixture.keys(under: "packs/") == packs)
        // The other one's time runs as ever; once it is gone, so is the doubt.
        clock.advance(.seconds(1800))
        let freed = try fixture.repository.reclaim(plan)
        #expect(freed.packsFreed > 0 && freed.manifestsFreed == 1 && freed.doubts.isEmpty)
        for number in [1, 3] {
            if isTable, number == 3 { continue }
            #expect(try fixture.restore(number) == images[number - 1])
        }
        // Among the living nothing is forgiven.
        try put(memory, Array("{}".utf8), at: "snapshots/\(Fixture.id(1))")
        #expect(throws: RepositoryFailure.self) { try fixture.repository.reclaim(plan) }
    }

    private func put(_ store: MemoryStore, _ bytes: [UInt8], at key: String) throws {
        try bytes.readBytes { (span) throws(StoreFailure) in try store.put(span, at: key) }
    }

    @Test("an abandoned upload's packs are freed, a pending one's are not")
    func uploads() throws {
        let fixture = try Fixture()
        var image = TestImage(size: .mebibytes(8))
        for block in 0..<500 { image.set(block, TestImage.block(UInt64(block + 1))) }
        let content = TestContent(image, changed: nil)
        content.state.withLock { $0.failCaptured = .io(errno: 5) }
        #expect(throws: RepositoryFailure.self) {
            try fixture.repository.writer(fixture.plan(1, parent: nil), content: content).run()
        }
        #expect(try fixture.repository.reclaim(ReclaimPlan(grace: .zero)).packsFreed == 0)
        #expect(try fixture.repository.inventory().uploads.map(\.snapshot) == [Fixture.id(1)])
        #expect(try fixture.repository.status().uploads == 1)
        try fixture.repository.abandonUpload(Fixture.id(1))
        #expect(try fixture.repository.reclaim(ReclaimPlan(grace: .zero)).packsFreed > 0)
        #expect(try fixture.keys(under: "packs/") == [])
    }

    @Test("the store alone tells every snapshot there is")
    func inventory() throws {
        let fixture = try Fixture()
        _ = try chain(3, in: fixture)
        try fixture.repository.delete(Fixture.id(2))
        let again = try Repository.open(fixture.store)
        let inventory = try again.inventory()
        #expect(inventory.manifests.map(\.plan.id) == [Fixture.id(1), Fixture.id(3)])
        #expect(inventory.manifests.map(\.plan.name) == ["n1", "n3"])
        #expect(inventory.findings == [] && inventory.uploads == [])
        #expect(again.id == fixture.repository.id)
        let status = try again.status()
        #expect(status.snapshots == 2 && status.trashed == 1)
        #expect(try status.packBytes.bytes == fixture.bytes(under: "packs/"))
    }
}
