import Blocks
import ControlPlane
import TestSupport

@testable import ECSDialect

/// Disks that do not come to an instance, or from it.
enum AttachmentRefusals {
    static let table = RefusalTable(
        "attachments",
        in: {
            let door = try await ECSDoor { $0.region = Region(name: "cn-hangzhou", zoneCount: 2) }
            let unready = try await door.house.volumes.beginImport(size: .gibibytes(20), name: nil)
            let host = try await door.ask("CreateInstance").text("InstanceId")
            let attached = try await door.makeDisk()
            _ = try await door.ask("AttachDisk", ["InstanceId": host, "DiskId": attached, "Device": "/dev/xvdc"])
            let full = try await door.ask(
                "RunInstances",
                ["SystemDisk.Size": "20"].merging(Words.list("DataDisk.N.Size", 16) { _ in "20" }) { $1 })
            let ids = (full.fields["InstanceIdSets"] as? [String: [String]])?["InstanceIdSet"] ?? []
            let disks = try await door.ask("DescribeDisks", ["InstanceId": ids[0], "DiskType": "system"])
            return Scene(
                door,
                [
                    "host": host, "disk": try await door.makeDisk(), "attached": attached, "full": ids[0],
                    "system": try disks.list("Disks", "Disk").first?["DiskId"] as? String ?? "",
                    "unready": ECSID.name(unready.id, .disk) ?? "",
                    "elsewhere": try await door.makeDisk("cloud_essd", ["ZoneId": door.house.region.zones[1].name]),
                ])
        }, attachments + detachments)

    private static func attachment(
        _ situation: String, _ change: [String: String], _ status: Int, _ code: String, _ message: String
    ) -> Refusal {
        Refusal(
            situation, "AttachDisk", ["InstanceId": "{host}", "DiskId": "{disk}"].merging(change) { $1 }, status, code,
            message)
    }

    private static let attachments = [
        attachment("no such instance", ["InstanceId": "i-x"], 404, "InvalidInstanceId.NotFound", Words.noInstance),
        attachment("no such disk", ["DiskId": "d-x"], 404, "InvalidDiskId.NotFound", Words.noDisk),
        attachment(
            "attached", ["DiskId": "{attached}"], 404, "InvalidDisk.InUse", "The specified disk has been occupied."),
        attachment(
            "being filled", ["DiskId": "{unready}"], 403, "DiskId.StatusNotSupported",
            "The specified disk status is not supported."),
        attachment(
            "in another zone", ["DiskId": "{elsewhere}"], 403, "ResourcesNotInSameZone",
            "The specified instance and disk are not in the same zone."),
        attachment(
            "a device that is taken", ["Device": "/dev/xvdc"], 403, "InvalidDevice.InUse",
            "The specified device has been occupied."),
        attachment(
            "no device", ["Device": "c:"], 400, "InvalidDevice.Malformed", "The specified port is not valid."),
        attachment(
            "an instance that is full", ["InstanceId": "{full}"], 403, "InstanceDiskLimitExceeded", Words.full),
    ]

    private static let detachments = [
        Refusal(
            "no such instance", "DetachDisk", ["InstanceId": "i-x", "DiskId": "{disk}"], 404,
            "InvalidInstanceId.NotFound", Words.noInstance),
        Refusal(
            "no such disk", "DetachDisk", ["InstanceId": "{host}", "DiskId": "d-x"], 404, "InvalidDiskId.NotFound",
            Words.noDisk),
        Refusal(
            "not attached", "DetachDisk", ["InstanceId": "{host}", "DiskId": "{disk}"], 404,
            "InvalidDisk.AlreadyDetached", "The specified disk has been detached."),
        Refusal(
            "attached elsewhere", "DetachDisk", ["InstanceId": "{full}", "DiskId": "{attached}"], 404,
            "InvalidDisk.AlreadyDetached", "The specified disk has been detached."),
        Refusal(
            "what a running instance starts from", "DetachDisk", ["InstanceId": "{full}", "DiskId": "{system}"], 403,
            "IncorrectInstanceStatus", Words.instanceStatus),
    ]
}
