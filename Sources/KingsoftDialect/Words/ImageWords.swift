internal import Blocks
internal import ControlPlane

/// Images in Kingsoft's words.
enum ImageWords {
    static let types = ["CommonImage", "LocalImage"]
    /// All are stored, whatever was asked for.
    static let type = "CommonImage"

    static func state(_ state: ImageView.State) -> String {
        switch state {
        case .pending: "creating"
        case .available, .disabled: "active"
        case .failed: "error"
        }
    }

    /// An image as lists have it; nil for one that has no name in this cloud.
    static func fields(_ image: ImageView, for account: String) -> KingsoftFields? {
        guard let id = KingsoftID.uuid(image.id, .image) else { return nil }
        let system = image.disks.first { $0.device == image.rootDevice }
        return .with { fields in
            fields.add("ImageId", id)
            fields.add("Name", image.name)
            fields.add("ImageState", state(image.state))
            fields.add("Type", type)
            fields.add("CreationDate", KingsoftTime.text(image.createdAt))
            fields.add("Platform", "linux")
            fields.add("Architecture", image.traits.architecture)
            fields.add("IsPublic", image.sharing?.isPublic ?? false)
            fields.add("InstanceId", image.sourceInstanceId.flatMap { KingsoftID.uuid($0, .instance) } ?? "")
            fields.add("SysDisk", system.map { VolumeTypes.gibibytes($0.sizeBytes) } ?? 0)
            fields.add("Progress", image.state == .pending ? "0%" : "100%")
            fields.add("ImageSource", source(image, for: account))
            fields.add("UserCategory", "common")
            fields.add("CloudInitSupport", false)
            fields.add("IsNpe", false)
            fields.add("Ipv6Support", false)
            fields.add("InstantAccess", false)
            fields.add("BootMode", image.traits.bootMode ?? "BIOS")
            fields.add(
                "SnapshotSet",
                image.disks.compactMap { disk in
                    disk.snapshotId.flatMap { KingsoftID.uuid($0, .snapshot) }.map { snapshot in
                        self.snapshot(snapshot, disk, isSystem: disk.device == image.rootDevice)
                    }
                })
        }
    }

    private static func source(_ image: ImageView, for account: String) -> String {
        if image.ownerId != account { return "share" }
        return image.sourceImageId == nil ? "extend" : "copy"
    }

    private static func snapshot(_ id: String, _ disk: ImageView.Disk, isSystem: Bool) -> KingsoftFields {
        .with { fields in
            fields.add("SnapshotId", id)
            fields.add("DiskType", isSystem ? "system" : "data")
            fields.add("DiskSize", VolumeTypes.gibibytes(disk.sizeBytes))
            fields.add("Type", SnapshotTypes.word(false))
            fields.add("VolumeType", disk.profile.map { VolumeTypes.type(ofKind: $0.kind) } ?? VolumeKind.ssd3.name)
        }
    }
}
