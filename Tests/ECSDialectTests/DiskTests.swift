import ControlPlane
import Foundation
import TestSupport
import Testing

@testable import ECSDialect

@Suite struct DiskTests {
    private static func disk(_ door: ECSDoor) async throws -> String {
        try await door.ask("CreateDisk", ["ZoneId": door.zone, "Size": "20", "DiskCategory": "cloud_essd"])
            .text("DiskId")
    }

    @Test("disks that are attached, or not, are refused with the codes of the API")
    func attached() async throws {
        let door = try await ECSDoor()
        let host = try await door.ask("CreateInstance").text("InstanceId")
        let disk = try await Self.disk(door), other = try await Self.disk(door)
        let attach = ["InstanceId": host, "DiskId": disk, "Device": "/dev/xvdc"]
        #expect(try await door.ask("AttachDisk", attach).status == 200)
        try await door.refused("AttachDisk", attach, 404, "InvalidDisk.InUse")
        let same = attach.merging(["DiskId": other]) { $1 }
        try await door.refused("AttachDisk", same, 403, "InvalidDevice.InUse")
        try await door.refused("AttachDisk", same.merging(["Device": "c:"]) { $1 }, 400, "InvalidDevice.Malformed")
        try await door.refused(
            "AttachDisk", ["InstanceId": "i-1", "DiskId": other], 404, "InvalidInstanceId.NotFound")
        try await door.refused("DeleteDisk", ["DiskId": disk], 403, "DiskStillAttached")
        try await door.refused("StopInstance", ["InstanceId": host], 403, "IncorrectInstanceStatus")
        #expect(try await door.ask("StartInstance", ["InstanceId": host]).status == 200)
        try await door.refused("DeleteInstance", ["InstanceId": host], 403, "IncorrectInstanceStatus")
        await door.house.close()
    }

    @Test("a disk's description is kept, changed and told")
    func described() async throws {
        let door = try await ECSDoor()
        let new = ["ZoneId": door.zone, "Size": "20", "DiskName": "data", "Description": "of the first kind"]
        let disk = try await door.ask("CreateDisk", new).text("DiskId")
        #expect(try await door.disk(disk)["Description"] as? String == "of the first kind")
        for text in ["x", "http://x", String(repeating: "x", count: 257)] {
            try await door.refused(
                "CreateDisk", new.merging(["Description": text]) { $1 }, 400, "InvalidDescription.Malformed")
            try await door.refused(
                "ModifyDiskAttribute", ["DiskId": disk, "Description": text], 404, "InvalidDescription.Malformed")
        }
        let other = try await door.ask("CreateDisk", new.merging(["Description": ""]) { $1 }).text("DiskId")
        #expect(try await door.disk(other)["Description"] as? String == "")
        let change = ["DiskIds.1": disk, "DiskIds.2": other, "Description": "of another"]
        #expect(try await door.ask("ModifyDiskAttribute", change).status == 200)
        for id in [disk, other] {
            let seen = try await door.disk(id)
            #expect(seen["Description"] as? String == "of another" && seen["DiskName"] as? String == "data")
        }
        try await door.refused("ModifyDiskAttribute", ["DiskId": disk], 400, "NoAttributeToModify")
        await door.house.close()
    }

    @Test("a disk that several instances may have is attached to each, told, found, and taken from each alone")
    func multiAttach() async throws {
        let door = try await ECSDoor()
        let hosts = [
            try await door.ask("CreateInstance").text("InstanceId"),
            try await door.ask("CreateInstance").text("InstanceId"),
        ]
        let new = ["ZoneId": door.zone, "Size": "20", "DiskCategory": "cloud_essd", "MultiAttach": "Enabled"]
        let disk = try await door.ask("CreateDisk", new).text("DiskId"), other = try await Self.disk(door)
        for host in hosts {
            let attach = ["InstanceId": host, "DiskId": disk]
            #expect(try await door.ask("AttachDisk", attach).status == 200)
            try await door.refused("AttachDisk", attach, 404, "InvalidDisk.InUse")
        }
        let seen = try await door.disk(disk)
        #expect(seen["MultiAttach"] as? String == "Enabled" && seen["MountInstanceNum"] as? Int == 2)
        let places = try #require((seen["Attachments"] as? [String: Any])?["Attachment"] as? [[String: Any]])
        #expect(Set(places.compactMap { $0["InstanceId"] as? String }) == Set(hosts))
        for filter in [["InstanceId": hosts[1]], ["MultiAttach": "Enabled"]] {
            let found = try await door.ask("DescribeDisks", filter).list("Disks", "Disk")
            #expect(found.compactMap { $0["DiskId"] as? String } == [disk])
        }
        _ = try await door.ask("AttachDisk", ["InstanceId": hosts[0], "DiskId": other])
        try await door.refused(
            "CreateSnapshotGroup", ["InstanceId": hosts[0]], 403, "InvalidOperation.MultiAttachDisk")
        #expect(try await door.ask("CreateSnapshot", ["DiskId": disk]).status == 200)
        _ = try await door.ask("DetachDisk", ["InstanceId": hosts[0], "DiskId": disk])
        try await door.refused(
            "DetachDisk", ["InstanceId": hosts[0], "DiskId": disk], 404, "InvalidDisk.AlreadyDetached")
        #expect(try await door.disk(disk)["InstanceId"] as? String == hosts[1])
        for wrong in [["MultiAttach": "yes"], ["DiskCategory": "cloud_ssd"]] {
            try await door.refused("CreateDisk", new.merging(wrong) { $1 }, 400, "InvalidParameter")
        }
        await door.house.close()
    }

    @Test("what goes with a disk's instance, or with the disk, is kept, told, found and done")
    func wishes() async throws {
        let door = try await ECSDoor()
        let host = try await door.ask("CreateInstance").text("InstanceId")
        let disk = try await Self.disk(door), other = try await Self.disk(door)
        func words(_ id: String) async throws -> [Bool?] {
            let seen = try await door.disk(id)
            return ["DeleteWithInstance", "DeleteAutoSnapshot", "EnableAutoSnapshot"].map { seen[$0] as? Bool }
        }
        #expect(try await words(disk) == [false, false, true])
        let change = [
            "DiskId": disk, "DeleteWithInstance": "true", "DeleteAutoSnapshot": "true", "EnableAutoSnapshot": "false",
        ]
        #expect(try await door.ask("ModifyDiskAttribute", change).status == 200)
        #expect(try await words(disk) == [true, true, false])
        for name in ["DeleteWithInstance", "DeleteAutoSnapshot", "EnableAutoSnapshot"] {
            let found = try await door.ask("DescribeDisks", [name: change[name] ?? ""]).list("Disks", "Disk")
            #expect(found.compactMap { $0["DiskId"] as? String } == [disk], "\(name)")
        }
        let ask = ["InstanceId": host, "DiskId": disk]
        _ = try await door.ask("AttachDisk", ask)
        #expect(try await words(disk)[0] == true)
        _ = try await door.ask("DetachDisk", ask.merging(["DeleteWithInstance": "false"]) { $1 })
        #expect(try await words(disk) == [false, true, false])
        _ = try await door.ask("AttachDisk", ["InstanceId": host, "DiskId": other, "DeleteWithInstance": "true"])
        _ = try await door.ask("AttachDisk", ask)
        _ = try await door.ask("DeleteInstance", ["InstanceId": host])
        let left = try await door.ask("DescribeDisks").list("Disks", "Disk")
        #expect(left.compactMap { $0["DiskId"] as? String } == [disk])
        await door.house.close()
    }

    @Test("a disk of a stopped instance is what it was made with again")
    func reInit() async throws {
        let door = try await ECSDoor()
        let host = try await door.ask("CreateInstance").text("InstanceId")
        let disk = try await Self.disk(door)
        let ask = ["InstanceId": host, "DiskId": disk]
        _ = try await door.ask("AttachDisk", ask)
        let snapshot = try await door.ask("CreateSnapshot", ["DiskId": disk]).text("SnapshotId")
        try await door.accomplish(snapshot)
        let new = ["ZoneId": door.zone, "SnapshotId": snapshot, "DiskCategory": "cloud_essd"]
        let made = try await door.ask("CreateDisk", new).text("DiskId")
        try await door.eventually("its snapshot is settled") {
            try await door.house.volumes.show(#require(ECSID.native(disk, .disk))).pendingSnapshotIds.isEmpty
        }
        for id in [disk, made] {
            #expect(try await door.ask("ReInitDisk", ["DiskId": id]).status == 200)
            try await door.refused("ReInitDisk", ["DiskId": id, "DryRun": "true"], 400, "DryRunOperation")
        }
        #expect(try await door.disk(disk)["InstanceId"] as? String == host)
        _ = try await door.ask("StartInstance", ask)
        try await door.refused("ReInitDisk", ["DiskId": disk], 403, "IncorrectInstanceStatus")
        try await door.refused("ReInitDisk", ["DiskId": "d-1"], 404, "InvalidDiskId.NotFound")
        let volume = try #require(ECSID.native(made, .disk))
        try await door.eventually("everything is here") {
            try await door.house.volumes.show(volume).hydration.isComplete
        }
        _ = try await door.ask("DeleteSnapshot", ["SnapshotId": snapshot, "Force": "true"])
        try await door.refused("ReInitDisk", ["DiskId": made], 403, "InvalidSourceSnapshot")
        await door.house.close()
    }

    @Test("while a snapshot of it is under way a disk is neither grown, deleted nor initialised")
    func creating() async throws {
        let door = try await ECSDoor()
        let disk = try await door.usedDisk()
        let store = URL(filePath: door.scratch.path + "/data/store"), away = store.appendingPathExtension("away")
        try FileManager.default.moveItem(at: store, to: away)
        let snapshot = try await door.ask("CreateSnapshot", ["DiskId": disk, "RetentionDays": "8"]).text(
            "SnapshotId")
        try await door.refused("ResizeDisk", ["DiskId": disk, "NewSize": "30"], 403, "DiskCreatingSnapshot")
        try await door.refused("DeleteDisk", ["DiskId": disk], 403, "DiskCreatingSnapshot")
        try await door.refused("ReInitDisk", ["DiskId": disk], 403, "DiskCreatingSnapshot")
        let later = ["SnapshotId": snapshot, "RetentionDays": "9"]
        try await door.refused("ModifySnapshotAttribute", later, 400, "InvalidSnapshotId.NotReady")
        // A disk can be made of it from the cut on.
        let made = try await door.ask(
            "CreateDisk", ["ZoneId": door.zone, "SnapshotId": snapshot, "DiskCategory": "cloud_essd"])
        #expect(made.status == 200, "\(made.fields)")
        try FileManager.default.moveItem(at: away, to: store)
        try await door.accomplish(snapshot)
        #expect(try await door.ask("ModifySnapshotAttribute", later).status == 200)
        await door.house.close()
    }
}
