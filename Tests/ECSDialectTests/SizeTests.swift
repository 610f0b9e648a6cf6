import ControlPlane
import Testing

@testable import ECSDialect

@Suite struct SizeTests {
    @Test(
        "a size beyond what can be counted is refused as too large",
        arguments: [Int.max, 1 << 34, 1 << 33 + 1, 1 << 40])
    func huge(_ size: Int) async throws {
        let door = try await ECSDoor()
        let disk = try await door.ask("CreateDisk", ["ZoneId": door.zone, "Size": "20", "DiskCategory": "cloud_essd"])
            .text("DiskId")
        let volume = try #require(try await door.house.volumes.list().first?.id)
        let made = try await door.house.snapshots.create(CreateSnapshot(volume: volume)).id
        _ = try await door.house.snapshots.wait(for: made)
        let snapshot = try #require(ECSID.name(made, .snapshot))
        for (action, parameters) in [
            ("CreateDisk", ["ZoneId": door.zone, "Size": "\(size)", "DiskCategory": "cloud_essd"]),
            ("CreateDisk", ["ZoneId": door.zone, "Size": "\(size)", "SnapshotId": snapshot]),
            ("ResizeDisk", ["DiskId": disk, "NewSize": "\(size)"]),
            (
                "CreateImage",
                [
                    "ImageName": "huge", "DiskDeviceMapping.1.SnapshotId": snapshot,
                    "DiskDeviceMapping.1.DiskType": "system", "DiskDeviceMapping.1.Size": "\(size)",
                ]
            ),
            (
                "RunInstances",
                [
                    "ImageId": "linux", "InstanceType": "host", "ZoneId": door.zone, "DataDisk.1.Size": "\(size)",
                    "DataDisk.1.Category": "cloud_essd",
                ]
            ),
        ] as [(String, [String: String])] {
            let reply = try await door.ask(action, parameters)
            #expect((400..<500).contains(reply.status), "\(action): \(reply.fields)")
        }
        #expect(try await door.house.volumes.list().map(\.sizeBytes) == [20 << 30])
        #expect(try await door.house.images.list().isEmpty)
        await door.house.close()
    }
}
