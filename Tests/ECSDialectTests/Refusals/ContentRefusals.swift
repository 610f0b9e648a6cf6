import ControlPlane
import TestSupport
import Testing

@testable import ECSDialect

/// Disks that get no other content, and what of archives and groups is not so.
enum ContentRefusals {
    static let table = RefusalTable("contents, resource groups and tasks", in: scene, contents + groups + tasks)

    private static let scene: @Sendable () async throws -> Scene = {
        let door = try await ECSDoor()
        let host = try await door.ask("CreateInstance", ["SystemDisk.Size": "20"]).text("InstanceId")
        let disk = try await door.makeDisk()
        let origin = try await door.makeSnapshot(of: disk), archived = try await door.makeSnapshot(of: disk)
        let new = ["ZoneId": door.zone, "SnapshotId": origin, "DiskCategory": "cloud_essd"]
        let made = try await door.ask("CreateDisk", new).text("DiskId")
        let volume = try #require(ECSID.native(made, .disk))
        try await door.eventually("everything is here") {
            try await door.house.volumes.show(volume).hydration.isComplete
        }
        _ = try await door.ask("DeleteSnapshot", ["SnapshotId": origin, "Force": "true"])
        let archive = ["SnapshotId": archived, "Category": "Archive"]
        let task = try await door.ask("ModifySnapshotCategory", archive).text("TaskId")
        let join = ["ResourceType": "disk", "ResourceId": disk, "ResourceGroupId": "rg-one"]
        _ = try await door.ask("JoinResourceGroup", join)
        return Scene(door, ["host": host, "disk": disk, "orphan": made, "task": task])
    }

    private static let contents = [
        Refusal(
            "its snapshot is deleted", "ReInitDisk", ["DiskId": "{orphan}"], 403, "InvalidSourceSnapshot",
            "The snapshot which is used to create the specified disk has been deleted."),
        Refusal("no such disk", "ReInitDisk", ["DiskId": "d-x"], 404, "InvalidDiskId.NotFound", Words.noDisk),
        Refusal(
            "no such image", "ReplaceSystemDisk", ["InstanceId": "{host}", "ImageId": "m-x"], 404,
            "InvalidImageId.NotFound", "The specified ImageId does not exist."),
        Refusal(
            "too much at once", "DescribeSnapshotMonitorData",
            ["StartTime": "2026-01-01T00:00:00Z", "EndTime": "2026-03-01T00:00:00Z"], 400,
            "InvalidParameter.TooManyDataQueried", "Too many data queried: at most 400 hours at once are allowed."),
    ]

    private static func join(
        _ situation: String, _ change: [String: String], _ status: Int, _ code: String, _ message: String
    ) -> Refusal {
        let usual = ["ResourceType": "disk", "ResourceId": "{disk}", "ResourceGroupId": "rg-two"]
        return Refusal(situation, "JoinResourceGroup", usual.merging(change) { $1 }, status, code, message)
    }

    private static let groups =
        ["ResourceType", "ResourceId", "ResourceGroupId"].map { name in
            join("no \(name)", [name: ""], 403, "MissingParameter", Words.missing(name))
        } + [
            join(
                "no such object", ["ResourceId": "d-x"], 404, "InvalidResourceId.NotFound",
                "The ResourceId provided does not exist in our records."),
            join(
                "it is in that already", ["ResourceGroupId": "rg-one"], 403, "InvalidResourceGroup.Duplicate",
                "The ResourceId provided has a ResourceGroup in our records."),
            join(
                "no group's id", ["ResourceGroupId": "one"], 404, "InvalidResourceGroup.NotFound",
                "The ResourceGroup provided does not exist in our records."),
        ]

    private static let tasks = [
        Refusal(
            "no such task", "DescribeTaskAttribute", ["TaskId": "t-x"], 404, "InvalidTaskId.NotFound",
            "The specified task ID does not exist."),
        Refusal(
            "it is finished", "CancelTask", ["TaskId": "{task}"], 403, "OperationDenied",
            "The task {task} is finished and cannot be cancelled."),
    ]
}
