import Blocks
import ControlPlane
import TestSupport

@testable import ECSDialect

/// Disks that are not made, not shown, not deleted.
enum DiskRefusals {
    static let table = RefusalTable("disks", in: disks, creations + lists + deletions)

    private static let disks: @Sendable () async throws -> Scene = {
        let door = try await ECSDoor()
        let disk = try await door.makeDisk(), attached = try await door.makeDisk()
        let full = try await door.ask(
            "CreateInstance", ["SystemDisk.Size": "20"].merging(Words.list("DataDisk.N.Size", 16) { _ in "20" }) { $1 }
        ).text("InstanceId")
        let host = try await door.ask("CreateInstance").text("InstanceId")
        _ = try await door.ask("AttachDisk", ["InstanceId": host, "DiskId": attached])
        let archived = try await door.makeSnapshot(of: disk)
        _ = try await door.ask("ModifySnapshotCategory", ["SnapshotId": archived, "Category": "Archive"])
        _ = try await door.makeDisk("cloud_essd", ["ClientToken": "used"])
        let gone = try await door.makeDisk("cloud_essd", ["ClientToken": "gone"])
        _ = try await door.ask("DeleteDisk", ["DiskId": gone])
        return Scene(
            door, ["disk": disk, "attached": attached, "full": full, "archived": archived, "host": host])
    }

    private static func creation(
        _ situation: String, _ change: [String: String], _ status: Int, _ code: String, _ message: String
    ) -> Refusal {
        let usual = ["ZoneId": "{zone}", "Size": "20", "DiskCategory": "cloud_essd"]
        return Refusal(situation, "CreateDisk", usual.merging(change) { $1 }, status, code, message)
    }

    private static let sizes = [
        ("cloud", "", 4), ("cloud", "", 2001), ("cloud_efficiency", "", 19), ("cloud_ssd", "", 32_769),
        ("cloud_essd", "PL0", 0), ("cloud_essd", "PL1", 19), ("cloud_essd", "PL2", 460), ("cloud_essd", "PL3", 1260),
        ("cloud_essd", "PL1", 65_537), ("cloud_auto", "", 0), ("cloud_essd_entry", "", 9),
        ("cloud_regional_disk_auto", "", 9),
    ].map { category, level, size in
        creation(
            "a size that \(category) \(level) has not",
            ["DiskCategory": category, "PerformanceLevel": level, "Size": "\(size)"], 400,
            "InvalidSize.ValueNotSupported", Words.size)
    }

    private static let creations =
        sizes + [
            creation("no zone", ["ZoneId": ""], 400, "MissingParameter", Words.missing("ZoneId")),
            creation("no such zone", ["ZoneId": "nowhere"], 404, "InvalidZoneId.NotFound", Words.zone),
            creation(
                "neither size nor snapshot", ["Size": ""], 400, "MissingParameter",
                "The input parameter either \"SnapshotId\" or \"Size\" should be specified."),
            creation("no number", ["Size": "x"], 400, "InvalidParameter", Words.parameter("Size")),
            creation(
                "no such category", ["DiskCategory": "gp2"], 400, "InvalidDiskCategory.ValueNotSupported",
                "The specified parameter \"DiskCategory\" is not valid."),
            creation(
                "no such level", ["PerformanceLevel": "PL9"], 400, "InvalidPerformanceLevel.Malformed",
                Words.parameter("PerformanceLevel")),
            creation("a wrong name", ["DiskName": "1"], 400, "InvalidDiskName.Malformed", Words.diskName),
            creation(
                "a wrong description", ["Description": "x"], 400, "InvalidDescription.Malformed", Words.description),
            creation("no such snapshot", ["SnapshotId": "s-x"], 404, "InvalidSnapshotId.NotFound", Words.noSnapshot),
            creation(
                "a snapshot in the archive", ["SnapshotId": "{archived}"], 403, "OperationDenied.SnapshotNotAllowed",
                "The specified snapshot is not allowed to create disk."),
            creation("no such instance", ["InstanceId": "i-x"], 404, "InvalidInstanceId.NotFound", Words.noInstance),
            creation(
                "an instance that is full", ["InstanceId": "{full}"], 403, "InstanceDiskLimitExceeded", Words.full),
            creation("a cloud's own tag", ["Tag.1.Key": "acs:x"], 400, "InvalidTagKey.Malformed", Words.tagKey),
            creation(
                "a long value", ["Tag.1.Key": "k", "Tag.1.Value": String(repeating: "v", count: 129)], 400,
                "InvalidTagValue.Malformed", Words.tagValue),
            creation("a tag twice", ["Tag.1.Key": "k", "Tag.2.Key": "k"], 400, "Duplicate.TagKey", Words.tagTwice),
            creation("21 tags", Words.list("Tag.N.Key", 21) { "k\($0)" }, 403, "QuotaExceed.Tags", Words.tooManyTags),
            creation(
                "a long token", ["ClientToken": String(repeating: "t", count: 65)], 403,
                "InvalidClientToken.Malformed", tokenForm),
            creation("no ASCII", ["ClientToken": "é"], 403, "InvalidClientToken.Malformed", tokenForm),
            creation(
                "another request's token", ["ClientToken": "used", "Size": "30"], 403, "IdempotentParameterMismatch",
                Words.token),
            creation(
                "the token of a disk that is gone", ["ClientToken": "gone"], 403, "IdempotentParameterMismatch",
                Words.token),
            creation(
                "no key to encrypt with", ["Encrypted": "true"], 400, "InvalidParameter",
                "there is no key to encrypt with: serve with --key-file FILE or --passphrase-file FILE"),
        ]

    private static let tokenForm =
        "The specified clientToken is improperly formatted. It must contain only ASCII characters and must not exceed 64 "
        + "characters in length."

    private static let lists = [
        Refusal(
            "no such type", "DescribeDisks", ["DiskType": "x"], 400, "InvalidDiskType.ValueNotSupported",
            "The specified disk type is not supported."),
        Refusal(
            "no such category", "DescribeDisks", ["Category": "x"], 400, "InvalidCategory.ValueNotSupported",
            "The specified disk category is not supported."),
        Refusal(
            "no such status", "DescribeDisks", ["Status": "x"], 400, "InvalidStatus.ValueNotSupported",
            "The specified disk status is not supported."),
        Refusal(
            "ids that are no list", "DescribeDisks", ["DiskIds": "x"], 400, "InvalidParameter.DiskIds",
            "The specified parameter diskIds is not valid."),
        Refusal(
            "101 ids", "DescribeDisks", ["DiskIds": Words.ids(101)], 403, "InvalidDiskIds.Malformed",
            "The amount of specified disk Ids exceeds the limit."),
        Refusal(
            "no such zone", "DescribeDisks", ["ZoneId": "nowhere"], 400, "InvalidZoneId.NotFound",
            "The zoneId provided does not exist in our records."),
    ]

    private static let deletions = [
        Refusal("an id of nothing", "DeleteDisk", ["DiskId": "d-x"], 404, "InvalidDiskId.NotFound", Words.noDisk),
        Refusal(
            "attached", "DeleteDisk", ["DiskId": "{attached}"], 403, "DiskStillAttached",
            "The disk is still attached to the disk."),
    ]
}
