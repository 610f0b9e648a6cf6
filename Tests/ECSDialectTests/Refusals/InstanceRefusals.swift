import Blocks
import ControlPlane
import TestSupport

@testable import ECSDialect

/// Instances that are not made, and do not change.
enum InstanceRefusals {
    static let table = RefusalTable(
        "instances",
        in: {
            let door = try await ECSDoor()
            let stopped = try await door.ask("CreateInstance").text("InstanceId")
            let runs = try await door.ask("RunInstances", ["Amount": "2"])
            let running = (runs.fields["InstanceIdSets"] as? [String: [String]])?["InstanceIdSet"] ?? []
            var change = InstanceChange()
            change.isKept = true
            change.isKeptRunning = true
            try await door.house.instances.change(ECSID.native(running[1], .instance) ?? "", change)
            let archived = try await door.makeSnapshot(of: try await door.makeDisk())
            _ = try await door.ask("ModifySnapshotCategory", ["SnapshotId": archived, "Category": "Archive"])
            return Scene(
                door, ["stopped": stopped, "running": running[0], "kept": running[1], "archived": archived])
        }, creations + states)

    private static let creations = ["RunInstances", "CreateInstance"].flatMap { action in
        [
            Refusal(
                "no such zone", action, ["ZoneId": "nowhere"], 404, "InvalidZoneId.NotFound", Words.zone),
            Refusal(
                "17 data disks", action, Words.list("DataDisk.N.Size", 17) { _ in "20" }, 403,
                "InstanceDiskLimitExceeded", Words.full),
            Refusal(
                "a disk too small", action, ["SystemDisk.Size": "1"], 400, "InvalidSize.ValueNotSupported", Words.size),
            Refusal(
                "a wrong name of a disk", action, ["DataDisk.1.DiskName": "1"], 400, "InvalidDiskName.Malformed",
                Words.diskName),
            Refusal(
                "no such snapshot", action, ["DataDisk.1.SnapshotId": "s-x"], 404, "InvalidSnapshotId.NotFound",
                Words.noSnapshot),
            Refusal(
                "a snapshot in the archive", action, ["DataDisk.1.SnapshotId": "{archived}"], 403,
                "OperationDenied.SnapshotNotAllowed", "The specified snapshot is not allowed to create disk."),
            Refusal(
                "a device twice", action,
                Words.list("DataDisk.N.Size", 2) { _ in "20" }
                    .merging(Words.list("DataDisk.N.Device", 2) { _ in "/dev/xvdx" }) { $1 }, 400, "InvalidParameter",
                "the device /dev/xvdx is named twice"),
            Refusal(
                "21 tags", action, Words.list("Tag.N.Key", 21) { "k\($0)" }, 403, "QuotaExceed.Tags",
                Words.tooManyTags),
        ]
    }

    private static func state(
        _ situation: String, _ action: String, _ instance: String, _ status: Int, _ code: String, _ message: String
    ) -> Refusal {
        Refusal(situation, action, ["InstanceId": instance], status, code, message)
    }

    private static let states = [
        state("it runs", "StartInstance", "{running}", 403, "IncorrectInstanceStatus", Words.instanceStatus),
        state("it does not run", "StopInstance", "{stopped}", 403, "IncorrectInstanceStatus", Words.instanceStatus),
        state("it does not run", "RebootInstance", "{stopped}", 403, "IncorrectInstanceStatus", Words.instanceStatus),
        state("it runs", "DeleteInstance", "{running}", 403, "IncorrectInstanceStatus", Words.instanceStatus),
        state("there is none", "StopInstance", "i-x", 404, "InvalidInstanceId.NotFound", Words.noInstance),
        state("none is named", "StopInstance", "", 400, "MissingParameter", Words.missing("InstanceId")),
        state(
            "it is protected", "StopInstance", "{kept}", 403, "OperationDenied",
            "the instance {kept} is protected from being stopped"),
        Refusal(
            "it is protected", "DeleteInstance", ["InstanceId": "{kept}", "Force": "true"], 403, "OperationDenied",
            "the instance {kept} is protected from being terminated"),
        Refusal("none", "RunInstances", ["Amount": "0"], 400, "InvalidParameter", Words.parameter("Amount")),
        Refusal("too many", "RunInstances", ["Amount": "101"], 400, "InvalidParameter", Words.parameter("Amount")),
        Refusal(
            "101 ids", "DescribeInstances", ["InstanceIds": Words.ids(101)], 403, "InvalidInstanceIds.Malformed",
            "The amount of specified instance Ids exceeds the limit."),
        Refusal(
            "ids that are no list", "DescribeInstances", ["InstanceIds": "x"], 400, "InvalidParameter",
            Words.parameter("InstanceIds")),
    ]
}
