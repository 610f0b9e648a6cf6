import Blocks
import ControlPlane
import Simulation
import TestSupport
import Testing

@Suite struct ReleaseTests {
    private static let day = Duration.seconds(86_400)

    private static func fixture() async throws -> (HouseFixture, ManualClock) {
        let clock = ManualClock(passesSleeps: true)
        return (try await HouseFixture { $0.clock = clock }, clock)
    }

    private static func taken(
        _ fixture: HouseFixture, _ volume: String, _ release: SnapshotRelease?
    ) async throws -> SnapshotView {
        var request = CreateSnapshot(volume: volume)
        request.release = release
        let made = try await fixture.snapshots.create(request)
        return try await fixture.snapshots.wait(for: made.id)
    }

    private static func isGone(_ fixture: HouseFixture, _ id: String) async throws -> Bool {
        try await fixture.snapshots.list().allSatisfy { $0.id != id }
    }

    @Test("a snapshot is kept until its time, over a restart too, then deleted once, with an event")
    func released() async throws {
        let (fixture, clock) = try await Self.fixture()
        let volume = try await fixture.volume()
        let snapshot = try await Self.taken(fixture, volume, .days(3))
        let kept = try await Self.taken(fixture, volume, nil)
        let time = try #require(snapshot.releaseAt)
        #expect(time == snapshot.createdAt + Self.day * 3 && kept.releaseAt == nil)
        clock.set(time + .milliseconds(-1))
        try await fixture.reopen()
        #expect(try await fixture.snapshots.show(snapshot.id).releaseAt == time)
        clock.set(time)
        try await fixture.eventually("it is released") { try await Self.isGone(fixture, snapshot.id) }
        #expect(try await fixture.snapshots.show(kept.id).state == .completed)
        let events = try await fixture.house.events.list(EventFilter())
            .filter { $0.verb == "snapshot.delete" && $0.subjects == [snapshot.id] }
        #expect(events.count == 1 && events.first?.cause == "release")
    }

    @Test("the time can be set, prolonged, shortened and taken away; only later where that is asked for")
    func changed() async throws {
        let (fixture, clock) = try await Self.fixture()
        let volume = try await fixture.volume()
        let snapshot = try await Self.taken(fixture, volume, .days(3))
        func change(_ release: ModifySnapshot.Release) async throws -> WallTime? {
            var change = ModifySnapshot()
            change.release = release
            return try await fixture.snapshots.modify(snapshot.id, change).releaseAt
        }
        #expect(try await change(.later(.days(5))) == snapshot.createdAt + Self.day * 5)
        #expect(await refusal { try await change(.later(.days(4))) } == .wrongState)
        #expect(try await change(.when(.days(2))) == snapshot.createdAt + Self.day * 2)
        let soon = snapshot.createdAt + Self.day
        #expect(try await change(.when(.at(soon))) == soon)
        #expect(await refusal { try await change(.when(.at(clock.now()))) } == .invalid)
        #expect(await refusal { try await change(.when(.days(0))) } == .invalid)
        #expect(await refusal { try await change(.when(.days(65_537))) } == .invalid)
        #expect(try await change(.never) == nil)
        #expect(await refusal { try await change(.later(.days(9))) } == .wrongState)
        clock.advance(by: Self.day * 100)
        #expect(await refusal { try await change(.when(.days(9))) } == .invalid)
        var names = ModifySnapshot()
        names.name = "n"
        names.description = "d"
        let named = try await fixture.snapshots.modify(snapshot.id, names)
        #expect(named.name == "n" && named.description == "d" && named.releaseAt == nil)
        names.name = ""
        names.description = nil
        let unnamed = try await fixture.snapshots.modify(snapshot.id, names)
        #expect(unnamed.name == nil && unnamed.description == "d")
    }

    @Test("what is locked stays past its time, and goes within an hour after its lock")
    func locked() async throws {
        let (fixture, clock) = try await Self.fixture()
        let volume = try await fixture.volume()
        let snapshot = try await Self.taken(fixture, volume, .days(1))
        let other = try await Self.taken(fixture, volume, .days(1))
        let lock = LockSnapshot(mode: .governance, end: .days(2))
        _ = try await fixture.snapshots.lock(snapshot.id, lock)
        clock.advance(by: Self.day + .seconds(1))
        try await fixture.eventually("the other is released") { try await Self.isGone(fixture, other.id) }
        #expect(try await !Self.isGone(fixture, snapshot.id))
        clock.advance(by: Self.day + .seconds(3600))
        try await fixture.eventually("it is released") { try await Self.isGone(fixture, snapshot.id) }
    }

    @Test("what stayed is left alone for an hour, whatever is renamed or given a time meanwhile")
    func pause() async throws {
        let (fixture, clock) = try await Self.fixture()
        let volume = try await fixture.volume()
        let snapshot = try await Self.taken(fixture, volume, .days(1))
        clock.advance(by: .seconds(1))
        let last = try await Self.taken(fixture, volume, .days(1))
        let kept = try await Self.taken(fixture, volume, nil)
        _ = try await fixture.snapshots.lock(snapshot.id, LockSnapshot(mode: .governance, end: .days(2)))
        clock.advance(by: Self.day + .seconds(1))
        // It is due after the other one: so that was tried before.
        try await fixture.eventually("the last is released") { try await Self.isGone(fixture, last.id) }
        try await fixture.snapshots.unlock(snapshot.id)
        // Any of these may make the keeper look. It does so at each look, until the last one is gone.
        var change = ModifySnapshot()
        change.name = "another"
        _ = try await fixture.snapshots.modify(kept.id, change)
        change.release = .when(.at(clock.now() + .seconds(60)))
        _ = try await fixture.snapshots.modify(kept.id, change)
        clock.advance(by: .seconds(61))
        try await fixture.eventually("the other one is released") { try await Self.isGone(fixture, kept.id) }
        #expect(try await !Self.isGone(fixture, snapshot.id))
        clock.advance(by: .seconds(3600))
        try await fixture.eventually("it is released") { try await Self.isGone(fixture, snapshot.id) }
    }

    @Test("what stayed and is given another time goes at that")
    func anotherTime() async throws {
        let (fixture, clock) = try await Self.fixture()
        let volume = try await fixture.volume()
        let snapshot = try await Self.taken(fixture, volume, .days(1))
        clock.advance(by: .seconds(1))
        let last = try await Self.taken(fixture, volume, .days(1))
        _ = try await fixture.snapshots.lock(snapshot.id, LockSnapshot(mode: .governance, end: .days(2)))
        clock.advance(by: Self.day + .seconds(1))
        try await fixture.eventually("the last is released") { try await Self.isGone(fixture, last.id) }
        try await fixture.snapshots.unlock(snapshot.id)
        var change = ModifySnapshot()
        change.release = .when(.at(clock.now() + .seconds(60)))
        _ = try await fixture.snapshots.modify(snapshot.id, change)
        clock.advance(by: .seconds(61))
        try await fixture.eventually("it is released") { try await Self.isGone(fixture, snapshot.id) }
    }

    @Test("a rule of the bin holds; what is taken out of it is kept for ever")
    func binned() async throws {
        let (fixture, clock) = try await Self.fixture()
        _ = try await fixture.house.bin.createRule(NewBinRule(resourceType: .snapshot, days: 9))
        let volume = try await fixture.volume()
        let snapshot = try await Self.taken(fixture, volume, .days(1))
        clock.advance(by: Self.day + .seconds(1))
        try await fixture.eventually("it is in the bin") { try await fixture.house.bin.holds(snapshot.id) }
        #expect(try await fixture.house.bin.restoreSnapshot(snapshot.id).releaseAt == nil)
        clock.advance(by: Self.day * 30)
        #expect(try await fixture.snapshots.show(snapshot.id).state == .completed)
    }

    @Test("those with whom it is shared do not see when it goes")
    func shared() async throws {
        let (fixture, _) = try await Self.fixture()
        let other = try await fixture.house.accounts.create(named: "other").id
        let stranger = fixture.house.verbs(for: Caller(account: other, principal: "eve", role: .administrator))
        let volume = try await fixture.volume()
        let snapshot = try await Self.taken(fixture, volume, .days(1))
        _ = try await fixture.snapshots.share(snapshot.id, SharingChange(adding: [other]))
        #expect(try await stranger.snapshots.show(snapshot.id).releaseAt == nil)
        var change = ModifySnapshot()
        change.release = .never
        #expect(await refusal { try await stranger.snapshots.modify(snapshot.id, change) } == .missing)
        #expect(try await fixture.snapshots.show(snapshot.id).releaseAt != nil)
    }

    @Test("what is shared stays after its time, and goes once it is shared no more")
    func sharedStays() async throws {
        let (fixture, clock) = try await Self.fixture()
        let other = try await fixture.house.accounts.create(named: "other").id
        let volume = try await fixture.volume()
        let snapshot = try await Self.taken(fixture, volume, .days(1))
        let plain = try await Self.taken(fixture, volume, .days(1))
        _ = try await fixture.snapshots.share(snapshot.id, SharingChange(adding: [other]))
        clock.set(snapshot.createdAt + Self.day * 2)
        try await fixture.eventually("the other one is released") { try await Self.isGone(fixture, plain.id) }
        #expect(try await fixture.snapshots.show(snapshot.id).state == .completed)
        _ = try await fixture.snapshots.share(snapshot.id, SharingChange(removing: [other]))
        clock.advance(by: .seconds(3700))
        try await fixture.eventually("it is released") { try await Self.isGone(fixture, snapshot.id) }
    }
}
