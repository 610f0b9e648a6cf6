import Blocks
import ControlPlane
import TestSupport
import Testing

@testable import EC2Dialect

/// Images that are not made, not changed, not ended.
enum EC2ImageRefusals {
    static let table = RefusalTable("images", in: images, registrations + ofInstances + copies + changes)

    private static let images: @Sendable () async throws -> EC2Scene = {
        var scene = try await EC2Scene()
        scene["volume"] = try await scene.volume()
        scene["snapshot"] = try await scene.snapshot(of: scene["volume"])
        scene["written"] = try await scene.house.snapshots.begin(BeginSnapshot(size: .gibibytes(1))).id
        let account = try await scene.house.accounts.create(named: "others").id
        let stranger = Caller(account: account, principal: "eve", role: .administrator)
        let theirs = try #require(scene.house.verbs(for: stranger, in: scene.house.region.name))
        let ground = try await theirs.volumes.create(CreateVolume(size: .gibibytes(1))).id
        let foreign = try await theirs.snapshots.create(CreateSnapshot(volume: ground))
        scene["foreign"] = try await theirs.snapshots.wait(for: foreign.id).id
        _ = try await theirs.snapshots.share(scene["foreign"], SharingChange(adding: [Caller.root.account]))
        scene["image"] = try await made("base", by: scene.house.images, of: scene["snapshot"])
        scene["disabled"] = try await made("disabled", by: scene.house.images, of: scene["snapshot"])
        _ = try await scene.house.images.set(isDisabled: true, of: scene["disabled"])
        scene["shared"] = try await made("shared", by: theirs.images, of: scene["foreign"])
        _ = try await theirs.images.share(scene["shared"], SharingChange(adding: [Caller.root.account]))
        _ = try await theirs.snapshots.share(scene["foreign"], SharingChange(removing: [Caller.root.account]))
        scene["host"] = try await scene.house.instances.launch(NewInstances())[0].id
        _ = try await scene.house.instances.attach(scene.volume(), to: scene["host"], as: "/dev/sda1")
        _ = try await scene.house.images.set(blocksNewSharing: true)
        return scene
    }

    private static func made(
        _ name: String, by images: ImageService, of snapshot: String
    ) async throws -> String {
        let disk = NewImage.Disk("/dev/sda1", snapshot: snapshot)
        return try await images.register(NewImage(ImageNames(name), rootDevice: "/dev/sda1", disks: [disk])).id
    }

    private static func registration(
        _ situation: String, _ change: [String: String], _ code: String, _ message: String
    ) -> Refusal {
        let usual = [
            "Name": "new", "RootDeviceName": "/dev/sda1", "BlockDeviceMapping.1.DeviceName": "/dev/sda1",
            "BlockDeviceMapping.1.Ebs.SnapshotId": "{snapshot}",
        ]
        return Refusal(situation, "RegisterImage", usual.merging(change) { $1 }, code, message)
    }

    private static let registrations = [
        registration("no name", ["Name": ""], "MissingParameter", "The request must contain the parameter name"),
        registration(
            "a wrong name", ["Name": "?"], "InvalidAMIName.Malformed",
            "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '[', ']', ' ', "
                + "'.', '/', '-', '\\'', '@' and '_'"),
        registration(
            "a name that is taken", ["Name": "base"], "InvalidAMIName.Duplicate",
            "AMI name base is already in use by another AMI."),
        registration(
            "no device", ["BlockDeviceMapping.1.DeviceName": ""], "MissingParameter",
            "The request must contain the parameter DeviceName"),
        registration(
            "of nothing", ["BlockDeviceMapping.1.Ebs.SnapshotId": ""], "InvalidBlockDeviceMapping",
            "The device /dev/sda1 has neither a snapshot nor a size."),
        registration(
            "too small",
            [
                "BlockDeviceMapping.2.DeviceName": "/dev/sdf", "BlockDeviceMapping.2.Ebs.VolumeSize": "1",
                "RootDeviceName": "/dev/sdf",
            ],
            "InvalidBlockDeviceMapping", "the root disk /dev/sdf has no snapshot"),
        registration(
            "encrypted, of a snapshot", ["BlockDeviceMapping.1.Ebs.Encrypted": "true"], "InvalidParameter",
            "The encrypted flag cannot be specified since device /dev/sda1 has a snapshot specified."),
        registration(
            "encrypted, of nothing",
            [
                "BlockDeviceMapping.2.DeviceName": "/dev/sdf", "BlockDeviceMapping.2.Ebs.VolumeSize": "1",
                "BlockDeviceMapping.2.Ebs.Encrypted": "true",
            ], "UnsupportedOperation", "Empty encrypted disks of images are not available here."),
        registration(
            "no such snapshot", ["BlockDeviceMapping.1.Ebs.SnapshotId": "snap-0123456789abcdef0"],
            "InvalidSnapshotID.NotFound", "The snapshot 'snap-0123456789abcdef0' does not exist."),
        registration(
            "being written", ["BlockDeviceMapping.1.Ebs.SnapshotId": "{written}"], "IncorrectState",
            "Snapshot '{written}' is not 'completed'."),
        Refusal(
            "in S3", "RegisterImage", ["Name": "new", "ImageLocation": "x"], "UnsupportedOperation",
            "Images in S3 are not available here."),
    ]

    private static let ofInstances = [
        Refusal(
            "no device", "CreateImage",
            ["Name": "new", "InstanceId": "{host}", "BlockDeviceMapping.1.NoDevice": ""], "MissingParameter",
            "The request must contain the parameter DeviceName"),
        Refusal(
            "a disk that is changed", "CreateImage",
            ["Name": "new", "InstanceId": "{host}", "BlockDeviceMapping.1.DeviceName": "/dev/sda1"],
            "UnsupportedOperation", "A disk can be left out of an image, and not be changed."),
        Refusal(
            "without a device that is none", "CreateImage",
            [
                "Name": "new", "InstanceId": "{host}", "BlockDeviceMapping.1.DeviceName": "c:",
                "BlockDeviceMapping.1.NoDevice": "",
            ], "InvalidBlockDeviceMapping", "\"c:\" is no device: it looks like /dev/sdf or /dev/xvdf"),
    ]

    private static func copy(
        _ situation: String, _ change: [String: String], _ code: String, _ message: String
    ) -> Refusal {
        let usual = ["Name": "new", "SourceImageId": "{image}", "SourceRegion": "{region}"]
        return Refusal(situation, "CopyImage", usual.merging(change) { $1 }, code, message)
    }

    private static let copies = [
        copy(
            "of none", ["SourceImageId": ""], "MissingParameter",
            "The request must contain the parameter sourceImageId"),
        copy("malformed", ["SourceImageId": "x"], "InvalidAMIID.Malformed", "Invalid id: \"x\""),
        copy(
            "no such image", ["SourceImageId": "ami-0123456789abcdef0"], "InvalidAMIID.NotFound",
            "The image id '[ami-0123456789abcdef0]' does not exist"),
        copy(
            "from nowhere", ["SourceRegion": ""], "MissingParameter",
            "The request must contain the parameter sourceRegion"),
        copy("from no region", ["SourceRegion": "x"], "InvalidRegion", "x is not a valid region name."),
        copy(
            "a key alone", ["KmsKeyId": "x"], "InvalidParameterDependency",
            "The parameter KmsKeyId requires the parameter Encrypted to be set."),
        copy(
            "a key that is not here", ["KmsKeyId": "x", "Encrypted": "true"], "InvalidParameterValue",
            "The specified keyId x is invalid"),
        copy(
            "to an Outpost", ["DestinationOutpostArn": "x"], "UnsupportedOperation",
            "Outposts and Local Zones are not supported."),
        copy(
            "whose snapshots are not shared", ["SourceImageId": "{shared}"], "InvalidRequest",
            "You do not have permission to access the storage of this ami"),
        copy(
            "disabled", ["SourceImageId": "{disabled}"], "InvalidAMIID.Unavailable",
            "The image '{disabled}' is no longer available"),
    ]

    private static let changes = [
        Refusal(
            "another's", "DeregisterImage", ["ImageId": "{shared}"], "AuthFailure",
            "Not authorized for image {shared}"),
        Refusal(
            "no attribute", "DescribeImageAttribute", ["ImageId": "{image}"], "MissingParameter",
            "The request must contain the parameter attribute"),
        Refusal(
            "no such attribute", "DescribeImageAttribute", ["ImageId": "{image}", "Attribute": "x"],
            "InvalidParameterValue", "Value (x) for parameter attribute is invalid. Unknown attribute."),
        Refusal(
            "not to be reset", "ResetImageAttribute", ["ImageId": "{image}", "Attribute": "description"],
            "InvalidParameterValue", "Unrecognized attribute."),
        Refusal(
            "a description that is not ASCII", "ModifyImageAttribute",
            ["ImageId": "{image}", "Description.Value": "é"],
            "InvalidParameterValue",
            "Value (é) for parameter description is invalid. Character sets beyond ASCII are not supported."),
        Refusal(
            "not to be changed", "ModifyImageAttribute", ["ImageId": "{image}", "Attribute": "imdsSupport"],
            "UnsupportedOperation", "This attribute cannot be changed here."),
        Refusal(
            "with all, where that is blocked", "ModifyImageAttribute",
            ["ImageId": "{image}", "LaunchPermission.Add.1.Group": "all"], "OperationNotPermitted",
            "the account blocks that its images become everybody's"),
        Refusal(
            "disabled", "ModifyImageAttribute",
            ["ImageId": "{disabled}", "LaunchPermission.Add.1.UserId": "123456789012"], "IncorrectState",
            "the image {disabled} is disabled"),
        Refusal(
            "when", "EnableImageDeprecation", ["ImageId": "{image}"], "MissingParameter",
            "The request must contain the parameter deprecateAt"),
        Refusal(
            "no time", "EnableImageDeprecation", ["ImageId": "{image}", "DeprecateAt": "noon"],
            "InvalidParameterValue", "Value (noon) for parameter DeprecateAt is invalid."),
        Refusal(
            "no state", "EnableImageBlockPublicAccess", [:], "MissingParameter",
            "The request must contain the parameter ImageBlockPublicAccessState"),
        Refusal(
            "no such state", "EnableImageBlockPublicAccess", ["ImageBlockPublicAccessState": "x"],
            "InvalidParameterValue", "Value (x) for parameter ImageBlockPublicAccessState is invalid."),
    ]
}
