import Blocks
import Catalog
import TestSupport
import Testing

@testable import ControlPlane

/// Ends the process at each step of exchanging an instance's disk, starts again, and asks once more by the same token.
@Suite(.serialized) struct RootCrashSerialTests {
    static let points = [
        "root.recorded", "volume.recorded", "volume.made", "volume.ready", "root.made", "root.withdrawn",
        "root.attached", "root.exchanged", "delete-volume.recorded", "delete-volume.removed",
    ]

    @Test("the next start does the rest, and the instance has one disk or the other at any time", arguments: points)
    func kill(at point: String) async throws {
        let scratch = try ScratchDirectory("varve-root-crash")
        let path = scratch.path
        await #expect(processExitsWith: .signal(9), "\(point) is never reached") {
            [path = path as String, point = point as String] in
            let setting = try await RootTests.Setting(HouseFixture(at: path + "/data"))
            Failpoint.observe { if $0 == point { Machine.killSelf() } }
            var request = RootTests.request(setting.instance)
            request.deletesOld = true
            _ = try await setting.fixture.house.instances.replaceRoot(request)
        }
        try await check(path, isDone: true)
    }

    @Test("a failure that is cut off is brought to its end, with the old disk in its place")
    func killFailing() async throws {
        let scratch = try ScratchDirectory("varve-root-crash")
        let path = scratch.path
        await #expect(processExitsWith: .signal(9), "root.failing is never reached") { [path = path as String] in
            let setting = try await RootTests.Setting(HouseFixture(at: path + "/data"))
            let (catalog, root) = (setting.fixture.house.household.catalog, setting.root)
            Failpoint.observe { name in
                if name == "root.failing" { Machine.killSelf() }
                // Taken away between the making of the new disk and the exchange. By the catalog's own thread: no other task is
                // waited for here, where the pool may have no thread left to run one.
                if name == "volume.ready" { try? catalog.changeWaiting { try $0.detachVolume(root) } }
            }
            _ = try await setting.fixture.house.instances.replaceRoot(RootTests.request(setting.instance))
        }
        try await check(path, isDone: false)
    }

    private func check(_ path: String, isDone: Bool) async throws {
        let fixture = try await HouseFixture(at: path + "/data")
        try await fixture.eventually("every task ends") {
            try await fixture.house.tasks.list().allSatisfy { $0.state != .running && $0.state != .waiting }
        }
        let instances = fixture.house.instances
        let instance = try #require(try await instances.list().first)
        let replaced = try #require(try await instances.rootReplacements().first)
        #expect(replaced.state == (isDone ? .succeeded : .failed), "\(replaced.reason ?? "")")
        #expect(try await instances.rootReplacements().count == 1)
        let volumes = try await fixture.volumes.list()
        #expect(try LocalDisk().list(path + "/data/volumes").count == volumes.count)
        #expect(volumes.count == 2)
        if isDone {
            #expect(instance.disks.map(\.volumeId) == [replaced.newVolumeId])
            #expect(!volumes.map(\.id).contains(replaced.oldVolumeId))
            #expect(try await fixture.look(instance.disks[0].volumeId)[0] == 1)
            var again = RootTests.request(instance.id)
            again.deletesOld = true
            #expect(try await instances.replaceRoot(again).id == replaced.id)
        } else {
            // It was detached by hand.
            #expect(instance.disks.isEmpty && volumes.map(\.id).contains(replaced.oldVolumeId))
        }
        await fixture.house.close()
    }
}
