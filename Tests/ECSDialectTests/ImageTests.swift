import Blocks
import ControlPlane
import TestSupport
import Testing

@testable import ECSDialect

@Suite struct ImageTests {
    @Test(
        "an image is made of a system disk's snapshot, described, launched, and holds the snapshot until it is deleted")
    func image() async throws {
        let door = try await ECSDoor()
        let host = try await door.ask(
            "CreateInstance", ["SystemDisk.Size": "40", "SystemDisk.Category": "cloud_essd", "DataDisk.1.Size": "20"]
        ).text("InstanceId")
        let disks = try await door.ask("DescribeDisks", ["InstanceId": host]).list("Disks", "Disk")
        let system = try #require(disks.first { $0["Type"] as? String == "system" }?["DiskId"] as? String)
        let data = try #require(disks.first { $0["Type"] as? String == "data" }?["DiskId"] as? String)
        let snapshot = try await door.ask("CreateSnapshot", ["DiskId": system]).text("SnapshotId")
        let other = try await door.ask("CreateSnapshot", ["DiskId": data]).text("SnapshotId")
        for id in [snapshot, other] { try await door.accomplish(id) }
        func refused(_ parameters: [String: String], _ status: Int, _ code: String) async throws {
            try await door.refused(
                "CreateImage", parameters.merging(["ImageName": "base"]) { a, _ in a }, status, code)
        }
        try await refused([:], 400, "MissingParameter")
        try await refused(["SnapshotId": other], 403, "OperationDenied")
        try await refused(["SnapshotId": "s-x"], 404, "InvalidSnapshotId.NotFound")
        try await refused(["SnapshotId": snapshot, "ImageName": "1"], 400, "InvalidImageName.Malformed")
        try await refused(["DiskDeviceMapping.1.SnapshotId": other], 400, "OperationDenied")
        let image = try await door.ask("CreateImage", ["ImageName": "base", "SnapshotId": snapshot]).text("ImageId")
        #expect(image.hasPrefix("m-") && image.utf8.count == 22)
        try await refused(["SnapshotId": snapshot], 400, "InvalidImageName.Duplicated")
        let found = try #require(try await door.ask("DescribeImages").list("Images", "Image").first)
        #expect(found["ImageId"] as? String == image && found["Size"] as? Int == 40)
        #expect(found["ImageOwnerAlias"] as? String == "self" && found["Usage"] as? String == "none")
        #expect(try await door.snapshot(snapshot)["Usage"] as? String == "image")
        try await door.refused("DeleteSnapshot", ["SnapshotId": snapshot], 403, "SnapshotCreatedImage")
        let made = try await door.ask("CreateInstance", ["ImageId": image]).text("InstanceId")
        let root = try #require(
            try await door.ask("DescribeDisks", ["InstanceId": made]).list("Disks", "Disk").first)
        #expect(root["Type"] as? String == "system" && root["SourceSnapshotId"] as? String == snapshot)
        // A new disk of the image in place of the one that the first instance starts from; that one goes.
        let replace = ["InstanceId": host, "ImageId": image, "SystemDisk.Size": "50", "ClientToken": "t-1"]
        try await door.refused(
            "ReplaceSystemDisk", ["InstanceId": host, "ImageId": "m-1"], 404, "InvalidImageId.NotFound")
        let new = try await door.ask("ReplaceSystemDisk", replace).text("DiskId")
        #expect(try await door.ask("ReplaceSystemDisk", replace).text("DiskId") == new && new != system)
        let seen = try await door.disk(new)
        #expect(
            seen["InstanceId"] as? String == host && seen["Type"] as? String == "system" && seen["Size"] as? Int == 50)
        #expect(try await door.ask("DescribeDisks", ["DiskIds": "[\"\(system)\"]"]).list("Disks", "Disk").isEmpty)
        _ = try await door.ask("StartInstance", ["InstanceId": host])
        try await door.refused(
            "ReplaceSystemDisk", ["InstanceId": host, "ImageId": image], 403, "IncorrectInstanceStatus")
        try await door.refused("DeleteImage", ["ImageId": image], 403, "ImageUsingByInstance")
        #expect(try await door.ask("DeleteImage", ["ImageId": image, "Force": "true"]).status == 200)
        #expect(try await door.ask("DeleteImage", ["ImageId": image]).status == 200)
        #expect(try await door.ask("DeleteSnapshot", ["SnapshotId": snapshot, "Force": "true"]).status == 200)
    }
}
