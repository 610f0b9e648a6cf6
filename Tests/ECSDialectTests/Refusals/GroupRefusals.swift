import Blocks
import ControlPlane
import TestSupport

@testable import ECSDialect

/// Disks that are not snapshotted, and not set back, as one.
enum GroupRefusals {
    static let table = RefusalTable("groups", in: groups, cuts + changes)

    private static let groups: @Sendable () async throws -> Scene = {
        let door = try await ECSDoor { $0.region = Region(name: "cn-hangzhou", zoneCount: 2) }
        var names = ["slow": try await door.makeDisk("cloud_ssd")]
        for number in 1...17 { names["disk\(number)"] = try await door.makeDisk() }
        for number in 1...3 { names["large\(number)"] = try await door.makeDisk("cloud_essd", ["Size": "11000"]) }
        names["elsewhere"] = try await door.makeDisk("cloud_essd", ["ZoneId": door.house.region.zones[1].name])
        names["regional"] = try await door.makeDisk("cloud_regional_disk_auto")
        names["empty"] = try await door.ask("CreateInstance").text("InstanceId")
        var shared = CreateVolume(size: .gibibytes(20))
        shared.profile = VolumeProfile(kind: "io2", iops: 100)
        shared.isShared = true
        names["shared"] = ECSID.name(try await door.house.volumes.create(shared).id, .disk)
        let unready = try await door.house.volumes.beginImport(size: .gibibytes(20), name: nil)
        names["unready"] = ECSID.name(unready.id, .disk)
        let made = try await door.ask("CreateSnapshotGroup", ["DiskId.1": names["disk1"] ?? ""])
        names["group"] = try made.text("SnapshotGroupId")
        names["single"] = try await door.makeSnapshot(of: names["disk2"] ?? "")
        return Scene(door, names)
    }

    private static func cut(
        _ situation: String, _ parameters: [String: String], _ status: Int, _ code: String, _ message: String
    ) -> Refusal {
        Refusal(situation, "CreateSnapshotGroup", parameters, status, code, message)
    }

    private static let cuts = [
        cut(
            "nothing named", [:], 400, "MissingParamter.InstanceId", "The specified InstanceId should not be null."),
        cut("no such instance", ["InstanceId": "i-x"], 404, "InvalidInstanceId.NotFound", Words.noInstance),
        cut(
            "an instance without disks", ["InstanceId": "{empty}"], 403, "InvalidInstance.NoDisk",
            "There is no disk mounted on the instance."),
        cut("no such disk", ["DiskId.1": "d-x"], 404, "InvalidDiskId.NotFound", Words.noDiskID),
        cut(
            "a disk of no such instance", ["DiskId.1": "{disk1}", "InstanceId": "{empty}"], 404,
            "InvalidDiskId.NotFound", Words.noDiskID),
        cut(
            "a disk twice", ["DiskId.1": "{disk1}", "DiskId.2": "{disk1}"], 400, "InvalidParameter",
            Words.parameter("DiskId")),
        cut(
            "with and without disks", ["DiskId.1": "{disk1}", "ExcludeDiskId.1": "{disk2}"], 400,
            "InvalidParam.ExcludeDiskIdsAndDiskIds.Conflict",
            "The use of parameter 'ExcludeDiskIds' and 'DiskIds' at the same time is not supported."),
        cut(
            "of another family", ["DiskId.1": "{slow}"], 400, "DiskCategory.OperationNotSupported", Words.category),
        cut(
            "of several instances at a time", ["DiskId.1": "{disk1}", "DiskId.2": "{shared}"], 403,
            "InvalidOperation.MultiAttachDisk", "Multi attach disk does not support this operation."),
        cut(
            "a regional one among others", ["DiskId.1": "{disk1}", "DiskId.2": "{regional}"], 403,
            "InvalidDisk.DiskCategoryInconsistent",
            "If any specified disk is of a regional disk category, then all disks must also be of that regional disk "
                + "category."),
        cut(
            "in two zones", ["DiskId.1": "{disk1}", "DiskId.2": "{elsewhere}"], 400, "InvalidDiskIds.NotInSameZone",
            "The specified disks are not in the same availability zone."),
        cut("being filled", ["DiskId.1": "{unready}"], 403, "IncorrectDiskStatus", Words.diskStatus),
        cut(
            "17 disks", Words.list("DiskId.N", 17) { "{disk\($0)}" }, 403, "NumberExceed.TooManyDisks",
            "The number of all disks in the request exceeds."),
        cut(
            "33,000 GiB", Words.list("DiskId.N", 3) { "{large\($0)}" }, 403, "CapacityExceed.TooManyDisks",
            "The capacity of all disks in the request exceeds."),
        cut(
            "a wrong name", ["DiskId.1": "{disk1}", "Name": "auto-x"], 400, "InvalidParameter.Name",
            "The specified Name is invalid."),
        cut(
            "a wrong description", ["DiskId.1": "{disk1}", "Description": "x"], 400, "InvalidParameter.Description",
            "The specified Description is invalid."),
        cut("a tag twice", ["Tag.1.Key": "k", "Tag.2.Key": "k"], 400, "Duplicate.TagKey", Words.tagTwice),
    ]

    private static let changes = [
        Refusal(
            "11 groups", "DescribeSnapshotGroups", Words.list("SnapshotGroupId.N", 11), 400, "InvalidParameter",
            Words.parameter("SnapshotGroupId")),
        Refusal(
            "nothing to change", "ModifySnapshotGroup", ["SnapshotGroupId": "{group}"], 400, "NoAttributeToModify",
            Words.noAttribute),
        Refusal(
            "no such group", "ModifySnapshotGroup", ["SnapshotGroupId": "ssg-x", "Name": "new"], 404,
            "InvalidSnapshotGroupId.NotFound", "The specified SnapshotGroupId ssg-x does not exist."),
        Refusal(
            "no such group", "DeleteSnapshotGroup", ["SnapshotGroupId": "ssg-x"], 404,
            "InvalidSnapshotGroupId.NotFound", "The specified SnapshotGroupId ssg-x does not exist."),
        Refusal("nothing named", "ResetDisks", [:], 400, "MissingParameter", Words.missing("Disk")),
        Refusal(
            "11 disks", "ResetDisks", Words.list("Disk.N.DiskId", 11), 400, "InvalidParameter",
            Words.parameter("Disk")),
        Refusal(
            "of no group", "ResetDisks", ["Disk.1.DiskId": "{disk2}", "Disk.1.SnapshotId": "{single}"], 403,
            "InvalidParameter.Mismatch", "The specified snapshots are not members of one snapshot group."),
        Refusal(
            "another disk's", "ResetDisks", ["Disk.1.DiskId": "{disk1}", "Disk.1.SnapshotId": "{single}"], 403,
            "InvalidParameter.Mismatch", "The specified snapshot is not created from the specified disk."),
    ]
}
