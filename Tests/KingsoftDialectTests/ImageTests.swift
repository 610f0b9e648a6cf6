import ControlPlane
import Testing

@testable import KingsoftDialect

@Suite struct ImageTests {
    @Test("an image is made of a snapshot, which stays as long as the image does, and instances are made of it")
    func ofSnapshots() async throws {
        let counter = try await Counter()
        let volume = try await counter.volume(), snapshot = try await counter.snapshot(volume)
        let made = try await counter.ask("CreateImage", ["Name": "golden", "SnapshotIds.1": snapshot], .kec)
        let image = try #require(made.text("ImageId"), "\(made.body)")
        let shown = try #require(
            try await counter.ask("DescribeImages", ["ImageId": image], .kec).list("ImagesSet").first)
        for (type, count) in [("CommonImage", 1), ("LocalImage", 0)] {
            #expect(
                try await counter.ask("DescribeImages", ["ImageType": type], .kec).list("ImagesSet").count == count)
        }
        #expect(
            try await counter.ask("DescribeImages", ["ImageType": "x"], .kec).code == "ImageTypeInvalidParameterValue")
        #expect(shown["Name"] as? String == "golden" && shown["ImageState"] as? String == "active")
        #expect(shown["ImageSource"] as? String == "extend" && shown["SysDisk"] as? Int == 10)
        #expect((shown["SnapshotSet"] as? [[String: Any]])?.map { $0["SnapshotId"] as? String } == [snapshot])
        let related = try await counter.ask("DescribeSnapshots", ["SnapshotId": snapshot]).list("Snapshots").first
        #expect(related?["ImageRelated"] as? Bool == true)
        let refused = try await counter.ask("DeleteSnapshot", ["SnapshotId": snapshot])
        #expect(refused.status == 400 && refused.code == "SnapshotCreatedImage")
        #expect(refused.message == "The snapshot has been used to create user defined image(s).")
        let launched = try await counter.ask(
            "RunInstances", ["ImageId": image, "MinCount": "1", "MaxCount": "1"], .kec)
        let host = try #require(launched.list("InstancesSet").first?["InstanceId"] as? String, "\(launched.body)")
        let instance = try #require(
            try await counter.ask("DescribeInstances", ["InstanceId.1": host], .kec).list("InstancesSet").first)
        #expect(
            (instance["SystemDisk"] as? [String: Any])?["DiskSize"] as? Int == 10
                && instance["ImageId"] as? String == image)
        let system = try await counter.ask("DescribeVolumes", ["VolumeCategory": "system"]).list("Volumes")
        #expect(system.count == 1 && system[0]["InstanceId"] as? String == host)
        for (parameters, code) in [
            (["Name": "golden", "SnapshotIds.1": snapshot], "NameInvalidParameterValue"),
            (["Name": "x"], "NameInvalidParameterValue"), (["Name": "other"], "InstanceIdRequired"),
            (["SnapshotIds.1": snapshot], "NameRequired"),
            (["Name": "other", "SnapshotIds.1": "x"], "SnapshotCanNotFoundError"),
            (["Name": "other", "InstanceId": "x"], "InstanceCanNotFoundError"),
        ] {
            let said = try await counter.ask("CreateImage", parameters, .kec)
            #expect(said.code == code, "\(parameters): \(said.body)")
        }
        let removed = try await counter.ask("RemoveImages", ["ImageId": image], .kec)
        #expect(removed.list("ReturnSet").first?["Return"] as? Bool == true)
        #expect(try await counter.ask("RemoveImages", ["ImageId.1": image], .kec).code == "ImageCanNotFoundError")
        #expect(try await counter.ask("DeleteSnapshot", ["SnapshotId": snapshot])["Return"] as? Bool == true)
        await counter.house.close()
    }

    @Test("an image of an instance has its disks, and is shared with who is named")
    func ofInstance() async throws {
        let counter = try await Counter()
        let host = try await counter.instance(), volume = try await counter.volume()
        #expect(
            try await counter.ask("CreateImage", ["Name": "whole", "InstanceId": host], .kec).code
                == "InstanceStatusError")
        _ = try await counter.ask("AttachVolume", ["VolumeId": volume, "InstanceId": host])
        let made = try await counter.ask("CreateImage", ["Name": "whole", "InstanceId": host], .kec)
        let image = try #require(made.text("ImageId"), "\(made.body)")
        // What is not stored yet cannot be shared.
        let id = try #require(KingsoftID.id(image, .image))
        for disk in try await counter.house.images.show(id).disks {
            if let snapshot = disk.snapshotId { _ = try await counter.house.snapshots.wait(for: snapshot) }
        }
        for _ in 0..<1000 where try await counter.house.images.show(id).state == .pending {
            try await Task.sleep(for: .milliseconds(10))
        }
        let other = try await counter.house.accounts.create(named: "others").id
        let share = ["ImageId": image, "AccountId.1": other, "Permission": "share"]
        #expect(try await counter.ask("ModifyImageSharePermission", share, .kec)["Return"] as? Bool == true)
        let said = try await counter.ask("DescribeImageSharePermission", ["ImageId": image], .kec)
        #expect(said.list("SharePermissionSet").map { $0["AccountId"] as? String } == [other])
        let cancel = share.merging(["Permission": "cancel"]) { $1 }
        #expect(try await counter.ask("ModifyImageSharePermission", cancel, .kec)["Return"] as? Bool == true)
        #expect(
            try await counter.ask("DescribeImageSharePermission", ["ImageId": image], .kec)["SharePermissionSet"]
                as? [String] == [])
        let wrong = share.merging(["Permission": "own"]) { $1 }
        #expect(
            try await counter.ask("ModifyImageSharePermission", wrong, .kec).code == "PermissionInvalidParameterValue")
        await counter.house.close()
    }
}
