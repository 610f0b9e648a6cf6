import Blocks
import ControlPlane
import TestSupport
import Testing

/// Ends the process on the way into the bin and out of it, starts again, and looks.
@Suite(.serialized) struct BinCrashSerialTests {
    /// Where to die, and whether what was deleted is in the bin afterwards.
    static let points: [(String, isBinned: Bool)] = [
        ("delete-snapshot.binned", true), ("delete-volume.binned", true), ("delete-snapshot.recorded", false),
        ("delete-snapshot.rebased", false), ("delete-snapshot.trashed", false), ("delete-snapshot.forgotten", false),
        ("delete-volume.recorded", false), ("delete-volume.removed", false),
    ]

    @Test("after a kill, what was deleted is whole in the bin, or goes for good", arguments: points)
    func kill(at point: String, isBinned: Bool) async throws {
        let scratch = try ScratchDirectory("varve-bin-crash")
        let path = scratch.path
        await #expect(processExitsWith: .signal(9), "\(point) is never reached") {
            [path = path as String, point = point as String] in
            try await BinCrashScript(path: path).run(dyingAt: point)
        }
        try await Self.check(path, isSnapshot: point.hasPrefix("delete-snapshot"), isBinned: isBinned)
    }

    private static func check(_ path: String, isSnapshot: Bool, isBinned: Bool) async throws {
        let fixture = try await HouseFixture(at: path + "/data")
        try await fixture.eventually("every task ends") {
            try await fixture.house.tasks.list().allSatisfy { $0.state != .running && $0.state != .waiting }
        }
        let bin = fixture.house.bin
        // What is made here to look at snapshots is to go at once.
        for rule in try await bin.rules() { try await bin.deleteRule(rule.id) }
        let contents = try await bin.list()
        if isBinned {
            if isSnapshot {
                let snapshot = try await bin.restoreSnapshot(try #require(contents.snapshots.first).object.id)
                #expect(snapshot.tags == ["kept": "yes"])
                #expect(try await fixture.restore(snapshot.id) == BinCrashScript.image)
            } else {
                let volume = try await bin.restoreVolume(try #require(contents.volumes.first).object.id).id
                _ = try await fixture.volumes.attach(volume)
                #expect(try await fixture.look(volume) == BinCrashScript.image)
                _ = try await fixture.volumes.detach(volume)
            }
        } else {
            #expect(isSnapshot ? contents.snapshots.isEmpty : contents.volumes.isEmpty)
        }
        // What was made to look at a snapshot's content goes in the background.
        let volumes = isSnapshot || isBinned ? 1 : 0
        try await fixture.eventually("no more volumes and files than there should be") {
            let files = try LocalDisk().list(path + "/data/volumes").count
            return try await fixture.volumes.list().count == volumes && files == volumes
        }
        let snapshots = try await fixture.snapshots.list()
        #expect(try await fixture.house.store.status().snapshotCount == (isSnapshot ? (isBinned ? 1 : 0) : 1))
        for snapshot in snapshots where !isSnapshot || isBinned {
            #expect(try await fixture.restore(snapshot.id) == BinCrashScript.image)
        }
        #expect(try await fixture.house.store.verify().problems == [])
        await fixture.house.close()
    }
}

/// What the child does: puts a snapshot or a volume into the bin, and empties it.
struct BinCrashScript: Sendable {
    let path: String

    static let image = [UInt8](repeating: 6, count: 200) + [UInt8](repeating: 0, count: 56)

    func run(dyingAt point: String) async throws {
        let fixture = try await HouseFixture(at: path + "/data")
        let bin = fixture.house.bin
        _ = try await bin.createRule(NewBinRule(resourceType: .snapshot, days: 30))
        _ = try await bin.createRule(NewBinRule(resourceType: .volume, days: 30))
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<200, 6)
        let snapshot = try await fixture.snapshots.create(CreateSnapshot(volume: volume, tags: ["kept": "yes"])).id
        _ = try await fixture.snapshots.wait(for: snapshot)
        _ = try await fixture.volumes.detach(volume)
        Failpoint.observe { if $0 == point { Machine.killSelf() } }
        if point.hasPrefix("delete-snapshot") {
            try await fixture.snapshots.delete(snapshot)
            try await bin.empty(snapshot)
        } else {
            try await fixture.volumes.delete(volume)
            try await bin.empty(volume)
        }
        try await fixture.eventually("it is gone") { false }
    }
}
