internal import Blocks
internal import ControlPlane

/// Volumes in Amazon's words.
enum VolumeWords {
    /// Whole GiB, rounded up.
    static func gibibytes(_ bytes: Int) -> Int { (bytes + (1 << 30) - 1) >> 30 }

    static func state(_ state: VolumeView.State) -> String {
        switch state {
        case .creating: "creating"
        case .available: "available"
        case .inUse: "in-use"
        case .deleting: "deleting"
        case .error, .quarantined: "error"
        }
    }

    /// The elements of CreateVolume's answer, and with `isDescribed` those that DescribeVolumes has besides.
    static func write(_ volume: VolumeView, _ call: EC2Call, isDescribed: Bool, into writer: inout XMLWriter) {
        writer.add("volumeId", volume.id)
        writer.add("size", gibibytes(volume.sizeBytes))
        writer.add("snapshotId", volume.originSnapshotId ?? "")
        writer.add("sourceVolumeId", volume.sourceVolumeId)
        writer.add("availabilityZone", volume.zone)
        writer.add("availabilityZoneId", call.region.zone(volume.zone)?.id)
        writer.add("status", state(volume.state))
        writer.add("createTime", isDescribed ? volume.createdAt.description : wholeSeconds(volume.createdAt))
        if isDescribed {
            writer.list("attachmentSet", volume.attachments) { writer, attachment in
                writer.add("volumeId", volume.id)
                writer.add("instanceId", attachment.host)
                writer.add("device", attachment.device ?? "/dev/sdf")
                writer.add("status", "attached")
                writer.add("attachTime", attachment.attachedAt.description)
                writer.add("deleteOnTermination", attachment.goesWithInstance)
            }
            writer.add("fastRestored", volume.fastRestored)
            writer.add("operator") { writer in
                writer.add("managed", false)
                writer.add("hiddenByDefault", false)
            }
        }
        writer.add("volumeType", volume.profile.kind)
        writer.add("iops", volume.profile.iops)
        writer.add("throughput", volume.profile.throughput)
        writer.add("encrypted", volume.encrypted)
        writer.add("kmsKeyId", volume.keyId)
        writer.add("multiAttachEnabled", volume.isShared)
        writer.add("volumeInitializationRate", volume.fillRate)
        writer.add(tags: volume.tags, evenIfEmpty: !isDescribed)
    }

    static func wholeSeconds(_ time: WallTime) -> String {
        WallTime(milliseconds: time.milliseconds / 1000 * 1000).description
    }

    /// What a filter of DescribeVolumes compares with.
    static func values(of filter: String, _ volume: VolumeView, _ call: EC2Call) -> [String] {
        switch filter {
        case "attachment.attach-time": volume.attachments.map(\.attachedAt.description)
        case "attachment.delete-on-termination": volume.attachments.map { String($0.goesWithInstance) }
        case "attachment.device": volume.attachments.map { $0.device ?? "/dev/sdf" }
        case "attachment.instance-id": volume.attachments.map(\.host)
        case "attachment.status": volume.attachments.isEmpty ? [] : ["attached"]
        case "availability-zone": [volume.zone]
        case "availability-zone-id": call.region.zone(volume.zone).map { [$0.id] } ?? []
        case "create-time": [volume.createdAt.description]
        case "encrypted": [String(volume.encrypted)]
        case "fast-restored": [String(volume.fastRestored)]
        case "multi-attach-enabled": [String(volume.isShared)]
        case "operator.managed": ["false"]
        case "size": [String(gibibytes(volume.sizeBytes))]
        case "snapshot-id": volume.originSnapshotId.map { [$0] } ?? []
        case "status": [state(volume.state)]
        case "volume-id": [volume.id]
        case "volume-type": [volume.profile.kind]
        default: []
        }
    }

    static let filters: Set<String> = [
        "attachment.attach-time", "attachment.delete-on-termination", "attachment.device", "attachment.instance-id",
        "attachment.status", "availability-zone", "availability-zone-id", "create-time", "encrypted", "fast-restored",
        "multi-attach-enabled", "operator.managed", "operator.principal", "size", "snapshot-id", "status", "tag:",
        "tag-key", "tag-value", "volume-id",
        "volume-type",
    ]
}
