import Blocks
import ControlPlane
import Simulation
import TestSupport
import Testing

/// Ends the process while a snapshot is deleted because its time has come, starts again, and looks.
@Suite(.serialized) struct ReleaseCrashSerialTests {
    @Test(
        "after a kill a release goes on to its end, with one event",
        arguments: ["delete-snapshot.recorded", "delete-snapshot.trashed"])
    func kill(at point: String) async throws {
        let scratch = try ScratchDirectory("varve-release-crash")
        let path = scratch.path
        await #expect(processExitsWith: .signal(9), "\(point) is never reached") {
            [path = path as String, point = point as String] in
            try await ReleaseCrashScript(path: path).run(dyingAt: point)
        }
        let fixture = try await HouseFixture(at: path + "/data")
        try await fixture.eventually("it is released") { try await fixture.snapshots.list().count == 1 }
        try await fixture.eventually("it is deleted") {
            try await fixture.house.tasks.list().contains { $0.kind == .deleteSnapshot && $0.state == .succeeded }
        }
        let kept = try #require(try await fixture.snapshots.list().first)
        #expect(kept.releaseAt == nil)
        #expect(try await fixture.restore(kept.id).prefix(4) == [6, 6, 6, 6])
        let events = try await fixture.house.events.list(EventFilter()).filter { $0.cause == "release" }
        #expect(events.count == 1)
        #expect(try await fixture.house.store.verify().problems == [])
        await fixture.house.close()
    }
}

/// What the child does: takes two snapshots, and lets the time of one come.
struct ReleaseCrashScript: Sendable {
    let path: String

    func run(dyingAt point: String) async throws {
        let clock = ManualClock(passesSleeps: true)
        let fixture = try await HouseFixture(at: path + "/data") { $0.clock = clock }
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<20, 6)
        var request = CreateSnapshot(volume: volume)
        request.release = .days(1)
        let made = try await fixture.snapshots.create(request)
        _ = try await fixture.snapshots.wait(for: made.id)
        _ = try await fixture.snapshot(volume)
        Failpoint.observe { if $0 == point { Machine.killSelf() } }
        clock.advance(by: .seconds(86_401))
        try await Task.sleep(for: .seconds(60))
    }
}
