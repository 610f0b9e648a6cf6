import Blocks
import ControlPlane
import TestSupport

@testable import EC2Dialect

/// Volumes that do not come to an instance, or from it.
enum EC2AttachmentRefusals {
    static let table = RefusalTable(
        "attachments",
        in: {
            var scene = try await EC2Scene { $0.region = Region(name: "us-east-1", zoneCount: 2) }
            scene["volume"] = try await scene.volume()
            scene["unready"] = try await scene.house.volumes.beginImport(size: .gibibytes(1), name: nil).id
            scene["elsewhere"] = try await scene.volume { $0.zone = "us-east-1b" }
            scene["host"] = try await scene.house.instances.launch(NewInstances())[0].id
            scene["ended"] = try await scene.house.instances.launch(NewInstances())[0].id
            _ = try await scene.house.instances.terminate(scene["ended"])
            scene["full"] = try await scene.house.instances.launch(NewInstances())[0].id
            for letter in "bcdefghijklmnopqrstuvwxyzabcd".prefix(28).enumerated() {
                let device = letter.offset < 25 ? "/dev/xvd\(letter.element)" : "/dev/sd\(letter.element)1"
                let volume = try await scene.volume()
                _ = try await scene.house.instances.attach(volume, to: scene["full"], as: device)
            }
            for (name, device) in [("root", "/dev/sda1"), ("data", "/dev/sdf")] {
                scene[name] = try await scene.volume()
                _ = try await scene.house.instances.attach(scene[name], to: scene["host"], as: device)
            }
            scene["shared"] = try await scene.volume(4) { request in
                request.profile = VolumeProfile(kind: "io2", iops: 100)
                request.isShared = true
            }
            for host in ["host", "full"] where host == "host" {
                _ = try await scene.house.instances.attach(scene["shared"], to: scene[host], as: "/dev/sdg")
            }
            scene["other"] = try await scene.house.instances.launch(NewInstances())[0].id
            _ = try await scene.house.instances.attach(scene["shared"], to: scene["other"], as: "/dev/sdg")
            return scene
        }, attachments + detachments)

    private static func attachment(
        _ situation: String, _ change: [String: String], _ code: String, _ message: String
    ) -> Refusal {
        let usual = ["VolumeId": "{volume}", "InstanceId": "{host}", "Device": "/dev/sdh"]
        return Refusal(situation, "AttachVolume", usual.merging(change) { $1 }, code, message)
    }

    private static let attachments = [
        attachment(
            "no device", ["Device": ""], "MissingParameter", "The request must contain the parameter device"),
        attachment(
            "no instance", ["InstanceId": ""], "MissingParameter", "The request must contain the parameter instanceId"),
        attachment(
            "a malformed instance", ["InstanceId": "x"], "InvalidInstanceID.Malformed", "Invalid id: \"x\""),
        attachment(
            "no such instance", ["InstanceId": "i-0123456789abcdef0"], "InvalidInstanceID.NotFound",
            "The instance ID 'i-0123456789abcdef0' does not exist"),
        attachment(
            "attached", ["VolumeId": "{data}"], "VolumeInUse", "{data} is already attached to an instance"),
        attachment(
            "being filled", ["VolumeId": "{unready}"], "IncorrectState", "{unready} is not 'available'."),
        attachment(
            "in another zone", ["VolumeId": "{elsewhere}"], "InvalidVolume.ZoneMismatch",
            "The volume '{elsewhere}' is not in the same availability zone as instance '{host}'"),
        attachment(
            "an instance that is ended", ["InstanceId": "{ended}"], "IncorrectState",
            "Instance '{ended}' is not 'running' or 'stopped'."),
        attachment(
            "no device's name", ["Device": "c:"], "InvalidParameterValue",
            "Value (c:) for parameter device is invalid. c: is not a valid EBS device name."),
        attachment(
            "a device that is taken", ["Device": "/dev/sdf"], "InvalidParameterValue",
            "Invalid value '/dev/sdf' for unixDevice. Attachment point /dev/sdf is already in use"),
        attachment(
            "an instance that is full", ["InstanceId": "{full}", "Device": "/dev/sda2"], "AttachmentLimitExceeded",
            "Volume attachment limit exceeded for {full}"),
        attachment(
            "the same instance twice", ["VolumeId": "{shared}"], "VolumeInUse",
            "{shared} is already attached to an instance"),
    ]

    private static let detachments = [
        Refusal(
            "not attached", "DetachVolume", ["VolumeId": "{volume}"], "IncorrectState",
            "Volume '{volume}'is in the 'available' state."),
        Refusal(
            "on several instances", "DetachVolume", ["VolumeId": "{shared}"], "MissingParameter",
            "The request must contain the parameter instanceId"),
        Refusal(
            "on another instance", "DetachVolume", ["VolumeId": "{data}", "InstanceId": "{full}"],
            "InvalidAttachment.NotFound", "The volume '{data}' is not attached to instance '{full}'."),
        Refusal(
            "under another name", "DetachVolume",
            ["VolumeId": "{data}", "InstanceId": "{host}", "Device": "/dev/sdh"], "InvalidAttachment.NotFound",
            "The volume '{data}' is not attached to instance '{host}' as device '/dev/sdh'."),
        Refusal(
            "what a running instance starts from", "DetachVolume", ["VolumeId": "{root}"], "IncorrectState",
            "Unable to detach root volume '{root}' from instance '{host}'"),
    ]
}
