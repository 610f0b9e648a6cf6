import Blocks
import ControlPlane
import TestSupport
import Testing

/// Ends the process on the way to a local copy and away from it, starts again, and looks.
@Suite(.serialized) struct FastRestoreCrashSerialTests {
    @Test(
        "after a kill the copy comes to be, or goes, all the same",
        arguments: ["fast.recorded", "fast.begun", "fast.step", "fast.synced", "fast.whole"])
    func kill(at point: String) async throws {
        let scratch = try ScratchDirectory("varve-fast-crash")
        let path = scratch.path
        await #expect(processExitsWith: .signal(9), "\(point) is never reached") {
            [path = path as String, point = point as String] in
            try await FastRestoreCrashScript(path: path).run(dyingAt: point)
        }
        let fixture = try await HouseFixture(at: path + "/data")
        let id = try #require(try await fixture.snapshots.list().first).id
        try await fixture.eventually("it is enabled") {
            try await fixture.snapshots.fastRestores().map(\.state) == [.enabled]
        }
        try await fixture.quiet()
        let tasks = try await fixture.house.tasks.list().filter { $0.kind == .fetchSnapshot }
        #expect(tasks.map(\.state) == [.succeeded])
        try fixture.hideStore()
        #expect(try await fixture.restore(id) == FastRestoreCrashScript.image)
        try fixture.showStore()
        await fixture.house.close()
    }

    @Test("after a kill while a copy goes it is gone, and what it was kept for is disabled")
    func killGoing() async throws {
        let scratch = try ScratchDirectory("varve-fast-crash")
        let path = scratch.path
        await #expect(processExitsWith: .signal(9), "it is never reached") { [path = path as String] in
            try await FastRestoreCrashScript(path: path).goDying()
        }
        let fixture = try await HouseFixture(at: path + "/data")
        try await fixture.eventually("it is disabled") {
            try await fixture.snapshots.fastRestores().map(\.state) == [.disabled]
        }
        #expect(try LocalDisk().list(fixture.data + "/fast") == [])
        await fixture.house.close()
    }
}

/// What the child does.
struct FastRestoreCrashScript: Sendable {
    let path: String

    static let image = [UInt8](repeating: 6, count: 200) + [UInt8](repeating: 0, count: 56)

    func run(dyingAt point: String) async throws {
        let (fixture, snapshot) = try await begin()
        Failpoint.observe { if $0 == point { Machine.killSelf() } }
        _ = try await fixture.snapshots.restoreFast(snapshot)
        try await enabled(fixture)
    }

    func goDying() async throws {
        let (fixture, snapshot) = try await begin()
        _ = try await fixture.snapshots.restoreFast(snapshot)
        try await enabled(fixture)
        let data = fixture.data
        // The looks before this one had nothing to remove.
        Failpoint.observe { point in
            if point == "fast.removed", (try? LocalDisk().list(data + "/fast")) == [] { Machine.killSelf() }
        }
        _ = try await fixture.snapshots.restoreNoMoreFast(snapshot)
        try await Task.sleep(for: .seconds(120))
    }

    private func begin() async throws -> (HouseFixture, String) {
        let fixture = try await HouseFixture(at: path + "/data")
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<200, 6)
        return (fixture, try await fixture.snapshot(volume))
    }

    private func enabled(_ fixture: HouseFixture) async throws {
        try await fixture.eventually("it is enabled") {
            try await fixture.snapshots.fastRestores().map(\.state) == [.enabled]
        }
    }
}
