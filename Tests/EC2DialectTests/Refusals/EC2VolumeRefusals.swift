import Blocks
import ControlPlane
import TestSupport

@testable import EC2Dialect

/// Volumes that are not made, not shown, not changed, not deleted.
enum EC2VolumeRefusals {
    static let table = RefusalTable(
        "volumes", in: volumes, creations + ranges + copies + ids + modifications + attributes)

    private static let volumes: @Sendable () async throws -> EC2Scene = {
        var scene = try await EC2Scene { plan in
            let key = plan.data + ".key"
            _ = try KeyFiles.make(at: key)
            plan.keyFiles = [key]
        }
        scene["volume"] = try await scene.volume(8)
        scene["attached"] = try await scene.volume()
        scene["host"] = try await scene.house.instances.launch(NewInstances())[0].id
        _ = try await scene.house.instances.attach(scene["attached"], to: scene["host"], as: "/dev/sdf")
        scene["unready"] = try await scene.house.volumes.beginImport(size: .gibibytes(1), name: nil).id
        scene["snapshot"] = try await scene.snapshot(of: scene["volume"])
        scene["secret"] = try await scene.snapshot(of: scene.volume(1) { $0.encryption = VolumeEncryption() })
        scene["written"] = try await scene.house.snapshots.begin(BeginSnapshot(size: .gibibytes(1))).id
        let usual = ["AvailabilityZone": scene["zone"], "Size": "1"]
        for token in ["used", "gone"] {
            let made = await scene.ask("CreateVolume", usual.merging(["ClientToken": token]) { $1 })
            let parts = made.body.split(separator: "volumeId>")
            scene[token] = parts.count > 1 ? String(parts[1].prefix { $0 != "<" }) : ""
        }
        try await scene.house.volumes.delete(scene["gone"])
        return scene
    }

    private static func creation(
        _ situation: String, _ change: [String: String], _ code: String, _ message: String
    ) -> Refusal {
        let usual = ["AvailabilityZone": "{zone}", "Size": "100"]
        return Refusal(situation, "CreateVolume", usual.merging(change) { $1 }, code, message)
    }

    private static let creations = [
        creation(
            "no zone", ["AvailabilityZone": ""], "MissingParameter", "The request must contain the parameter zone"),
        creation(
            "two zones", ["AvailabilityZoneId": "use1-az1"], "InvalidParameterCombination",
            "AvailabilityZone and AvailabilityZoneId can't be used together. Specify only one of these parameters."),
        creation(
            "no such zone", ["AvailabilityZone": "x"], "InvalidZone.NotFound", "The zone 'x' does not exist."),
        creation(
            "no such type", ["VolumeType": "x"], "UnknownVolumeType",
            "Unsupported volume type 'x' for volume creation. "),
        creation(
            "a rate without a snapshot", ["VolumeInitializationRate": "100"], "InvalidParameterCombination",
            "You can't specify VolumeInitializationRate for volumes that are not created from a snapshot."),
        creation(
            "a rate that is none", ["SnapshotId": "{snapshot}", "VolumeInitializationRate": "1"],
            "InvalidParameterValue", "The value specified for VolumeInitializationRate is not in the allowed range."),
        creation(
            "no size", ["Size": "none"], "MissingParameter", "The request must contain the parameter size/snapshot"),
        creation(
            "a size below one", ["Size": "-1"], "InvalidParameterValue",
            "Value (-1) for parameter size is invalid. Value must be a positive integer."),
        creation(
            "shared", ["VolumeType": "gp3", "MultiAttachEnabled": "true"], "InvalidParameterCombination",
            "The parameter multi-attach-enabled is not supported for gp3 volumes."),
        creation("an Outpost", ["OutpostArn": "x"], "UnsupportedOperation", "Outposts are not available here."),
        creation(
            "another prefix", ["SnapshotId": "x"], "InvalidParameterValue",
            "Value (x) for parameter snapshotId is invalid. Expected: 'snap-...'."),
        creation(
            "other digits", ["SnapshotId": "snap-x"], "InvalidSnapshotID.Malformed",
            "Value ( snap-x ) for parameter SNAPSHOT is invalid. "),
        creation(
            "no such snapshot", ["SnapshotId": "snap-0123456789abcdef0"], "InvalidSnapshot.NotFound",
            "Snapshot does not exist"),
        creation(
            "a snapshot that is being written", ["SnapshotId": "{written}"], "IncorrectState",
            "Snapshot is in invalid state - pending"),
        creation(
            "an encrypted one, and not so", ["SnapshotId": "{secret}", "Encrypted": "false"],
            "InvalidParameterCombination",
            "EncryptedVolume parameter [false] is inconsistent with snapshot encryption state [true]"),
        creation(
            "a key alone", ["KmsKeyId": "x"], "InvalidParameterDependency",
            "The parameter KmsKeyId requires the parameter Encrypted to be set."),
        creation(
            "another request's token", ["ClientToken": "used", "Size": "2"], "IdempotentParameterMismatch",
            "Parameters on this idempotent request are inconsistent with parameters used in previous request(s)."),
        creation(
            "the token of a volume that is gone", ["ClientToken": "gone", "Size": "1"], "IdempotentParameterMismatch",
            "The client token 'gone' is associated with resource '{gone}' which has already been deleted. Please use a "
                + "different client token."),
    ]

    private static let ranges = [
        creation(
            "io1 without operations", ["VolumeType": "io1"], "InvalidParameterCombination",
            "The parameter iops must be specified for io1 volumes."),
        creation(
            "gp2 with operations", ["Iops": "300"], "InvalidParameterCombination",
            "The parameter iops is not supported for gp2 volumes."),
        creation(
            "gp2 with throughput", ["Throughput": "300"], "InvalidParameterCombination",
            "The throughput parameter is not supported for gp2 volumes."),
        creation(
            "too small", ["VolumeType": "io1", "Size": "1", "Iops": "100"], "InvalidParameterValue",
            "The volume size is invalid for io1 volumes: 1 GiB. io1 volumes must be at least 4 GiB in size. Please specify a "
                + "volume size above the minimum limit."),
        creation(
            "too large", ["Size": "16385"], "InvalidParameterValue",
            "Volume of 16385GiB is too large for volume type gp2; maximum is 16384GiB"),
        creation(
            "too few operations", ["VolumeType": "io1", "Iops": "99"], "InvalidParameterValue",
            "Volume iops of 99 is too low; minimum is 100."),
        creation(
            "too many", ["VolumeType": "io1", "Size": "4000", "Iops": "64001"], "InvalidParameterValue",
            "Volume iops of 64001 is too high; maximum is 64000."),
        creation(
            "too many for its size", ["VolumeType": "io1", "Iops": "5001"], "InvalidParameterValue",
            "Iops to volume size ratio of 50.010000 is too high; maximum is 50"),
        creation(
            "too much throughput", ["VolumeType": "gp3", "Throughput": "2001"], "InvalidParameterValue",
            "Volume throughput of 2001 is too high; maximum is 2000."),
        creation(
            "too much for its operations", ["VolumeType": "gp3", "Throughput": "1000"], "InvalidParameterValue",
            "Throughput (MiBps) to iops ratio of 0.333333 is too high; maximum is 0.250000 MiBps per iops"),
    ]

    private static func copy(
        _ situation: String, _ change: [String: String], _ code: String, _ message: String
    ) -> Refusal {
        Refusal(situation, "CopyVolumes", ["SourceVolumeId": "{volume}"].merging(change) { $1 }, code, message)
    }

    private static let copies = [
        copy(
            "of none", ["SourceVolumeId": ""], "MissingParameter",
            "The request must contain the parameter SourceVolumeId"),
        copy(
            "another prefix", ["SourceVolumeId": "x"], "InvalidParameterValue",
            "Value (x) for parameter sourceVolumeId is invalid. Expected: 'vol-...'."),
        copy(
            "other digits", ["SourceVolumeId": "vol-x"], "InvalidVolumeID.Malformed",
            "Value ( vol-x ) for parameter VOLUME is invalid. "),
        copy(
            "no such volume", ["SourceVolumeId": "vol-0123456789abcdef0"], "InvalidVolume.NotFound",
            "The volume 'vol-0123456789abcdef0' does not exist."),
        copy(
            "smaller", ["Size": "7"], "InvalidParameterValue",
            "The size of the copy, 7 GiB, cannot be smaller than its source's, 8 GiB."),
        copy(
            "being filled", ["SourceVolumeId": "{unready}"], "IncorrectState",
            "Volume '{unready}' is not in the 'available' or 'in-use' state."),
        copy(
            "a key alone", ["KmsKeyId": "x"], "InvalidParameterDependency",
            "The parameter KmsKeyId requires the parameter Encrypted to be set."),
    ]

    private static let ids =
        ["CreateSnapshot", "ModifyVolume", "DescribeVolumeAttribute", "EnableVolumeIO"].flatMap { action in
            let more = ["Attribute": "autoEnableIO", "Size": "9"]
            return [
                Refusal(
                    "none", action, more, "MissingParameter",
                    "Value (null) for parameter volumeId is invalid. Parameter may not be null or empty."),
                Refusal(
                    "another prefix", action, more.merging(["VolumeId": "x"]) { $1 }, "InvalidParameterValue",
                    "Value (x) for parameter volumeId is invalid. Expected: 'vol-...'."),
                Refusal(
                    "other digits", action, more.merging(["VolumeId": "vol-x"]) { $1 }, "InvalidVolumeID.Malformed",
                    "Value ( vol-x ) for parameter VOLUME is invalid. "),
                Refusal(
                    "no such volume", action, more.merging(["VolumeId": "vol-12345678"]) { $1 },
                    "InvalidVolume.NotFound", "The volume 'vol-12345678' does not exist."),
            ]
        } + [
            Refusal(
                "malformed", "DescribeVolumes", ["VolumeId.1": "x"], "InvalidParameterValue",
                "Value (x) for parameter volumes is invalid. Expected: 'vol-...'."),
            Refusal(
                "empty", "DescribeVolumes", ["VolumeId.1": ""], "MissingParameter",
                "The request must contain the parameter volumes"),
            Refusal(
                "no such volume", "DescribeVolumes", ["VolumeId.1": "vol-0123456789abcdef0"], "InvalidVolume.NotFound",
                "The volume 'vol-0123456789abcdef0' does not exist."),
            Refusal(
                "malformed", "DeleteVolume", ["VolumeId": "x"], "InvalidParameterValue",
                "The volume ID 'x' is malformed"),
            Refusal(
                "attached", "DeleteVolume", ["VolumeId": "{attached}"], "VolumeInUse",
                "Volume {attached} is currently attached to {host}"),
        ]

    private static func modification(
        _ situation: String, _ change: [String: String], _ code: String, _ message: String
    ) -> Refusal {
        Refusal(situation, "ModifyVolume", ["VolumeId": "{volume}"].merging(change) { $1 }, code, message)
    }

    private static let modifications = [
        modification(
            "nothing to change", [:], "InvalidParameterValue",
            "Invalid input: Must specify at least one of size, type, iops, throughput or multi-attach."),
        modification(
            "smaller", ["Size": "7"], "InvalidParameterValue", "New size cannot be smaller than existing size"),
        modification(
            "being filled", ["VolumeId": "{unready}", "Size": "9"], "IncorrectState",
            "Volume {unready} must be in the available or in-use state to be modified."),
        modification(
            "shared", ["MultiAttachEnabled": "true"], "InvalidParameterCombination",
            "The parameter multi-attach-enabled is not supported for gp2 volumes."),
        Refusal(
            "another prefix", "DescribeVolumesModifications", ["VolumeId.1": "x"], "InvalidParameterValue",
            "Value (x) for parameter volumeId is invalid. Expected: 'vol-...'."),
        Refusal(
            "other digits", "DescribeVolumesModifications", ["VolumeId.1": "vol-x"], "InvalidVolumeID.Malformed",
            "Value ( vol-x ) for parameter VOLUME is invalid. "),
        Refusal(
            "never changed", "DescribeVolumesModifications", ["VolumeId.1": "{volume}"],
            "InvalidVolumeModification.NotFound", "Modification for volume '{volume}' does not exist."),
    ]

    private static let attributes = [
        Refusal(
            "none", "DescribeVolumeAttribute", ["VolumeId": "{volume}"], "InvalidParameterCombination",
            "No attributes specified."),
        Refusal(
            "no such attribute", "DescribeVolumeAttribute", ["VolumeId": "{volume}", "Attribute": "x"],
            "InvalidParameterValue", "Value (x) for parameter attribute is invalid. Unknown attribute."),
        Refusal(
            "none", "ModifyVolumeAttribute", ["VolumeId": "{volume}"], "InvalidParameterCombination",
            "No attributes specified."),
        Refusal(
            "malformed", "ModifyVolumeAttribute", ["VolumeId": "x"], "InvalidVolumeID.Malformed",
            "The volume ID 'x' is malformed"),
        Refusal(
            "on already", "EnableVolumeIO", ["VolumeId": "{volume}"], "IncorrectState",
            "Volume {volume} already has IO enabled."),
        Refusal(
            "another prefix", "DescribeVolumeStatus", ["VolumeId.1": "x"], "InvalidVolumeID.Malformed",
            "Invalid id: \"x\" (expecting \"vol-...\")"),
        Refusal(
            "other digits", "DescribeVolumeStatus", ["VolumeId.1": "vol-x"], "InvalidVolumeID.Malformed",
            "Invalid id: \"vol-x\""),
    ]
}
