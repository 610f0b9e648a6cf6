import Blocks
import ControlPlane
import TestSupport
import Testing

@testable import ECSDialect

@Suite struct GroupTests {
    private static func disk(_ door: ECSDoor, _ category: String = "cloud_essd") async throws -> String {
        try await door.usedDisk(category)
    }

    @Test("a group is one cut over disks, is described, set back and deleted as one")
    func group() async throws {
        let door = try await ECSDoor()
        let host = try await door.ask("CreateInstance").text("InstanceId")
        let disks = [try await Self.disk(door), try await Self.disk(door)]
        for disk in disks { _ = try await door.ask("AttachDisk", ["InstanceId": host, "DiskId": disk]) }
        let made = try await door.ask(
            "CreateSnapshotGroup", ["InstanceId": host, "Name": "both", "Tag.1.Key": "k", "Tag.1.Value": "v"])
        let group = try made.text("SnapshotGroupId")
        let tag = ["ResourceType": "snapshotgroup", "ResourceId.1": group]
        let more = ["Tag.1.Key": "of", "Tag.1.Value": "the group"]
        #expect(try await door.ask("TagResources", tag.merging(more) { $1 }).status == 200)
        let told = try await door.ask("ListTagResources", tag).list("TagResources", "TagResource")
        #expect(told.compactMap { $0["TagKey"] as? String } == ["k", "of"])
        #expect(try await door.ask("UntagResources", tag.merging(["TagKey.1": "k"]) { $1 }).status == 200)
        #expect(group.hasPrefix("ssg-") && group.utf8.count == 24)
        let found = try await door.ask("DescribeSnapshotGroups", ["SnapshotGroupId.1": group])
        let one = try #require(try found.list("SnapshotGroups", "SnapshotGroup").first)
        #expect(one["Name"] as? String == "both")
        let own = try #require((one["Tags"] as? [String: Any])?["Tag"] as? [[String: String]])
        #expect(own == [["Key": "of", "Value": "the group"]])
        let members = try #require((one["Snapshots"] as? [String: Any])?["Snapshot"] as? [[String: Any]])
        #expect(Set(members.compactMap { $0["SourceDiskId"] as? String }) == Set(disks))
        let tags = try #require((members[0]["Tags"] as? [String: Any])?["Tag"] as? [[String: String]])
        #expect(tags == [["Key": "k", "Value": "v"]])
        try await door.refused(
            "TagResources", more.merging(["ResourceType": "snapshotgroup", "ResourceId.1": "ssg-0"]) { $1 }, 404,
            "InvalidResourceId.NotFound")
        // A token makes one group, and is good for one request.
        let again = ["InstanceId": host, "ClientToken": "t-1", "Name": "once"]
        let once = try await door.ask("CreateSnapshotGroup", again).text("SnapshotGroupId")
        #expect(try await door.ask("CreateSnapshotGroup", again).text("SnapshotGroupId") == once)
        try await door.refused(
            "CreateSnapshotGroup", again.merging(["Name": "twice"]) { $1 }, 403, "IdempotentParameterMismatch")
        _ = try await door.ask("DeleteSnapshotGroup", ["SnapshotGroupId": once])
        try await door.refused("ModifySnapshotGroup", ["SnapshotGroupId": group], 400, "NoAttributeToModify")
        #expect(
            try await door.ask("ModifySnapshotGroup", ["SnapshotGroupId": group, "Name": "two"]).status == 200)
        let renamed = try await door.ask("DescribeSnapshotGroups", ["Name": "two"])
        #expect(try renamed.list("SnapshotGroups", "SnapshotGroup").count == 1)
        // Its snapshots keep the name that they were taken with.
        #expect(try await door.ask("DescribeSnapshots", ["SnapshotName": "both"]).fields["TotalCount"] as? Int == 2)
        var pairs: [String: String] = [:]
        for (index, member) in members.enumerated() {
            let id = try #require(member["SnapshotId"] as? String)
            try await door.accomplish(id)
            pairs["Disk.\(index + 1).DiskId"] = try #require(member["SourceDiskId"] as? String)
            pairs["Disk.\(index + 1).SnapshotId"] = id
        }
        let reset = try await door.ask("ResetDisks", pairs)
        #expect(try reset.list("OperationProgressSet", "OperationProgress").count == 2)
        _ = try await door.ask("StartInstance", ["InstanceId": host])
        try await door.refused("ResetDisks", pairs, 403, "IncorrectInstanceStatus")
        let deleted = try await door.ask("DeleteSnapshotGroup", ["SnapshotGroupId": group])
        let rows = try deleted.list("OperationProgressSet", "OperationProgress")
        #expect(rows.compactMap { $0["OperationStatus"] as? String } == ["Success", "Success"])
        try await door.refused(
            "DeleteSnapshotGroup", ["SnapshotGroupId": group], 404, "InvalidSnapshotGroupId.NotFound")
    }

    @Test("wrong groups are refused with the codes of the API")
    func refusals() async throws {
        let door = try await ECSDoor()
        let disk = try await Self.disk(door), slow = try await Self.disk(door, "cloud_ssd")
        let host = try await door.ask("CreateInstance").text("InstanceId")
        func refused(_ parameters: [String: String], _ status: Int, _ code: String) async throws {
            try await door.refused("CreateSnapshotGroup", parameters, status, code)
        }
        try await refused([:], 400, "MissingParamter.InstanceId")
        try await refused(["InstanceId": host], 403, "InvalidInstance.NoDisk")
        try await refused(["DiskId.1": "d-x"], 404, "InvalidDiskId.NotFound")
        try await refused(["DiskId.1": slow], 400, "DiskCategory.OperationNotSupported")
        try await refused(
            ["DiskId.1": disk, "ExcludeDiskId.1": slow], 400, "InvalidParam.ExcludeDiskIdsAndDiskIds.Conflict")
        try await refused(["DiskId.1": disk, "Name": "auto-x"], 400, "InvalidParameter.Name")
        try await refused(["DiskId.1": disk, "Description": "x"], 400, "InvalidParameter.Description")
        let new = ["ZoneId": door.zone, "Size": "20", "DiskCategory": "cloud_essd"]
        let unused = try await door.ask("CreateDisk", new).text("DiskId")
        try await refused(["DiskId.1": disk, "DiskId.2": unused], 403, "IncorrectDiskStatus.NeverAttached")
        #expect(try await door.house.snapshots.list().isEmpty)
    }

    @Test("locks, the archive, chains, usage and copies, in Alibaba's words")
    func keeping() async throws {
        let door = try await ECSDoor()
        let disk = try await Self.disk(door)
        let snapshot = try await door.ask("CreateSnapshot", ["DiskId": disk]).text("SnapshotId")
        try await door.accomplish(snapshot)
        let lock = ["SnapshotId": snapshot, "LockMode": "compliance", "LockDuration": "2", "CoolOffPeriod": "1"]
        let info = try #require(try await door.ask("LockSnapshot", lock).fields["LockedSnapshotInfo"] as? [String: Any])
        #expect(info["LockStatus"] as? String == "compliance-cooloff" && info["LockDuration"] as? Int == 2)
        try await door.refused(
            "DeleteSnapshot", ["SnapshotId": snapshot], 403, "InvalidOperation.SnapshotIsLocked")
        let locked = try await door.ask("DescribeLockedSnapshots", ["SnapshotIds.1": snapshot])
        #expect((locked.fields["LockedSnapshotsInfo"] as? [[String: Any]])?.count == 1)
        #expect(try await door.ask("UnlockSnapshot", ["SnapshotId": snapshot]).status == 200)
        try await door.refused(
            "LockSnapshot", lock.merging(["LockMode": "governance"]) { _, new in new }, 400, "InvalidParameter")
        let brief = try await door.ask("CreateSnapshot", ["DiskId": disk, "RetentionDays": "1"]).text("SnapshotId")
        try await door.accomplish(brief)
        try await door.refused(
            "LockSnapshot", lock.merging(["SnapshotId": brief]) { _, new in new }, 400, "InvalidLockDuration.Malformed")
        #expect(try await door.ask("DeleteSnapshot", ["SnapshotId": brief]).status == 200)
        let links = try await door.ask("DescribeSnapshotLinks").list("SnapshotLinks", "SnapshotLink")
        #expect(links.first?["SourceDiskId"] as? String == disk && links.first?["TotalCount"] as? Int == 1)
        try await door.refused("DescribeSnapshotLinks", ["DiskIds": "x"], 400, "InvalidDiskIds")
        try await door.refused("DescribeSnapshotLinks", ["SnapshotLinkIds": "x"], 400, "InvalidSnapshotLinkIds")
        #expect(try await door.ask("DescribeSnapshotsUsage").fields["SnapshotCount"] as? Int == 1)
        let copy = [
            "SnapshotId": snapshot, "DestinationRegionId": "nowhere", "DestinationSnapshotName": "copy",
            "DestinationSnapshotDescription": "a copy",
        ]
        try await door.refused("CopySnapshot", copy, 403, "InvalidRegionId.NotExists")
        try await door.refused(
            "CopySnapshot", copy.merging(["DestinationRegionId": door.house.region.name]) { _, new in new }, 403,
            "InvalidOperation.NotSupportCopyInSameRegion")
        try await door.refused(
            "ModifySnapshotCategory", ["SnapshotId": snapshot, "Category": "Archive", "RetentionDays": "9"], 400,
            "InvalidRetentionDays.Malformed")
        #expect(
            try await door.ask("ModifySnapshotCategory", ["SnapshotId": snapshot, "Category": "Archive"]).status == 200)
        #expect(try await door.snapshot(snapshot)["Category"] as? String == "archive")
    }

    @Test("a copy comes to another region, with an id of its own, and cannot set the disk back")
    func copied() async throws {
        let door = try await ECSDoor { plan in
            plan.region = Region(name: "cn-hangzhou")
            plan.moreRegions = [RegionPlan(region: Region(name: "cn-beijing"))]
        }
        let disk = try await Self.disk(door)
        let snapshot = try await door.ask("CreateSnapshot", ["DiskId": disk]).text("SnapshotId")
        try await door.accomplish(snapshot)
        let copy = try await door.ask(
            "CopySnapshot",
            [
                "SnapshotId": snapshot, "DestinationRegionId": "cn-beijing", "DestinationSnapshotName": "copy",
                "DestinationSnapshotDescription": "a copy", "RetentionDays": "3",
            ]
        ).text("SnapshotId")
        let verbs = try #require(door.house.verbs(for: .root, in: "cn-beijing"))
        _ = try await verbs.snapshots.wait(for: #require(ECSID.native(copy, .snapshot)))
        let seen = try await door.ask("DescribeSnapshots", ["RegionId": "cn-beijing"]).list("Snapshots", "Snapshot")
        #expect(seen.first?["SourceSnapshotId"] as? String == snapshot && seen.first?["RetentionDays"] as? Int == 3)
        #expect(seen.first?["SourceRegionId"] as? String == "cn-hangzhou")
    }
}
