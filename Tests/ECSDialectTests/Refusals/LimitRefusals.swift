import ControlPlane
import Simulation
import TestSupport
import Testing

/// What is asked for too often, or is too much.
enum LimitRefusals {
    static let rates = RefusalTable(
        "rates",
        in: {
            let clock = ManualClock()
            let door = try await ECSDoor { plan in
                plan.clock = clock
                plan.scrubEvery = nil
                plan.rates = .aws
            }
            let disk = try await door.makeDisk()
            _ = try await door.makeSnapshot(of: disk)
            let host = try await door.ask("CreateInstance").text("InstanceId")
            let attach = ["InstanceId": host, "DiskId": disk, "Device": "/dev/xvda"]
            _ = try await door.ask("AttachDisk", attach).text("RequestId")
            return Scene(door, ["disk": disk, "host": host])
        },
        [
            Refusal(
                "a snapshot within seconds", "CreateSnapshot", ["DiskId": "{disk}"], 403, "Throttling",
                "Request was denied due to user flow control."),
            Refusal(
                "a group within seconds", "CreateSnapshotGroup", ["DiskId.1": "{disk}"], 403, "Throttling",
                "Request was denied due to user flow control."),
            Refusal(
                "an image within seconds", "CreateImage", ["InstanceId": "{host}", "ImageName": "base"], 400,
                "Throttling.User", "Request was denied due to user flow control."),
        ])

    static let quotas = RefusalTable(
        "quotas",
        in: {
            let door = try await ECSDoor { $0.moreRegions = [RegionPlan(region: Region(name: "cn-beijing"))] }
            let disk = try await door.makeDisk(), snapshot = try await door.makeSnapshot(of: disk)
            let place = ["RegionId": "cn-beijing", "ZoneId": "cn-beijinga"]
            let abroad = try await door.makeDisk("cloud_essd", place)
            let verbs = try #require(door.house.verbs(for: .root, in: "cn-beijing"))
            for quota in [Quota.copies, .pending] { _ = try await verbs.quotas.set(quota, to: 0) }
            _ = try await door.house.quotas.set(.policies, to: 0)
            _ = try await door.house.quotas.set(.snapshots, to: 1)
            return Scene(door, ["disk": disk, "abroad": abroad, "snapshot": snapshot])
        },
        [
            Refusal(
                "one snapshot more", "CreateSnapshot", ["DiskId": "{disk}"], 403, "QuotaExceed.Snapshot",
                "The snapshot quota exceeds."),
            Refusal(
                "one more under way", "CreateSnapshot", ["RegionId": "cn-beijing", "DiskId": "{abroad}"], 403,
                "QuotaExceed.ConcurrentSnapshotQuota", exceeded("pending-snapshots")),
            Refusal(
                "one copy more", "CopySnapshot",
                [
                    "SnapshotId": "{snapshot}", "DestinationRegionId": "cn-beijing", "DestinationSnapshotName": "copy",
                    "DestinationSnapshotDescription": "a copy",
                ], 403, "QuotaExceed", exceeded("copies")),
            Refusal(
                "one policy more", "CreateAutoSnapshotPolicy",
                ["repeatWeekdays": "[\"1\"]", "timePoints": "[\"1\"]", "retentionDays": "-1"], 403,
                "AutoSnapshotPolicy.QuotaExceed", "The maximum number of automatic snapshot policy has been reached."),
        ])

    private static func exceeded(_ quota: String) -> String {
        "this would be 1 of the quota \(quota), which is 0: remove some, or have it raised (varve quota set)"
    }
}
