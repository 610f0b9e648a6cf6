import Blocks
import ControlPlane
import Simulation
import Testing

@Suite struct BinTests {
    private static let day = Duration.seconds(86_400)

    private static func fixture() async throws -> (HouseFixture, ManualClock) {
        let clock = ManualClock(passesSleeps: true)
        return (try await HouseFixture { $0.clock = clock }, clock)
    }

    private static func rule(
        _ fixture: HouseFixture, _ type: BinRuleView.ResourceType, days: Int, tags: [BinTag] = [],
        excluding: [BinTag] = []
    ) async throws -> BinRuleView {
        var request = NewBinRule(resourceType: type, days: days)
        request.resourceTags = tags
        request.excludeTags = excluding
        return try await fixture.house.bin.createRule(request)
    }

    private static func isGone(_ fixture: HouseFixture, _ id: String) async throws -> Bool {
        try await fixture.house.tasks.list().contains {
            $0.subjectId == id && $0.kind == .deleteSnapshot && $0.state == .succeeded
        }
    }

    @Test("a deleted snapshot is kept exactly as long as its rule says, over a restart too, and then goes for good")
    func keptAndGone() async throws {
        let (fixture, clock) = try await Self.fixture()
        _ = try await Self.rule(fixture, .snapshot, days: 3)
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<64, 5)
        let snapshot = try await fixture.snapshot(volume)
        try await fixture.snapshots.delete(snapshot)
        #expect(await refusal { try await fixture.snapshots.show(snapshot) } == .missing)
        #expect(try await fixture.snapshots.list().isEmpty)
        #expect(try await fixture.snapshots.isDeleted(snapshot))
        let binned = try #require(try await fixture.house.bin.list().snapshots.first)
        #expect(binned.object.id == snapshot && binned.leavesAt == binned.enteredAt + Self.day * 3)
        #expect(try await fixture.house.store.status().snapshotCount == 1)
        try await fixture.reopen()
        clock.set(binned.leavesAt + .milliseconds(-1))
        #expect(try await fixture.house.bin.holds(snapshot))
        #expect(try await fixture.house.store.status().snapshotCount == 1)
        clock.set(binned.leavesAt)
        #expect(try await !fixture.house.bin.holds(snapshot))
        #expect(await refusal { try await fixture.house.bin.restoreSnapshot(snapshot) } == .missing)
        #expect(try await fixture.house.bin.list().snapshots.isEmpty)
        try await fixture.eventually("it is emptied") { try await Self.isGone(fixture, snapshot) }
        #expect(try await fixture.house.store.status().snapshotCount == 0)
        #expect(try await fixture.snapshots.isDeleted(snapshot))
    }

    @Test("a restored snapshot holds what it held, and is shared and tagged as before")
    func restored() async throws {
        let (fixture, clock) = try await Self.fixture()
        let other = try await fixture.house.accounts.create(named: "other").id
        let stranger = fixture.house.verbs(for: Caller(account: other, principal: "eve", role: .administrator))
        _ = try await Self.rule(fixture, .snapshot, days: 1)
        let volume = try await fixture.volume()
        try await fixture.write(volume, 3..<40, 9)
        let content = try await fixture.look(volume)
        let snapshot = try await fixture.snapshot(volume)
        try await fixture.house.verbs(for: .root).tags.set(["a": "b"], on: [snapshot])
        _ = try await fixture.snapshots.share(snapshot, SharingChange(adding: [other]))
        #expect(try await stranger.snapshots.show(snapshot).id == snapshot)
        let before = try await fixture.snapshots.find(snapshot)
        _ = try await fixture.snapshots.attach(snapshot)
        try await fixture.snapshots.delete(snapshot)
        #expect(fixture.board.device(snapshot) == nil)
        #expect(await refusal { try await stranger.snapshots.show(snapshot) } == .missing)
        #expect(try await stranger.snapshots.sharedWithCaller().isEmpty)
        #expect(try await stranger.bin.list().snapshots.isEmpty)
        #expect(await refusal { try await stranger.bin.restoreSnapshot(snapshot) } == .missing)
        #expect(await refusal { try await stranger.bin.empty(snapshot) } == .missing)
        #expect(try await !stranger.bin.holds(snapshot))
        // The volume goes on as if nothing was: its next snapshot builds on what is in the bin.
        try await fixture.write(volume, 50..<60, 4)
        let next = try await fixture.snapshot(volume)
        clock.set(try #require(try await fixture.house.bin.list().snapshots.first).leavesAt + .milliseconds(-1))
        let restored = try await fixture.house.bin.restoreSnapshot(snapshot)
        #expect(restored == before && restored.tags == ["a": "b"] && restored.sharing?.accounts == [other])
        #expect(try await fixture.restore(snapshot) == content)
        #expect(try await stranger.snapshots.show(snapshot).id == snapshot)
        #expect(try await fixture.restore(next) == fixture.look(volume))
        clock.advance(by: Self.day * 10)
        #expect(try await fixture.restore(snapshot) == content)
    }

    @Test("what is in the bin can be listed, restored and tagged, and nothing else")
    func nothingElse() async throws {
        let (fixture, _) = try await Self.fixture()
        _ = try await Self.rule(fixture, .snapshot, days: 1)
        _ = try await Self.rule(fixture, .volume, days: 1)
        let volume = try await fixture.volume()
        let kept = try await fixture.snapshot(volume), snapshot = try await fixture.snapshot(volume)
        _ = try await fixture.volumes.detach(volume)
        try await fixture.snapshots.delete(snapshot)
        try await fixture.volumes.delete(volume)
        let (snapshots, volumes, bin) = (fixture.snapshots, fixture.volumes, fixture.house.bin)
        let refusals = [
            await refusal { try await snapshots.delete(snapshot) },
            await refusal { try await snapshots.attach(snapshot) },
            await refusal { try await snapshots.share(snapshot, SharingChange(isPublic: true)) },
            await refusal { try await snapshots.lock(snapshot, LockSnapshot(mode: .governance, end: .days(1))) },
            await refusal { try await snapshots.verify(snapshot) },
            await refusal { try await snapshots.diff(snapshot, kept) },
            await refusal { try await snapshots.pieces(of: snapshot, from: 0, limit: 1) },
            await refusal { try await volumes.create(CreateVolume(size: nil, origin: .snapshot(snapshot))) },
            await refusal { try await volumes.delete(volume) }, await refusal { try await volumes.attach(volume) },
            await refusal { try await volumes.show(volume) },
            await refusal { try await volumes.rename(volume, to: "x") },
            await refusal { try await volumes.resize(volume, to: .mebibytes(2)) },
            await refusal { try await volumes.rollBack(volume, to: kept) },
            await refusal { try await volumes.create(CreateVolume(size: nil, origin: .volume(volume))) },
            await refusal { try await snapshots.create(CreateSnapshot(volume: volume)) },
        ]
        #expect(refusals.allSatisfy { $0 == .missing }, "\(refusals)")
        #expect(try await volumes.list().isEmpty)
        #expect(try await snapshots.list().map(\.id) == [kept])
        try await fixture.house.verbs(for: .root).tags.set(["k": "v"], on: [snapshot, volume])
        let contents = try await bin.list()
        #expect(
            contents.snapshots.map(\.object.tags) == [["k": "v"]] && contents.volumes.map(\.object.tags) == [["k": "v"]]
        )
        // What is not in the bin cannot be restored from it.
        #expect(await refusal { try await bin.restoreSnapshot(kept) } == .wrongState)
        #expect(await refusal { try await bin.empty(kept) } == .wrongState)
        // A volume in the bin is no place to roll back in; a volume beside it cannot be set to a snapshot in the bin.
        _ = try await bin.restoreVolume(volume)
        #expect(await refusal { try await volumes.rollBack(volume, to: snapshot) } == .missing)
        _ = try await bin.restoreSnapshot(snapshot)
        _ = try await volumes.rollBack(volume, to: snapshot)
    }

    @Test(
        "a deleted volume is kept, with snapshots of it that are pending, comes back as it was, and goes when it is over"
    )
    func volumes() async throws {
        let (fixture, clock) = try await Self.fixture()
        _ = try await Self.rule(fixture, .volume, days: 3000)
        let volume = try await fixture.volume(name: "a")
        try await fixture.write(volume, 0..<100, 7)
        try fixture.hideStore()
        let pending = try await fixture.snapshot(volume, wait: false)
        try await fixture.write(volume, 0..<10, 8)
        let content = try await fixture.look(volume)
        #expect(await refusal { try await fixture.volumes.delete(volume) } == .inUse)
        _ = try await fixture.volumes.detach(volume)
        try await fixture.volumes.delete(volume)
        try fixture.showStore()
        // Whoever found the store away asks it again after a while, which nobody but us lets pass.
        try await fixture.eventually("the pending snapshot is uploaded") {
            clock.advance(by: .seconds(60))
            return try await fixture.snapshots.show(pending).state == .completed
        }
        try await fixture.reopen()
        #expect(try await fixture.house.bin.list().volumes.map(\.object.name) == ["a"])
        #expect(try await fixture.house.bin.restoreVolume(volume).state == .available)
        _ = try await fixture.volumes.attach(volume)
        #expect(try await fixture.look(volume) == content)
        _ = try await fixture.volumes.detach(volume)
        try await fixture.volumes.delete(volume)
        clock.set(try #require(try await fixture.house.bin.list().volumes.first).leavesAt)
        #expect(await refusal { try await fixture.house.bin.restoreVolume(volume) } == .missing)
        try await fixture.eventually("its files are gone") {
            try LocalDisk().list(fixture.data + "/volumes").isEmpty
        }
        #expect(try await fixture.restore(pending).prefix(100).allSatisfy { $0 == 7 })
    }

    @Test("a disk that goes with its instance goes into the bin, detached")
    func withInstance() async throws {
        let (fixture, _) = try await Self.fixture()
        _ = try await Self.rule(fixture, .volume, days: 2)
        let volume = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let instance = try await fixture.house.instances.launch(NewInstances())[0].id
        _ = try await fixture.house.instances.attach(volume, to: instance, goesWithInstance: true)
        _ = try await fixture.house.instances.terminate(instance)
        #expect(try await fixture.house.bin.list().volumes.map(\.object.id) == [volume])
        #expect(try await fixture.house.bin.restoreVolume(volume).attachment == nil)
    }

    @Test("the longest rule that holds decides; tags choose and exclude; what no rule holds for goes at once")
    func rules() async throws {
        let (fixture, _) = try await Self.fixture()
        let all = try await Self.rule(fixture, .snapshot, days: 2, excluding: [BinTag(key: "scratch", value: nil)])
        _ = try await Self.rule(
            fixture, .snapshot, days: 9, tags: [BinTag(key: "class", value: "gold"), BinTag(key: "audit", value: nil)])
        _ = try await Self.rule(fixture, .image, days: 100)
        let volume = try await fixture.volume()
        let cases: [(tags: [String: String], days: Int?)] = [
            ([:], 2), (["class": "tin"], 2), (["class": "gold"], 9), (["audit": ""], 9), (["scratch": "x"], nil),
            (["scratch": "x", "class": "gold"], 9),
        ]
        for (tags, days) in cases {
            let snapshot = try await fixture.snapshots.create(CreateSnapshot(volume: volume, tags: tags)).id
            _ = try await fixture.snapshots.wait(for: snapshot)
            try await fixture.snapshots.delete(snapshot)
            let binned = try await fixture.house.bin.list().snapshots.first { $0.object.id == snapshot }
            #expect(binned.map { $0.leavesAt - $0.enteredAt } == days.map { Self.day * $0 }, "\(tags)")
        }
        // What is in the bin stays there, whatever becomes of its rule.
        let count = try await fixture.house.bin.list().snapshots.count
        try await fixture.house.bin.deleteRule(all.id)
        #expect(try await fixture.house.bin.list().snapshots.count == count)
        let another = try await fixture.snapshot(volume)
        try await fixture.snapshots.delete(another)
        #expect(try await fixture.house.bin.list().snapshots.count == count)
    }

    @Test("a catalog recovered from the store has what was in the bin as ordinary snapshots")
    func recovered() async throws {
        let (fixture, _) = try await Self.fixture()
        _ = try await Self.rule(fixture, .snapshot, days: 2)
        let snapshot = try await fixture.snapshot(fixture.volume())
        try await fixture.snapshots.delete(snapshot)
        await fixture.house.close()
        var plan = HousePlan(data: fixture.data + "-new")
        plan.store = fixture.data + "/store"
        #expect(try await House.recover(plan).snapshotCount == 1)
        let house = try await House.open(plan, exports: MemoryBoard())
        #expect(try await house.snapshots.list().map(\.id) == [snapshot])
        #expect(try await house.bin.list().snapshots.isEmpty)
        #expect(try await house.bin.rules().isEmpty)
        await house.close()
    }

    @Test("a pending snapshot is cancelled, a locked one refused: neither is in the bin")
    func notKept() async throws {
        let (fixture, clock) = try await Self.fixture()
        _ = try await Self.rule(fixture, .snapshot, days: 3000)
        let volume = try await fixture.volume()
        let locked = try await fixture.snapshot(volume)
        _ = try await fixture.snapshots.lock(locked, LockSnapshot(mode: .governance, end: .days(1)))
        #expect(await refusal { try await fixture.snapshots.delete(locked) } == .locked)
        try fixture.hideStore()
        let pending = try await fixture.snapshot(volume, wait: false)
        try await fixture.snapshots.delete(pending)
        try fixture.showStore()
        #expect(try await fixture.house.bin.list().snapshots.isEmpty)
        clock.advance(by: Self.day)
        try await fixture.snapshots.delete(locked)
        #expect(try await fixture.snapshots.locks().isEmpty)
        #expect(try await fixture.house.bin.list().snapshots.map(\.object.id) == [locked])
    }

    @Test("administrators empty the bin, unless a locked rule keeps what is in it; a restore ever after finds nothing")
    func emptied() async throws {
        let (fixture, clock) = try await Self.fixture()
        let rule = try await Self.rule(fixture, .snapshot, days: 300)
        let volume = try await fixture.volume()
        let snapshot = try await fixture.snapshot(volume)
        try await fixture.snapshots.delete(snapshot)
        let worker = Caller(account: Caller.root.account, principal: "w", role: .operator)
        #expect(await refusal { try await fixture.house.verbs(for: worker).bin.empty(snapshot) } == .forbidden)
        _ = try await fixture.house.bin.lock(rule.id, unlockDelayDays: 7)
        #expect(await refusal { try await fixture.house.bin.empty(snapshot) } == .locked)
        _ = try await fixture.house.bin.unlock(rule.id)
        #expect(await refusal { try await fixture.house.bin.empty(snapshot) } == .locked)
        clock.advance(by: Self.day * 7)
        try await fixture.house.bin.empty(snapshot)
        #expect(await refusal { try await fixture.house.bin.restoreSnapshot(snapshot) } == .missing)
        try await fixture.eventually("it is gone") { try await Self.isGone(fixture, snapshot) }
        #expect(try await fixture.house.store.status().snapshotCount == 0)
    }
}
