import Blocks
import ControlPlane
import TestSupport

@testable import EC2Dialect

/// Instances that are not made, not changed; and places that are none.
enum EC2InstanceRefusals {
    static let table = RefusalTable("instances", in: instances, launches + states + attributes + roots + places)

    private static let instances: @Sendable () async throws -> EC2Scene = {
        var scene = try await EC2Scene()
        for name in ["host", "kept", "stopped", "ended"] {
            scene[name] = try await scene.house.instances.launch(NewInstances())[0].id
        }
        var change = InstanceChange()
        change.isKept = true
        change.isKeptRunning = true
        try await scene.house.instances.change(scene["kept"], change)
        _ = try await scene.house.instances.set(.stopped, of: scene["stopped"])
        _ = try await scene.house.instances.terminate(scene["ended"])
        scene["snapshot"] = try await scene.snapshot(of: scene.volume(2))
        let disk = NewImage.Disk("/dev/sda1", snapshot: scene["snapshot"])
        scene["image"] = try await scene.house.images.register(
            NewImage(ImageNames("base"), rootDevice: "/dev/sda1", disks: [disk])
        ).id
        scene["disabled"] = try await scene.house.images.register(
            NewImage(ImageNames("disabled"), rootDevice: "/dev/sda1", disks: [disk])
        ).id
        _ = try await scene.house.images.set(isDisabled: true, of: scene["disabled"])
        return scene
    }

    private static func launch(
        _ situation: String, _ change: [String: String], _ code: String, _ message: String
    ) -> Refusal {
        let usual = ["ImageId": "{image}", "MinCount": "1", "MaxCount": "1"]
        return Refusal(situation, "RunInstances", usual.merging(change) { $1 }, code, message)
    }

    private static let launches = [
        launch("no image", ["ImageId": ""], "MissingParameter", "The request must contain the parameter ImageId"),
        launch("a malformed image", ["ImageId": "x"], "InvalidAMIID.Malformed", "Invalid id: \"x\""),
        launch("how many", ["MinCount": "none"], "MissingParameter", "The request must contain the parameter MinCount"),
        launch("how many", ["MaxCount": "none"], "MissingParameter", "The request must contain the parameter MaxCount"),
        launch(
            "none", ["MaxCount": "0"], "InvalidParameterValue",
            "Value (0) for parameter maxCount is invalid. It must be at least minCount, which is at least 1."),
        launch(
            "no such zone", ["Placement.AvailabilityZone": "x"], "InvalidZone.NotFound", "The zone 'x' does not exist."),
        launch(
            "no device", ["BlockDeviceMapping.1.Ebs.VolumeSize": "1"], "MissingParameter",
            "The request must contain the parameter DeviceName"),
        launch(
            "smaller than the image's disk",
            ["BlockDeviceMapping.1.DeviceName": "/dev/sda1", "BlockDeviceMapping.1.Ebs.VolumeSize": "1"],
            "InvalidBlockDeviceMapping",
            "Volume of size 1GB is smaller than snapshot '{snapshot}', expect size >= 2GB"),
        launch(
            "a disabled image", ["ImageId": "{disabled}"], "InvalidAMIID.Unavailable",
            "The image '{disabled}' is no longer available"),
        launch(
            "no such behaviour", ["InstanceInitiatedShutdownBehavior": "x"], "InvalidParameterValue",
            "Value (x) for parameter instanceInitiatedShutdownBehavior is invalid."),
    ]

    private static let states = [
        Refusal(
            "none", "StopInstances", [:], "MissingParameter", "The request must contain the parameter InstanceId"),
        Refusal(
            "it is ended", "StartInstances", ["InstanceId.1": "{ended}"], "IncorrectInstanceState",
            "This instance '{ended}' is not in a state from which it can be started."),
        Refusal(
            "it is protected", "StopInstances", ["InstanceId.1": "{kept}"], "OperationNotPermitted",
            "The instance '{kept}' may not be stopped. Modify its 'disableApiStop' instance attribute and try again."),
        Refusal(
            "it is protected", "TerminateInstances", ["InstanceId.1": "{kept}"], "OperationNotPermitted",
            "The instance '{kept}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again."
        ),
    ]

    private static func modification(
        _ situation: String, _ change: [String: String], _ code: String, _ message: String
    ) -> Refusal {
        Refusal(
            situation, "ModifyInstanceAttribute", ["InstanceId": "{host}"].merging(change) { $1 }, code, message)
    }

    private static let attributes = [
        modification("nothing", [:], "InvalidParameterCombination", "No attributes specified."),
        modification(
            "not to be changed", ["Attribute": "kernel", "Value": "x"], "UnsupportedOperation",
            "This attribute cannot be changed here."),
        modification(
            "no device", ["BlockDeviceMapping.1.Ebs.DeleteOnTermination": "true"], "MissingParameter",
            "The request must contain the parameter DeviceName"),
        modification(
            "no such disk",
            ["BlockDeviceMapping.1.DeviceName": "/dev/sdf", "BlockDeviceMapping.1.Ebs.DeleteOnTermination": "true"],
            "InvalidInstanceAttributeValue",
            "No device is currently mapped: the instance {host} has no disk /dev/sdf"),
        modification(
            "it is ended", ["InstanceId": "{ended}", "InstanceType.Value": "x"], "IncorrectInstanceState",
            "The instance '{ended}' is not in a state from which it can be modified."),
        Refusal(
            "none", "DescribeInstanceAttribute", ["InstanceId": "{host}"], "MissingParameter",
            "The request must contain the parameter attribute"),
        Refusal(
            "no such attribute", "DescribeInstanceAttribute", ["InstanceId": "{host}", "Attribute": "x"],
            "InvalidParameterValue", "Value (x) for parameter attribute is invalid. Unknown attribute."),
        Refusal(
            "of an image", "GetInstanceUefiData", ["InstanceId": "{image}"], "InvalidInstanceID.NotFound",
            "The instance ID '{image}' does not exist"),
    ]

    private static func root(
        _ situation: String, _ change: [String: String], _ code: String, _ message: String
    ) -> Refusal {
        Refusal(
            situation, "CreateReplaceRootVolumeTask", ["InstanceId": "{host}"].merging(change) { $1 }, code, message)
    }

    private static let roots = [
        root(
            "of a volume", ["VolumeId": "x"], "UnsupportedOperation",
            "A root volume is made from a snapshot or an image here."),
        root("of a malformed image", ["ImageId": "x"], "InvalidAMIID.Malformed", "Invalid id: \"x\""),
        root(
            "of both", ["ImageId": "{image}", "SnapshotId": "{snapshot}"], "InvalidParameterCombination",
            "Specify either SnapshotId or ImageId, and not both."),
        root(
            "of an instance that is stopped", ["InstanceId": "{stopped}"], "IncorrectInstanceState",
            "The instance '{stopped}' is not in the 'running' state."),
        Refusal(
            "no such task", "DescribeReplaceRootVolumeTasks", ["ReplaceRootVolumeTaskId.1": "x"],
            "InvalidReplaceRootVolumeTaskId.NotFound", "The root volume replacement task 'x' does not exist."),
    ]

    private static let places = [
        Refusal(
            "no such region", "DescribeRegions", ["RegionName.1": "x"], "InvalidParameterValue",
            "Invalid region names: x"),
        Refusal(
            "two kinds of names", "DescribeAvailabilityZones", ["ZoneName.1": "{zone}", "ZoneId.1": "use1-az1"],
            "InvalidParameterCombination", "The parameter zoneIds cannot be used with the parameter zoneNames"),
        Refusal(
            "no such zone", "DescribeAvailabilityZones", ["ZoneName.1": "x"], "InvalidParameterValue",
            "Invalid availability zone: [x]"),
        Refusal(
            "no networks", "DescribeVpcs", ["VpcId.1": "vpc-1"], "InvalidVpcID.NotFound",
            "The vpc ID 'vpc-1' does not exist"),
    ]
}
