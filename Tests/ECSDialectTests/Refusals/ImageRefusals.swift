import ControlPlane
import TestSupport

@testable import ECSDialect

/// Images that are not made, and not deleted.
enum ImageRefusals {
    static let table = RefusalTable(
        "images",
        in: {
            let door = try await ECSDoor()
            let host = try await door.ask("CreateInstance", ["SystemDisk.Size": "20", "DataDisk.1.Size": "20"])
            let bare = try await door.ask("CreateInstance").text("InstanceId")
            var names = ["host": try host.text("InstanceId"), "bare": bare]
            for kind in ["system", "data"] {
                let disks = try await door.ask("DescribeDisks", ["DiskType": kind]).list("Disks", "Disk")
                names["of-\(kind)"] = try await door.makeSnapshot(of: disks.first?["DiskId"] as? String ?? "")
            }
            for name in ["base", "shared"] {
                let image = try await door.ask(
                    "CreateImage", ["ImageName": name, "SnapshotId": names["of-system"] ?? ""])
                names[name] = try image.text("ImageId")
            }
            let tokened = ["ImageName": "tokened", "SnapshotId": names["of-system"] ?? "", "ClientToken": "used"]
            _ = try await door.ask("CreateImage", tokened)
            _ = try await door.ask("RunInstances", ["ImageId": names["base"] ?? ""])
            let account = try await door.house.accounts.create(named: "others").id
            let shared = ECSID.native(names["shared"] ?? "", .image) ?? ""
            _ = try await door.house.images.share(shared, SharingChange(adding: [account]))
            return Scene(door, names)
        }, images + kept)

    private static func image(
        _ situation: String, _ change: [String: String], _ status: Int, _ code: String, _ message: String
    ) -> Refusal {
        Refusal(situation, "CreateImage", ["ImageName": "new"].merging(change) { $1 }, status, code, message)
    }

    private static let images = [
        image(
            "of nothing", [:], 400, "MissingParameter",
            "The input parameter SnapshotId or InstanceId or DiskDeviceMapping that is mandatory for processing this request "
                + "is not supplied."),
        image("no name", ["ImageName": ""], 400, "MissingParameter", Words.missing("ImageName")),
        image(
            "a wrong name", ["ImageName": "1"], 400, "InvalidImageName.Malformed",
            "The specified Image name is wrongly formed."),
        image(
            "a name that is taken", ["ImageName": "base", "SnapshotId": "{of-system}"], 400,
            "InvalidImageName.Duplicated", "The specified Image name has already bean used."),
        image(
            "a token that asked for another", ["SnapshotId": "{of-system}", "ClientToken": "used"], 400,
            "IdempotenceParamNotMatch",
            "Request uses a client token in a previous request but is not identical to that request."),
        image("a wrong description", ["Description": "x"], 404, "InvalidDescription.Malformed", Words.description),
        image("no such snapshot", ["SnapshotId": "s-x"], 404, "InvalidSnapshotId.NotFound", Words.noSnapshot),
        image("no such instance", ["InstanceId": "i-x"], 404, "InvalidInstanceId.NotFound", Words.noInstance),
        image(
            "an instance without disks", ["InstanceId": "{bare}"], 400, "IncorrectInstanceStatus",
            "The current status of the instance does not support this operation."),
        image(
            "of a data disk", ["SnapshotId": "{of-data}"], 403, "OperationDenied",
            "The specified snapshot is not from system disk."),
        image(
            "of data disks alone", ["DiskDeviceMapping.1.SnapshotId": "{of-data}"], 400, "OperationDenied",
            "The specified parameter DiskDeviceMapping.n.SnapshotId does not contain system disk snapshot."),
        image(
            "of two system disks", Words.list("DiskDeviceMapping.N.SnapshotId", 2) { _ in "{of-system}" }, 400,
            "OperationDenied",
            "The specified parameter DiskDeviceMapping.n.SnapshotId contains two or more system disk snapshots."),
        image(
            "of too many disks", Words.list("DiskDeviceMapping.N.SnapshotId", 17) { _ in "{of-data}" }, 400,
            "InvalidParameter", Words.parameter("DiskDeviceMapping")),
    ]

    private static let kept = [
        Refusal("none is named", "DeleteImage", [:], 400, "MissingParameter", Words.missing("ImageId")),
        Refusal(
            "an instance was made of it", "DeleteImage", ["ImageId": "{base}"], 403, "ImageUsingByInstance",
            "The specified image has been used to create instances."),
        Refusal(
            "it is shared", "DeleteImage", ["ImageId": "{shared}", "Force": "true"], 403, "ImageUseShared",
            "The specified image has been shared to others."),
        Refusal(
            "an image needs it", "DeleteSnapshot", ["SnapshotId": "{of-system}", "Force": "true"], 403,
            "SnapshotCreatedImage", "The snapshot has been used to create user defined image(s)."),
    ]
}
