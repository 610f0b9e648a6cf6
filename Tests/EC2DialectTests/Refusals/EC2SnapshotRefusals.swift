import Blocks
import ControlPlane
import TestSupport

@testable import EC2Dialect

/// Snapshots that are not taken, copied, shared, archived, deleted.
enum EC2SnapshotRefusals {
    static let table = RefusalTable("snapshots", in: snapshots, cuts + ids + copies + sharing + care)

    private static let snapshots: @Sendable () async throws -> EC2Scene = {
        var scene = try await EC2Scene { plan in
            let key = plan.data + ".key"
            _ = try KeyFiles.make(at: key)
            plan.keyFiles = [key]
            plan.moreRegions = [RegionPlan(region: Region(name: "eu-west-1"))]
        }
        scene["volume"] = try await scene.volume()
        scene["unready"] = try await scene.house.volumes.beginImport(size: .gibibytes(1), name: nil).id
        scene["snapshot"] = try await scene.snapshot(of: scene["volume"])
        scene["secret"] = try await scene.snapshot(of: scene.volume(1) { $0.encryption = VolumeEncryption() })
        scene["blocked"] = try await scene.snapshot(of: scene["volume"])
        for _ in 0..<25 {
            scene["archived"] = try await scene.snapshot(of: scene["volume"])
            _ = try await scene.house.snapshots.archive(scene["archived"])
        }
        scene["bare"] = try await scene.house.instances.launch(NewInstances())[0].id
        scene["host"] = try await scene.house.instances.launch(NewInstances())[0].id
        _ = try await scene.house.instances.attach(scene.volume(), to: scene["host"], as: "/dev/sdf")
        try await scene.house.snapshots.set(publicAccess: .blockNewSharing)
        _ = try await scene.house.quotas.set(.copies, to: 0)
        return scene
    }

    private static func row(
        _ situation: String, _ action: String, _ parameters: [String: String], _ code: String, _ message: String
    ) -> Refusal { Refusal(situation, action, parameters, code, message) }

    private static let cuts = [
        row(
            "being filled", "CreateSnapshot", ["VolumeId": "{unready}"], "IncorrectState",
            "Volume '{unready}' is not in the 'available' or 'in-use' state."),
        row(
            "a description that is not ASCII", "CreateSnapshot", ["VolumeId": "{volume}", "Description": "é"],
            "InvalidParameterValue",
            "Value (é) for parameter description is invalid. Character sets beyond ASCII are not supported."),
        row(
            "of no instance", "CreateSnapshots", [:], "MissingParameter",
            "The request must contain the parameter InstanceSpecification.InstanceId"),
        row(
            "of nothing", "CreateSnapshots", ["InstanceSpecification.InstanceId": "{bare}"], "InvalidParameterValue",
            "Instance '{bare}' has no volume to take a snapshot of."),
        row(
            "without a stranger", "CreateSnapshots",
            [
                "InstanceSpecification.InstanceId": "{host}",
                "InstanceSpecification.ExcludeDataVolumeId.1": "{volume}",
            ], "InvalidParameterValue", "The volume '{volume}' is not attached to instance '{host}'."),
        row(
            "without too many", "CreateSnapshots",
            ["InstanceSpecification.InstanceId": "{host}"].merging(
                numbered("InstanceSpecification.ExcludeDataVolumeId.N", 41)
            ) { $1 }, "InvalidParameterValue",
            "At most 40 data volumes may be excluded."),
        row(
            "with the tags of something else", "CreateSnapshots",
            ["InstanceSpecification.InstanceId": "{host}", "CopyTagsFromSource": "x"], "InvalidParameterValue",
            "Value (x) for parameter copyTagsFromSource is invalid."),
    ]

    private static let ids = [
        row(
            "none", "DeleteSnapshot", [:], "MissingParameter",
            "Value (null) for parameter snapshotId is invalid. Parameter may not be null or empty."),
        row(
            "another prefix", "DeleteSnapshot", ["SnapshotId": "x"], "InvalidParameterValue",
            "Value (x) for parameter snapshotId is invalid. Expected: 'snap-...'."),
        row(
            "other digits", "DescribeSnapshots", ["SnapshotId.1": "snap-x"], "InvalidSnapshotID.Malformed",
            "Value ( snap-x ) for parameter SNAPSHOT is invalid. "),
        row(
            "no such snapshot", "DeleteSnapshot", ["SnapshotId": "snap-0123456789abcdef0"], "InvalidSnapshot.NotFound",
            "The snapshot 'snap-0123456789abcdef0' does not exist."),
        row(
            "no such account", "DescribeSnapshots", ["Owner.1": "me"], "InvalidUserID.Malformed",
            "Invalid user id: \"me\""),
    ]

    private static func copy(
        _ situation: String, _ change: [String: String], _ code: String, _ message: String
    ) -> Refusal {
        let usual = ["SourceSnapshotId": "{snapshot}", "SourceRegion": "{region}"]
        return Refusal(situation, "CopySnapshot", usual.merging(change) { $1 }, code, message)
    }

    private static let copies = [
        copy(
            "of none", ["SourceSnapshotId": ""], "MissingParameter",
            "The request must contain the parameter sourceSnapshotId"),
        copy(
            "malformed", ["SourceSnapshotId": "x"], "InvalidParameterValue", "The specified snapshotId is invalid"),
        copy(
            "from nowhere", ["SourceRegion": ""], "MissingParameter",
            "The request must contain the parameter sourceRegion"),
        copy(
            "too many", [:], "ResourceLimitExceeded",
            "Too many snapshot copies in progress. The limit is 0 for this destination region."),
        copy("from no region", ["SourceRegion": "x"], "InvalidRegion", "x is not a valid region name."),
        copy(
            "to elsewhere", ["DestinationRegion": "eu-west-1"], "InvalidParameterValue",
            "DestinationRegion 'eu-west-1' does not match the current region (us-east-1)"),
        copy(
            "in 20 minutes", ["CompletionDurationMinutes": "20"], "InvalidParameterValue",
            "'20' is not a valid value for completion duration. Specify a value between 15 and 2880 minutes, in 15 minute "
                + "increments only"),
        copy(
            "signed for another way", ["PresignedUrl": "ftp://x"], "InvalidParameterValue",
            "The protocol in PresignedUrl should be http or https"),
        copy(
            "signed for another", ["PresignedUrl": "http://x/?SourceSnapshotId=snap-1"], "InvalidParameterValue",
            "The source snapshot specified in PresignedUrl 'snap-1' does not match the source snapshot in the request: "
                + "'{snapshot}'"),
        copy(
            "signed for elsewhere", ["PresignedUrl": "http://x/?DestinationRegion=x"], "InvalidParameterValue",
            "The destination region specified in PresignedUrl: 'x' is incorrect"),
        copy(
            "a key alone", ["KmsKeyId": "x"], "InvalidParameterDependency",
            "The parameter KmsKeyId requires the parameter Encrypted to be set."),
        copy(
            "a key that is not here", ["KmsKeyId": "x", "Encrypted": "true"], "InvalidParameterValue",
            "The specified keyId x is invalid"),
        copy(
            "to an Outpost", ["DestinationOutpostArn": "x"], "UnsupportedOperation",
            "Outposts and Local Zones are not supported."),
    ]

    private static func share(
        _ situation: String, _ change: [String: String], _ code: String, _ message: String
    ) -> Refusal {
        Refusal(
            situation, "ModifySnapshotAttribute", ["SnapshotId": "{snapshot}"].merging(change) { $1 }, code, message)
    }

    private static let sharing = [
        share("nothing", [:], "InvalidParameterCombination", "No attributes specified."),
        share("no such attribute", ["Attribute": "x"], "InvalidParameterValue", "Unrecognized attribute."),
        share(
            "both ways", ["OperationType": "add", "CreateVolumePermission.Add.1.UserId": "1"],
            "InvalidParameterCombination",
            "One and only one operation type may be specified for createVolumePermissions"),
        share(
            "no operation", ["UserId.1": "1"], "InvalidParameterCombination",
            "No operation specified for createVolumePermission attribute."),
        share(
            "no such operation", ["OperationType": "x", "UserId.1": "1"], "InvalidParameterValue",
            "Value (x) for parameter operationType is invalid."),
        share(
            "with nobody", ["OperationType": "add"], "InvalidParameterCombination", "No attributes specified."),
        share(
            "with too many", ["OperationType": "add"].merging(numbered("UserId.N", 501)) { $1 },
            "InvalidParameterValue", "Modification size must not be greater than 500."),
        share(
            "with no account", ["CreateVolumePermission.Add.1.UserId": "x"], "InvalidAMIAttributeItemValue",
            "UserId x"),
        share(
            "with no account", ["OperationType": "add", "UserId.1": "x"], "InvalidAMIAttributeItemValue",
            "UserId (x) is invalid."),
        share(
            "with no group", ["OperationType": "add", "UserGroup.1": "x"], "InvalidAMIAttributeItemValue",
            "UserGroup x"),
        share(
            "with all, encrypted", ["SnapshotId": "{secret}", "OperationType": "add", "UserGroup.1": "all"],
            "OperationNotPermitted", "Encrypted snapshots cannot be shared publicly."),
        share(
            "with all, where that is blocked", ["OperationType": "add", "UserGroup.1": "all"], "OperationNotPermitted",
            "Public sharing of snapshots is blocked for this account."),
        row(
            "none", "DescribeSnapshotAttribute", ["SnapshotId": "{snapshot}"], "InvalidRequest",
            "The request received was invalid."),
        row(
            "no such attribute", "DescribeSnapshotAttribute", ["SnapshotId": "{snapshot}", "Attribute": "x"],
            "InvalidParameterValue", "Unrecognized attribute."),
        row(
            "malformed", "ResetSnapshotAttribute", ["SnapshotId": "x", "Attribute": "createVolumePermission"],
            "InvalidSnapshotID.Malformed", "The snapshot ID 'x' is malformed"),
        row(
            "not to be reset", "ResetSnapshotAttribute", ["SnapshotId": "{snapshot}", "Attribute": "productCodes"],
            "InvalidParameterValue", "Unrecognized attribute."),
        row(
            "none", "EnableSnapshotBlockPublicAccess", [:], "MissingParameter",
            "The request must contain the parameter State"),
        row(
            "no such state", "EnableSnapshotBlockPublicAccess", ["State": "unblocked"], "InvalidParameterValue",
            "Value (unblocked) for parameter State is invalid."),
        row(
            "no key", "ModifyEbsDefaultKmsKeyId", [:], "MissingParameter",
            "The request must contain the parameter KmsKeyId"),
    ]

    private static let care = [
        row(
            "no such tier", "ModifySnapshotTier", ["SnapshotId": "{snapshot}", "StorageTier": "x"],
            "InvalidParameterValue", "Value (x) for parameter storageTier is invalid."),
        row(
            "more than there is room for", "ModifySnapshotTier", ["SnapshotId": "{snapshot}"], "ResourceLimitExceeded",
            "25 snapshots of {volume} are in the archive already: that is the most"),
        row(
            "for how long", "RestoreSnapshotTier", ["SnapshotId": "{archived}"], "MissingParameter",
            "The request must contain the parameter TemporaryRestoreDays"),
        row(
            "for a time and for ever", "RestoreSnapshotTier",
            ["SnapshotId": "{archived}", "TemporaryRestoreDays": "1", "PermanentRestore": "true"],
            "InvalidParameterCombination",
            "The parameter TemporaryRestoreDays cannot be used with the parameter PermanentRestore"),
        row(
            "for too long", "RestoreSnapshotTier", ["SnapshotId": "{archived}", "TemporaryRestoreDays": "181"],
            "InvalidParameterValue",
            "Value (181) for parameter temporaryRestoreDays is invalid. Specify a value between 1 and 180."),
        row(
            "none", "EnableFastSnapshotRestores", ["AvailabilityZone.1": "{zone}"], "MissingParameter",
            "The request must contain the parameter SourceSnapshotIds"),
        row(
            "nowhere", "EnableFastSnapshotRestores", ["SourceSnapshotId.1": "{snapshot}"], "MissingParameter",
            "The request must contain the parameter AvailabilityZones"),
        row(
            "too many", "EnableFastSnapshotRestores",
            ["AvailabilityZone.1": "{zone}"].merging(numbered("SourceSnapshotId.N", 11)) { $1 },
            "InvalidParameterValue", "At most 10 snapshots may be specified."),
        row(
            "no mode", "LockSnapshot", ["SnapshotId": "{snapshot}"], "MissingParameter",
            "The request must contain the parameter LockMode"),
        row(
            "no such mode", "LockSnapshot", ["SnapshotId": "{snapshot}", "LockMode": "x"], "InvalidParameterValue",
            "Value (x) for parameter LockMode is invalid."),
        row(
            "for how long", "LockSnapshot", ["SnapshotId": "{snapshot}", "LockMode": "governance"],
            "InvalidParameterCombination", "Specify either LockDuration or ExpirationDate, and not both."),
        row(
            "cooling off", "LockSnapshot",
            ["SnapshotId": "{snapshot}", "LockMode": "governance", "LockDuration": "1", "CoolOffPeriod": "1"],
            "InvalidParameterCombination", "CoolOffPeriod can be specified with the lock mode compliance only."),
        row(
            "until no time", "LockSnapshot",
            ["SnapshotId": "{snapshot}", "LockMode": "governance", "ExpirationDate": "noon"], "InvalidParameterValue",
            "Value (noon) for parameter ExpirationDate is invalid."),
        row(
            "for no days", "LockSnapshot",
            ["SnapshotId": "{snapshot}", "LockMode": "governance", "LockDuration": "0"], "InvalidParameterValue",
            "a lock of 0 days: 1 to 36500 are allowed"),
    ]
}
