import Blocks
import ControlPlane
import TestSupport

@testable import ECSDialect

/// Snapshots that are not taken, not changed, not deleted, and that set no disk back.
enum SnapshotRefusals {
    static let table = RefusalTable("snapshots", in: snapshots, cuts + changes + deletions + resets)

    private static let snapshots: @Sendable () async throws -> Scene = {
        let door = try await ECSDoor { plan in
            plan.keyFiles = [try KeyFiles.newKey(beside: plan.data)]
            plan.region = Region(name: "cn-hangzhou")
            plan.moreRegions = [RegionPlan(region: Region(name: "cn-beijing"))]
        }
        let host = try await door.ask("RunInstances").fields["InstanceIdSets"] as? [String: [String]]
        let disk = try await door.makeDisk(), other = try await door.makeDisk(), inUse = try await door.makeDisk()
        let fresh = try await door.ask(
            "CreateDisk", ["ZoneId": door.zone, "Size": "20", "DiskCategory": "cloud_essd"]
        ).text("DiskId")
        let secret = try await door.makeDisk("cloud_essd", ["Encrypted": "true"])
        let unready = try await door.house.volumes.beginImport(size: .gibibytes(20), name: nil)
        let attach = ["InstanceId": host?["InstanceIdSet"]?.first ?? "", "DiskId": inUse]
        _ = try await door.ask("AttachDisk", attach)
        let origin = try await door.makeSnapshot(of: disk)
        _ = try await door.makeDisk("cloud_essd", ["SnapshotId": origin])
        let shared = try await door.makeSnapshot(of: disk), archived = try await door.makeSnapshot(of: disk)
        let account = try await door.house.accounts.create(named: "others").id
        _ = try await door.house.snapshots.share(
            ECSID.native(shared, .snapshot) ?? "", SharingChange(adding: [account]))
        _ = try await door.ask("ModifySnapshotCategory", ["SnapshotId": archived, "Category": "Archive"])
        let kept = try await door.makeSnapshot(of: disk, ["RetentionDays": "9"])
        let copied = CopySnapshot(ECSID.native(kept, .snapshot) ?? "", from: door.house.region.name)
        let copy = try await door.house.snapshots.wait(for: try await door.house.snapshots.copy(copied).id)
        _ = try await door.ask("CreateSnapshot", ["DiskId": disk, "ClientToken": "used"])
        return Scene(
            door,
            [
                "disk": disk, "other": other, "fresh": fresh, "running": inUse,
                "unready": ECSID.name(unready.id, .disk) ?? "",
                "origin": origin, "shared": shared, "archived": archived, "kept": kept,
                "secret": try await door.makeSnapshot(of: secret), "used": try await door.makeSnapshot(of: inUse),
                "copy": ECSID.name(copy.id, .snapshot) ?? "",
            ])
    }

    private static func cut(
        _ situation: String, _ change: [String: String], _ status: Int, _ code: String, _ message: String
    ) -> Refusal {
        Refusal(situation, "CreateSnapshot", ["DiskId": "{disk}"].merging(change) { $1 }, status, code, message)
    }

    private static let cuts =
        ["a", "auto1", "1a", "http://a", "a b"].map { name in
            cut("called \(name)", ["SnapshotName": name], 400, "InvalidSnapshotName.Malformed", Words.snapshotName)
        }
        + ["0", "65537", "-1", "x"].map { days in
            cut("kept \(days) days", ["RetentionDays": days], 400, "InvalidRetentionDays.Malformed", Words.days)
        } + [
            cut("no disk", ["DiskId": ""], 400, "MissingParameter", Words.missing("DiskId")),
            cut("no such disk", ["DiskId": "d-x"], 404, "InvalidDiskId.NotFound", Words.noDiskID),
            cut(
                "never attached", ["DiskId": "{fresh}"], 403, "IncorrectDiskStatus.NeverAttached",
                "The specified disk has never been attached to any instance."),
            cut("being filled", ["DiskId": "{unready}"], 403, "IncorrectDiskStatus", Words.diskStatus),
            cut("a wrong description", ["Description": "x"], 404, "InvalidDescription.Malformed", Words.description),
            cut("a cloud's own tag", ["Tag.1.Key": "aliyun1"], 400, "InvalidTagKey.Malformed", Words.tagKey),
            cut("a tag without a name", ["Tag.1.Value": "v"], 400, "InvalidTagKey.Malformed", Words.tagKey),
            cut(
                "an address", ["Tag.1.Key": "a", "Tag.1.Value": "https://a"], 400, "InvalidTagValue.Malformed",
                Words.tagValue),
            cut("a tag twice", ["Tag.1.Key": "a", "Tag.2.key": "a"], 400, "Duplicate.TagKey", Words.tagTwice),
            cut("21 tags", Words.list("Tag.N.Key", 21) { "k\($0)" }, 403, "QuotaExceed.Tags", Words.tooManyTags),
            cut(
                "no such category", ["Category": "gold"], 403, "InvalidSnapshotCategory.Malformed",
                "The specified Category is not valid."),
            cut(
                "a category and instant access", ["Category": "Flash", "InstantAccess": "true"], 403,
                "InvalidCategoryAndInstantAccess.Malformed",
                "The snapshot Category and InstantAccess can't be used together."),
            cut(
                "instant for no days", ["InstantAccessRetentionDays": "0"], 403,
                "InvalidInstantAccessRetentionDays.Malformed",
                "The specified InstantAccessRetentionDays is not valid."),
            cut(
                "another request's token", ["ClientToken": "used", "SnapshotName": "new"], 403,
                "IdempotentParameterMismatch", Words.token),
        ]

    private static func change(
        _ situation: String, _ change: [String: String], _ status: Int, _ code: String, _ message: String
    ) -> Refusal {
        Refusal(
            situation, "ModifySnapshotAttribute", ["SnapshotId": "{kept}"].merging(change) { $1 }, status, code, message
        )
    }

    private static let changes =
        [("{kept}", "8"), ("{origin}", "9")].map { snapshot, days in
            change(
                "shorter", ["SnapshotId": snapshot, "RetentionDays": days], 400,
                "InvalidOperation.DecreaseRetentionDaysUnsupported",
                "The requested operation to decrease retention days for the snapshot is not supported.")
        } + [
            change("no such snapshot", ["SnapshotId": "s-x"], 404, "InvalidSnapshotId.NotFound", Words.noSnapshot),
            change("nothing to change", [:], 400, "NoAttributeToModify", Words.noAttribute),
            change("a wrong name", ["SnapshotName": "auto"], 400, "InvalidSnapshotName.Malformed", Words.snapshotName),
            change(
                "a wrong description", ["Description": String(repeating: "x", count: 257)], 404,
                "InvalidDescription.Malformed", Words.description),
            change("wrong days", ["RetentionDays": "x"], 400, "InvalidRetentionDays.Malformed", Words.days),
            change(
                "neither true nor false", ["DisableInstantAccess": "maybe"], 404,
                "InvalidSnapshotDisableInstantAccess.Malformed", "The specified DisableInstantAccess is not valid!"),
        ]

    private static let deletions = [
        Refusal(
            "none is named", "DeleteSnapshot", [:], 400, "MissingParameter",
            "The input parameter SnapshotId that is mandatory for processing this request is not supplied."),
        Refusal(
            "no such snapshot", "DeleteSnapshot", ["SnapshotId": "s-x"], 404, "InvalidSnapshotId.NotFound",
            "The specified snapshot is not found."),
        Refusal(
            "a disk was made of it", "DeleteSnapshot", ["SnapshotId": "{origin}"], 403, "SnapshotCreatedDisk",
            "The snapshot has been used to create disk(s)."),
        Refusal(
            "it is shared", "DeleteSnapshot", ["SnapshotId": "{shared}"], 403,
            "InvalidOperation.DeleteSharedSnapshotUnsupported",
            "The current snapshot shares authorization with other users. Please revoke the shared authorization through "
                + "resource management first."),
    ]

    private static func reset(
        _ situation: String, _ disk: String, _ snapshot: String, _ status: Int, _ code: String, _ message: String
    ) -> Refusal {
        Refusal(situation, "ResetDisk", ["DiskId": disk, "SnapshotId": snapshot], status, code, message)
    }

    private static let resets = [
        reset("no such disk", "d-x", "{origin}", 404, "InvalidDiskId.NotFound", Words.noDisk),
        reset("no such snapshot", "{disk}", "s-x", 404, "InvalidSnapshotId.NotFound", Words.noSnapshot),
        reset("being filled", "{unready}", "{origin}", 403, "IncorrectDiskStatus", Words.diskStatus),
        reset("its instance runs", "{running}", "{used}", 403, "IncorrectInstanceStatus", Words.instanceStatus),
        reset(
            "another disk's", "{other}", "{origin}", 403, "InvalidParameter.Mismatch",
            "The specified snapshot is not created from the specified disk."),
        reset(
            "an encrypted one", "{other}", "{secret}", 403, "InvalidParameter.Mismatch",
            "Non-encrypted disk can not be reset by encrypted snapshot."),
        reset(
            "a copy", "{disk}", "{copy}", 403, "OperationDenied",
            "The specified snapshot dees not support ResetDisk."),
        reset(
            "in the archive", "{disk}", "{archived}", 403, "OperationDenied",
            "The specified snapshot dees not support ResetDisk."),
    ]
}
