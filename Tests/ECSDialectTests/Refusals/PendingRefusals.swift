import Blocks
import ControlPlane
import TestSupport

@testable import ECSDialect

/// What waits until a snapshot is stored.
enum PendingRefusals {
    static let table = RefusalTable(
        "snapshots under way",
        in: {
            let door = try await ECSDoor { plan in
                plan.region = Region(name: "cn-hangzhou")
                plan.moreRegions = [RegionPlan(region: Region(name: "cn-beijing"))]
            }
            let disk = try await door.makeDisk(), slow = try await door.makeDisk("cloud_ssd")
            let host = try await door.ask("CreateInstance", ["SystemDisk.Size": "20"]).text("InstanceId")
            let system = try await door.ask("DescribeDisks", ["DiskType": "system"]).list("Disks", "Disk")
            let written = try await door.house.snapshots.begin(BeginSnapshot(size: .gibibytes(20)))
            var scene = Scene(door, ["disk": disk, "slow": slow, "host": host])
            scene.names["system"] = system.first?["DiskId"] as? String ?? ""
            scene.names["written"] = ECSID.name(written.id, .snapshot) ?? ""
            // While the store is away nothing is done with being created.
            scene = try scene.withoutStore()
            for name in ["slow", "system"] {
                let made = try await door.ask("CreateSnapshot", ["DiskId": scene.names[name] ?? ""])
                scene.names["of-\(name)"] = try made.text("SnapshotId")
            }
            for _ in 0..<10 { _ = try await door.ask("CreateSnapshot", ["DiskId": disk]).text("SnapshotId") }
            return scene
        },
        [
            Refusal(
                "one is under way", "CreateSnapshot", ["DiskId": "{slow}"], 403,
                "IncorrectDiskStatus.CreatingSnapshot", "A previous snapshot creation is in process."),
            Refusal(
                "ten are", "CreateSnapshot", ["DiskId": "{disk}"], 403, "QuotaExceed.ConcurrentSnapshotQuota", tooMany),
            Refusal(
                "and it is only tried", "CreateSnapshot", ["DiskId": "{disk}", "DryRun": "true"], 403,
                "QuotaExceed.ConcurrentSnapshotQuota", tooMany),
            Refusal(
                "ten are of a member", "CreateSnapshotGroup", ["DiskId.1": "{disk}"], 403,
                "QuotaExceed.ConcurrentSnapshotQuota", tooMany),
            Refusal(
                "to be grown", "ResizeDisk", ["DiskId": "{slow}", "NewSize": "30"], 403, "DiskCreatingSnapshot",
                Words.creating),
            Refusal(
                "to be deleted", "DeleteDisk", ["DiskId": "{slow}"], 403, "DiskCreatingSnapshot", Words.creating),
            Refusal(
                "to be kept longer", "ModifySnapshotAttribute", ["SnapshotId": "{of-slow}", "RetentionDays": "9"], 400,
                "InvalidSnapshotId.NotReady", Words.notReady),
            Refusal(
                "into the archive", "ModifySnapshotCategory", ["SnapshotId": "{of-slow}", "Category": "Archive"], 403,
                "InvalidSnapshotId.NotReady", Words.notReady),
            Refusal(
                "to be copied", "CopySnapshot",
                [
                    "SnapshotId": "{of-slow}", "DestinationRegionId": "cn-beijing", "DestinationSnapshotName": "copy",
                    "DestinationSnapshotDescription": "a copy",
                ], 403, "InvalidSnapshotId.NotReady", Words.notReady),
            Refusal(
                "to be an image", "CreateImage", ["SnapshotId": "{of-system}", "ImageName": "base"], 403,
                "InvalidSnapshotId.NotReady", imageNotReady),
            Refusal(
                "to be part of one", "CreateImage",
                ["DiskDeviceMapping.1.SnapshotId": "{of-system}", "ImageName": "base"], 403,
                "InvalidSnapshotId.NotReady", imageNotReady),
            Refusal(
                "being written, to be a disk", "CreateDisk", ["ZoneId": "{zone}", "SnapshotId": "{written}"], 403,
                "InvalidSnapshotId.NotReady", Words.notReady),
        ])

    private static let tooMany =
        "The number of snapshots being created for the disk {disk} has exceeded the concurrent quota (10). Please wait for "
        + "the previous snapshots to complete before trying again."
    private static let imageNotReady =
        "The current status of the DiskDeviceMapping.n.SnapshotId or SnapshotId does not support this operation."
}
