import ControlPlane
import TestSupport

/// Policies that are not made, and disks that do not come under them.
enum PolicyRefusals {
    static let table = RefusalTable(
        "policies",
        in: {
            let door = try await ECSDoor { $0.moreRegions = [RegionPlan(region: Region(name: "cn-shanghai"))] }
            var scene = Scene(door, ["disk": try await door.makeDisk(), "free": try await door.makeDisk()])
            for number in 1...11 {
                let made = try await door.ask("CreateAutoSnapshotPolicy", words)
                scene.names["policy\(number)"] = try made.text("AutoSnapshotPolicyId")
                guard number <= 10 else { continue }
                let apply = ["autoSnapshotPolicyId": "{policy\(number)}", "diskIds": "[\"{disk}\"]"]
                _ = try await door.ask("ApplyAutoSnapshotPolicy", apply.mapValues { scene.filled($0) }).text(
                    "RequestId")
            }
            return scene
        }, plans + changes + disks)

    private static let words = [
        "autoSnapshotPolicyName": "weekend", "repeatWeekdays": "[\"6\",\"7\"]", "timePoints": "[\"3\"]",
        "retentionDays": "30",
    ]

    private static func plan(
        _ name: String, _ value: String, _ status: Int, _ code: String, _ message: String
    ) -> Refusal {
        Refusal(
            "\(name) is \(value)", "CreateAutoSnapshotPolicy", words.merging([name: value]) { $1 }, status, code,
            message
        )
    }

    private static let plans: [Refusal] =
        ["[\"0\"]", "[]", "1,2", "[\"1\",\"1\"]"].map {
            plan(
                "repeatWeekdays", $0, 403, "ParameterInvalid", "The specified RepeatWeekDays parameter is invalid.")
        }
        + ["0", "65537", "x"].map {
            plan("retentionDays", $0, 403, "ParameterInvalid", "The specified RetentionDays parameter is invalid.")
        }
        + ["a.b", "1a"].map {
            plan(
                "autoSnapshotPolicyName", $0, 400, "InvalidSnapshotPolicyName.Malformed",
                "The specified autoSnapshotPolicyName is wrongly formed.")
        }
        + ["[\"nowhere\"]", "[\"{region}\"]", "[\"cn-shanghai\",\"cn-shanghai\"]"].map {
            plan(
                "TargetCopyRegions", $0, 403, "InvalidParameter.TargetCopyRegions",
                "The specified TargetCopyRegions is invalid.")
        }
        + ["repeatWeekdays", "timePoints", "retentionDays"].map {
            plan($0, "", 400, "MissingParameter", Words.missing($0))
        } + [
            plan("timePoints", "[\"24\"]", 403, "ParameterInvalid", "The specified TimePoints parameter is invalid."),
            plan(
                "EnableCrossRegionCopy", "true", 403, "InvalidParameter.TargetCopyRegions",
                "The specified TargetCopyRegions is invalid."),
            plan(
                "CopiedSnapshotsRetentionDays", "0", 403, "InvalidParameter.CopiedSnapshotsRetentionDays",
                "The specified CopiedSnapshotsRetentionDays is invalid."),
            plan("Tag.1.Key", "acs:1", 400, "InvalidTagKey.Malformed", Words.tagKey),
        ]

    private static let changes = [
        "ModifyAutoSnapshotPolicyEx", "DeleteAutoSnapshotPolicy", "ApplyAutoSnapshotPolicy", "CancelAutoSnapshotPolicy",
    ].flatMap { action in
        let disks = ["diskIds": "[\"{free}\"]"]
        return [
            Refusal(
                "no such policy", action, disks.merging(["autoSnapshotPolicyId": "sp-x"]) { $1 }, 404,
                "ParameterInvalid", "The specified automatic snapshot policy does not exist."),
            Refusal(
                "a policy's id is none", action, disks.merging(["autoSnapshotPolicyId": "{free}"]) { $1 }, 403,
                "ParameterInvalid", "The specified AutoSnapshotPolicyId parameter is invalid."),
        ]
    }

    private static func apply(
        _ situation: String, _ change: [String: String], _ status: Int, _ code: String, _ message: String
    ) -> Refusal {
        let usual = ["autoSnapshotPolicyId": "{policy11}", "diskIds": "[\"{free}\"]"]
        return Refusal(situation, "ApplyAutoSnapshotPolicy", usual.merging(change) { $1 }, status, code, message)
    }

    private static let disks = [
        apply(
            "no policy", ["autoSnapshotPolicyId": ""], 400, "MissingParameter", Words.missing("autoSnapshotPolicyId")),
        apply("no disks", ["diskIds": ""], 400, "MissingParameter", Words.missing("diskIds")),
        apply("an empty list", ["diskIds": "[]"], 403, "ParameterInvalid", "The specified DiskIds are invalid."),
        apply("no list", ["diskIds": "d-1"], 403, "ParameterInvalid", "The specified DiskIds are invalid."),
        apply(
            "no such disk", ["diskIds": "[\"{free}\",\"d-x\"]"], 404, "InvalidDiskId.NotFound",
            "The specified disk does not exist in the region."),
        apply(
            "the eleventh policy", ["diskIds": "[\"{disk}\"]"], 403, "QuotaExceed.AppliedAutoSnapshotPolicyQuota",
            "The number of auto snapshot policies applied to the specified disk {disk} has exceeded the quota 10. Please "
                + "cancel any unused policies and try again."),
        Refusal(
            "no list", "CancelAutoSnapshotPolicy", ["diskIds": "x"], 404, "ParameterInvalid",
            "The specified DiskIds are invalid."),
        Refusal(
            "one of several", "CancelAutoSnapshotPolicy", ["diskIds": "[\"{disk}\"]"], 403,
            "OperationDenied.TooManyAutoSnapshotPolicies",
            "The disk {disk} has several automatic snapshot policies: specify one."),
        Refusal(
            "by policy and by disk", "DescribeAutoSnapshotPolicyAssociations",
            ["AutoSnapshotPolicyId": "{policy1}", "DiskId": "{disk}"], 400, "InvalidParameter",
            Words.parameter("DiskId")),
    ]
}
