import Blocks
import ControlPlane
import TestSupport
import Testing

/// Ends the process on the way into the archive and out of it, starts again, and looks.
@Suite(.serialized) struct TierCrashSerialTests {
    @Test(
        "after a kill a snapshot is in the archive, without an export, or out of it, and whole",
        arguments: [
            "archive.recorded", "archive.restored",
        ])
    func kill(at point: String) async throws {
        let scratch = try ScratchDirectory("varve-tier-crash")
        let path = scratch.path
        await #expect(processExitsWith: .signal(9), "\(point) is never reached") {
            [path = path as String, point = point as String] in
            try await TierCrashScript(path: path).run(dyingAt: point)
        }
        let fixture = try await HouseFixture(at: path + "/data")
        let snapshot = try #require(try await fixture.snapshots.list().first)
        #expect(snapshot.tier?.isArchived == (point == "archive.recorded"))
        #expect(snapshot.sharing == nil && snapshot.uri == nil && fixture.board.device(snapshot.id) == nil)
        if snapshot.tier?.isArchived == true {
            #expect(await refusal { try await fixture.restore(snapshot.id) } == .wrongState)
            _ = try await fixture.snapshots.restoreArchived(snapshot.id)
        }
        #expect(try await fixture.restore(snapshot.id) == TierCrashScript.image)
        #expect(try await fixture.house.store.verify().problems == [])
        await fixture.house.close()
    }
}

/// What the child does: archives a shared and exported snapshot, and restores it.
struct TierCrashScript: Sendable {
    let path: String

    static let image = [UInt8](repeating: 6, count: 200) + [UInt8](repeating: 0, count: 56)

    func run(dyingAt point: String) async throws {
        let fixture = try await HouseFixture(at: path + "/data")
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<200, 6)
        let snapshot = try await fixture.snapshot(volume)
        _ = try await fixture.snapshots.share(snapshot, SharingChange(adding: ["123456789012"]))
        _ = try await fixture.snapshots.attach(snapshot)
        Failpoint.observe { if $0 == point { Machine.killSelf() } }
        _ = try await fixture.snapshots.archive(snapshot)
        _ = try await fixture.snapshots.restoreArchived(snapshot, days: 180)
    }
}
