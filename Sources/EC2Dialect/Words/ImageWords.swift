internal import Blocks
internal import ControlPlane

/// Images in Amazon's words.
enum ImageWords {
    static func state(_ image: ImageView) -> String { image.state.rawValue }

    private static func location(_ image: ImageView) -> String { "\(image.ownerId)/\(image.name)" }

    /// What Amazon calls it; only its owner is told whether it is protected.
    static func protection(_ image: ImageView) -> String {
        switch image.protection ?? .off {
        case .off: "disabled"
        case .on: "enabled-without-cooldown"
        case .cooldown: "enabled-with-cooldown"
        }
    }

    /// An item of `imagesSet`.
    static func write(_ image: ImageView, into writer: inout XMLWriter) {
        writer.add("imageId", image.id)
        writer.add("imageLocation", location(image))
        writer.add("imageState", state(image))
        writer.add("imageOwnerId", image.ownerId)
        writer.add("creationDate", image.createdAt.description)
        writer.add("isPublic", isPublic(image))
        writer.list("productCodes", [String]()) { $0.add("productCode", $1) }
        writer.add("architecture", image.traits.architecture)
        writer.add("imageType", "machine")
        writer.add("platformDetails", "Linux/UNIX")
        writer.add("usageOperation", "RunInstances")
        writer.add("name", image.name)
        writer.add("description", image.description)
        writer.add("rootDeviceType", "ebs")
        writer.add("rootDeviceName", image.rootDevice)
        write(disks: image, into: &writer)
        writer.add("virtualizationType", image.traits.virtualization)
        writer.add("hypervisor", "xen")
        writer.add("enaSupport", image.traits.hasENA)
        writer.add("sriovNetSupport", image.traits.sriov)
        writer.add("bootMode", image.traits.bootMode)
        writer.add("tpmSupport", image.traits.tpm)
        writer.add("imdsSupport", image.traits.imds)
        writer.add("deprecationTime", image.deprecatedAt?.description)
        writer.add("sourceInstanceId", image.sourceInstanceId)
        writer.add("sourceImageId", image.sourceImageId)
        writer.add("sourceImageRegion", image.sourceRegion)
        writer.add("deregistrationProtection", protection(image))
        if image.state == .failed {
            writer.add("stateReason") { writer in
                writer.add("code", failure)
                writer.add("message", image.reason)
            }
        }
        writer.add(tags: image.allTags, evenIfEmpty: false)
    }

    private static let failure = "Server.InternalError"

    static func isPublic(_ image: ImageView) -> Bool { image.sharing?.isPublic == true }

    static func write(disks image: ImageView, into writer: inout XMLWriter) {
        writer.list("blockDeviceMapping", image.disks) { writer, disk in
            writer.add("deviceName", disk.device)
            writer.add("ebs") { writer in
                writer.add("snapshotId", disk.snapshotId)
                writer.add("volumeSize", VolumeWords.gibibytes(disk.sizeBytes))
                writer.add("deleteOnTermination", disk.goesWithInstance)
                writer.add("volumeType", kind(disk))
                writer.add("iops", disk.profile?.iops)
                writer.add("throughput", disk.profile?.throughput)
                writer.add("encrypted", disk.encrypted)
            }
        }
    }

    private static func kind(_ disk: ImageView.Disk) -> String { disk.profile?.kind ?? VolumeKind.gp2.name }

    /// What a filter of DescribeImages compares with.
    static func values(of filter: String, _ image: ImageView) -> [String] {
        switch filter {
        case "architecture": [image.traits.architecture]
        case "block-device-mapping.delete-on-termination": image.disks.map { String($0.goesWithInstance) }
        case "block-device-mapping.device-name": image.disks.map(\.device)
        case "block-device-mapping.encrypted": image.disks.map { String($0.encrypted) }
        case "block-device-mapping.snapshot-id": image.disks.compactMap(\.snapshotId)
        case "block-device-mapping.volume-size": image.disks.map { String(VolumeWords.gibibytes($0.sizeBytes)) }
        case "block-device-mapping.volume-type": image.disks.map(kind)
        case "creation-date": [image.createdAt.description]
        case "description": [image.description ?? ""]
        case "ena-support": [String(image.traits.hasENA)]
        case "hypervisor": ["xen"]
        case "image-id": [image.id]
        case "image-type": ["machine"]
        case "is-public": [String(isPublic(image))]
        case "manifest-location": [location(image)]
        case "name": [image.name]
        case "owner-id": [image.ownerId]
        case "root-device-name": [image.rootDevice]
        case "root-device-type": ["ebs"]
        case "source-image-id": image.sourceImageId.map { [$0] } ?? []
        case "source-image-region": image.sourceRegion.map { [$0] } ?? []
        case "source-instance-id": image.sourceInstanceId.map { [$0] } ?? []
        case "sriov-net-support": image.traits.sriov.map { [$0] } ?? []
        case "state": [state(image)]
        case "state-reason-code": image.state == .failed ? [failure] : []
        case "state-reason-message": image.state == .failed ? [image.reason ?? ""] : []
        case "virtualization-type": [image.traits.virtualization]
        default: []
        }
    }

    static let filters: Set<String> = [
        "architecture", "block-device-mapping.delete-on-termination", "block-device-mapping.device-name",
        "block-device-mapping.encrypted", "block-device-mapping.snapshot-id", "block-device-mapping.volume-size",
        "block-device-mapping.volume-type", "creation-date", "description", "ena-support", "free-tier-eligible",
        "hypervisor", "image-allowed", "image-id", "image-type", "is-public", "kernel-id", "manifest-location", "name",
        "owner-alias", "owner-id", "platform", "product-code", "product-code.type", "ramdisk-id", "root-device-name",
        "root-device-type", "source-image-id", "source-image-region", "source-instance-id", "sriov-net-support",
        "state", "state-reason-code", "state-reason-message", "tag:", "tag-key", "tag-value", "virtualization-type",
    ]
}

extension EC2Identifier {
    /// An image's id under `name`.
    static func image(_ call: EC2Call, _ name: String = "ImageId") throws(EC2Failure) -> String {
        guard let id = call.parameters[name], !id.isEmpty else { throw .missing(name.loweredFirst) }
        try checkImage(id)
        return id
    }

    static func checkImage(_ id: String) throws(EC2Failure) {
        guard isForm(id, prefix: "ami-") else { throw EC2Failure("InvalidAMIID.Malformed", "Invalid id: \"\(id)\"") }
    }

    static func noImage(_ id: String) -> EC2Failure {
        EC2Failure("InvalidAMIID.NotFound", "The image id '[\(id)]' does not exist")
    }
    static func unavailableImage(_ id: String) -> EC2Failure {
        EC2Failure("InvalidAMIID.Unavailable", "The image '\(id)' is no longer available")
    }
}
