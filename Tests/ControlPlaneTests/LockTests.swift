import Blocks
import ControlPlane
import Simulation
import Testing

@Suite struct LockTests {
    private static func locked(
        _ mode: SnapshotLockView.Mode, days: Int, coolOff: Int? = nil
    ) async throws -> (HouseFixture, ManualClock, String) {
        let clock = ManualClock(passesSleeps: true)
        let fixture = try await HouseFixture { $0.clock = clock }
        let volume = try await fixture.volume()
        let snapshot = try await fixture.snapshot(volume)
        let request = LockSnapshot(mode: mode, end: .days(days), coolOffHours: coolOff)
        _ = try await fixture.snapshots.lock(snapshot, request)
        return (fixture, clock, snapshot)
    }

    @Test("what is locked is not deleted, until its owner takes the lock back or it expires, also over a restart")
    func governance() async throws {
        let (fixture, clock, snapshot) = try await Self.locked(.governance, days: 2)
        #expect(await refusal { try await fixture.snapshots.delete(snapshot) } == .locked)
        try await fixture.reopen()
        #expect(await refusal { try await fixture.snapshots.delete(snapshot) } == .locked)
        try await fixture.snapshots.unlock(snapshot)
        #expect(await refusal { try await fixture.snapshots.unlock(snapshot) } == .wrongState)
        _ = try await fixture.snapshots.lock(snapshot, LockSnapshot(mode: .governance, end: .days(1)))
        clock.advance(by: .seconds(86_399))
        #expect(await refusal { try await fixture.snapshots.delete(snapshot) } == .locked)
        clock.advance(by: .seconds(1))
        #expect(try await fixture.snapshots.show(snapshot).lock?.state == .expired)
        try await fixture.snapshots.delete(snapshot)
    }

    @Test("what is a matter of compliance is taken back while it cools off, and then only prolonged")
    func compliance() async throws {
        let (fixture, clock, snapshot) = try await Self.locked(.compliance, days: 10, coolOff: 24)
        #expect(try await fixture.snapshots.show(snapshot).lock?.state == .complianceCoolOff)
        try await fixture.snapshots.unlock(snapshot)
        let again = LockSnapshot(mode: .compliance, end: .days(10), coolOffHours: 1)
        _ = try await fixture.snapshots.lock(snapshot, again)
        clock.advance(by: .seconds(3600))
        #expect(try await fixture.snapshots.show(snapshot).lock?.state == .compliance)
        #expect(await refusal { try await fixture.snapshots.unlock(snapshot) } == .locked)
        for shorter in [
            LockSnapshot(mode: .governance, end: .days(20)), LockSnapshot(mode: .compliance, end: .days(9)),
            LockSnapshot(mode: .compliance, end: .days(20), coolOffHours: 5),
        ] {
            #expect(await refusal { _ = try await fixture.snapshots.lock(snapshot, shorter) } == .locked)
        }
        let longer = try await fixture.snapshots.lock(snapshot, LockSnapshot(mode: .compliance, end: .days(20)))
        #expect(longer.state == .compliance && longer.days == 21)
        clock.advance(by: .seconds(15 * 86_400))
        #expect(await refusal { try await fixture.snapshots.delete(snapshot) } == .locked)
        clock.advance(by: .seconds(6 * 86_400))
        try await fixture.snapshots.delete(snapshot)
    }

    @Test("refused requests lock nothing")
    func refusals() async throws {
        let fixture = try await HouseFixture()
        let snapshot = try await fixture.snapshot(fixture.volume())
        let now = SystemClock().now()
        for wrong in [
            LockSnapshot(mode: .governance, end: .days(0)), LockSnapshot(mode: .governance, end: .days(36_501)),
            LockSnapshot(mode: .governance, end: .days(1), coolOffHours: 1),
            LockSnapshot(mode: .compliance, end: .days(1), coolOffHours: 73),
            LockSnapshot(mode: .governance, end: .at(now + .seconds(60))),
        ] {
            #expect(await refusal { _ = try await fixture.snapshots.lock(snapshot, wrong) } == .invalid)
        }
        #expect(try await fixture.snapshots.locks().isEmpty)
        try await fixture.snapshots.delete(snapshot)
    }

    @Test("a lock that must end before the release of its snapshot counts from now, not from when that was taken")
    func release() async throws {
        let clock = ManualClock(passesSleeps: true)
        let fixture = try await HouseFixture { $0.clock = clock }
        var request = CreateSnapshot(volume: try await fixture.volume())
        request.release = .days(10)
        let snapshot = try await fixture.snapshots.create(request).id
        _ = try await fixture.snapshots.wait(for: snapshot)
        clock.advance(by: .seconds(4 * 86_400))
        var lock = LockSnapshot(mode: .governance, end: .days(7))
        lock.endsBeforeRelease = true
        #expect(await refusal { try await fixture.snapshots.lock(snapshot, lock) } == .invalid)
        #expect(try await fixture.snapshots.show(snapshot).lock == nil, "nothing is half locked")
        lock.end = .days(5)
        _ = try await fixture.snapshots.lock(snapshot, lock)
        lock = LockSnapshot(mode: .governance, end: .days(99))
        #expect(try await fixture.snapshots.lock(snapshot, lock).state == .governance)
    }
}
