import Blocks
import Catalog
import ControlPlane
import TestSupport
import Testing

/// Ends the process at each step of copying a volume, starts again, and asks once more by the same token.
@Suite(.serialized) struct VolumeCopyCrashSerialTests {
    static let points = [
        "snapshot.recorded", "snapshot.cut", "snapshot.pending", "clone.cut", "volume.recorded", "volume.made",
        "volume.ready",
    ]

    @Test("there is one copy in the end, with the content of an instant at which it was asked for", arguments: points)
    func kill(at point: String) async throws {
        let scratch = try ScratchDirectory("varve-copy-crash")
        let path = scratch.path
        await #expect(processExitsWith: .signal(9), "\(point) is never reached") {
            [path = path as String, point = point as String] in
            let fixture = try await HouseFixture(at: path + "/data")
            let source = try await fixture.volume(.mebibytes(1), name: "source")
            try await fixture.write(source, 0..<60, 1)
            _ = try await fixture.snapshot(source)
            try await fixture.write(source, 40..<90, 2)
            Failpoint.observe { if $0 == point { Machine.killSelf() } }
            _ = try await fixture.volumes.create(VolumeCopyTests.request(source, token: "once"))
        }
        if ["volume.recorded", "volume.made", "volume.ready"].contains(point) {
            // With the copy is recorded what becomes of its snapshot.
            let catalog = try Catalog(sqlite: path + "/data/catalog.sqlite")
            let tasks = try await catalog.change { session in
                let hidden = try session.snapshots().filter(\.isDeleted).map(\.id)
                return try session.unfinishedTasks().filter {
                    $0.kind == TaskView.Kind.deleteSnapshot.rawValue && hidden == [$0.subjectID]
                }
            }
            #expect(tasks.count == 1)
            catalog.close()
        }
        let fixture = try await HouseFixture(at: path + "/data")
        let source = try #require(try await fixture.volumes.list().first { $0.name == "source" }).id
        var image = [UInt8](repeating: 0, count: 256)
        for block in 0..<40 { image[block] = 1 }
        for block in 40..<90 { image[block] = 2 }
        let copies = try await fixture.volumes.list().filter { $0.name == "copy" }.map(\.id)
        #expect(copies.count == (point == "volume.ready" ? 1 : 0))
        for copy in copies {
            _ = try await fixture.volumes.attach(copy)
            #expect(try await fixture.look(copy) == image)
        }
        try await fixture.write(source, 0..<10, 3)
        if copies.isEmpty { for block in 0..<10 { image[block] = 3 } }
        let made = try await fixture.volumes.create(VolumeCopyTests.request(source, token: "once")).id
        #expect(copies.isEmpty || copies == [made])
        _ = try await fixture.volumes.attach(made)
        #expect(try await fixture.look(made) == image)
        try await fixture.eventually("every task ends") {
            try await fixture.house.tasks.list().allSatisfy { $0.state != .running && $0.state != .waiting }
        }
        #expect(try await fixture.volumes.list().count == 2)
        #expect(try LocalDisk().list(path + "/data/volumes").count == 2)
        #expect(try await fixture.snapshots.list().count == 1)
        let status = try await fixture.house.store.status()
        #expect(status.snapshotCount == 1 && status.uploadCount == 0, "\(status)")
        #expect(try await fixture.look(made) == image)
        await fixture.house.close()
    }
}
