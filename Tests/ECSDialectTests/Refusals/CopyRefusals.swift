import Blocks
import ControlPlane
import TestSupport

@testable import ECSDialect

/// Snapshots that are not copied, and do not come into the archive; chains that are asked for wrongly.
enum CopyRefusals {
    static let table = RefusalTable("copies", in: copies, copied + archived + chains)

    private static let copies: @Sendable () async throws -> Scene = {
        let door = try await ECSDoor { plan in
            plan.keyFiles = [try KeyFiles.newKey(beside: plan.data)]
            plan.region = Region(name: "cn-hangzhou")
            plan.moreRegions = [RegionPlan(region: Region(name: "cn-beijing"))]
        }
        let disk = try await door.makeDisk(), secret = try await door.makeDisk("cloud_essd", ["Encrypted": "true"])
        var names = [
            "snapshot": try await door.makeSnapshot(of: disk), "secret": try await door.makeSnapshot(of: secret),
        ]
        // As many as there can be in the archive.
        for _ in 0..<25 {
            let archived = try await door.makeSnapshot(of: disk)
            _ = try await door.ask("ModifySnapshotCategory", ["SnapshotId": archived, "Category": "Archive"])
            names["archived"] = archived
        }
        let used = [
            "SnapshotId": names["snapshot"] ?? "", "DestinationRegionId": "cn-beijing", "ClientToken": "used",
            "DestinationSnapshotName": "copy", "DestinationSnapshotDescription": "a copy",
        ]
        _ = try await door.ask("CopySnapshot", used).text("SnapshotId")
        return Scene(door, names)
    }

    private static func copy(
        _ situation: String, _ change: [String: String], _ status: Int, _ code: String, _ message: String
    ) -> Refusal {
        let usual = [
            "SnapshotId": "{snapshot}", "DestinationRegionId": "cn-beijing", "DestinationSnapshotName": "copy",
            "DestinationSnapshotDescription": "a copy",
        ]
        return Refusal(situation, "CopySnapshot", usual.merging(change) { $1 }, status, code, message)
    }

    private static let copied = [
        copy(
            "no such snapshot", ["SnapshotId": "s-x"], 403, "InvalidSnapshotId.NotFound",
            "The specified snapshot is not exists."),
        copy("no snapshot", ["SnapshotId": ""], 400, "MissingParameter", Words.missing("SnapshotId")),
        copy("no region", ["DestinationRegionId": ""], 400, "MissingParameter", Words.missing("DestinationRegionId")),
        copy(
            "no such region", ["DestinationRegionId": "nowhere"], 403, "InvalidRegionId.NotExists", "Region not exists."
        ),
        copy(
            "to where it is", ["DestinationRegionId": "{region}"], 403, "InvalidOperation.NotSupportCopyInSameRegion",
            "Copying snapshot in the same region is not supported."),
        copy(
            "a wrong name", ["DestinationSnapshotName": "auto"], 403, "InvalidSnapshotName.Malformed",
            Words.snapshotName),
        copy(
            "no name", ["DestinationSnapshotName": ""], 400, "MissingParameter",
            Words.missing("DestinationSnapshotName")),
        copy(
            "a wrong description", ["DestinationSnapshotDescription": "x"], 403, "InvalidDescription.Malformed",
            Words.description),
        copy(
            "no description", ["DestinationSnapshotDescription": ""], 400, "MissingParameter",
            Words.missing("DestinationSnapshotDescription")),
        copy("wrong days", ["RetentionDays": "0"], 403, "InvalidRetentionDays.Malformed", Words.days),
        copy("a cloud's own tag", ["Tag.1.Key": "acs:x"], 400, "InvalidTagKey.Malformed", Words.tagKey),
        copy(
            "of the archive", ["SnapshotId": "{archived}"], 403, "OperationDenied.SnapshotCategoryNotSupportCopy",
            "The specified category of snapshot not support copy."),
        copy(
            "to be decrypted", ["SnapshotId": "{secret}", "Encrypted": "false"], 403,
            "InvalidEncrypted.NotSupportDecrypt", "Encrypted snapshot not support copy to decrypt snapshot."),
        copy(
            "another request's token", ["ClientToken": "used", "RetentionDays": "9"], 403,
            "IdempotentParameterMismatch", Words.token),
    ]

    private static func archive(
        _ situation: String, _ change: [String: String], _ status: Int, _ code: String, _ message: String
    ) -> Refusal {
        let usual = ["SnapshotId": "{snapshot}", "Category": "Archive"]
        return Refusal(situation, "ModifySnapshotCategory", usual.merging(change) { $1 }, status, code, message)
    }

    private static let archived = [
        archive("no such snapshot", ["SnapshotId": "s-x"], 404, "InvalidSnapshotId.NotFound", Words.noSnapshot),
        archive("another category", ["Category": "Flash"], 400, "InvalidParameter", Words.parameter("Category")),
        archive("for too few days", ["RetentionDays": "73"], 400, "InvalidRetentionDays.Malformed", Words.days),
        archive(
            "where it is", ["SnapshotId": "{archived}"], 403, "OperationDenied",
            "the snapshot {archived} is in the archive: restore it from there first"),
        archive(
            "more than there is room for", [:], 403, "QuotaExceed.Snapshot", "The snapshot quota exceeds."),
    ]

    private static let chains = [("SnapshotLinkIds", "snapshotLinkIds"), ("DiskIds", "diskIds")].flatMap { name, word in
        ["x", Words.ids(101)].map { ids in
            Refusal(
                "no list of at most 100", "DescribeSnapshotLinks", [name: ids], 400, "Invalid\(name)",
                "The specified \(word) is invalid.")
        }
    }
}
