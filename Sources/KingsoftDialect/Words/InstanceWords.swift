internal import ControlPlane

/// Instances in Kingsoft's words.
enum InstanceWords {
    static func state(_ state: InstanceView.State) -> String {
        switch state {
        case .running: "active"
        case .stopped: "stopped"
        case .terminated: "terminated"
        }
    }

    /// The tag that every cloud's clients know it by, or a name made of its id.
    static func name(of instance: InstanceView, _ uuid: String) -> String {
        instance.tags?["Name"] ?? "KSC-IN-" + uuid.filter { $0 != "-" }.prefix(10).uppercased()
    }

    /// An instance as lists have it; nil for one that has no name in this cloud.
    static func fields(_ instance: InstanceView, _ volumes: [String: VolumeView]) -> KingsoftFields? {
        guard let id = KingsoftID.uuid(instance.id, .instance) else { return nil }
        let terms = Terms(instance.keepsakes)
        let system = instance.disks.first { $0.device == instance.rootDevice }
        return .with { fields in
            fields.add("InstanceId", id)
            fields.add("InstanceName", name(of: instance, id))
            fields.add("InstanceType", instance.kind)
            fields.add("InstanceState", .with { $0.add("Name", state(instance.state)) })
            fields.add("ProjectId", terms.project)
            fields.add("ImageId", instance.imageId.map { KingsoftID.uuid($0, .image) ?? $0 } ?? "")
            fields.add("CreationDate", KingsoftTime.text(instance.launchedAt))
            fields.add("ChargeType", terms.type)
            fields.add("AvailabilityZone", instance.zone)
            let systemVolume = system.flatMap { volumes[$0.volumeId] }
            fields.add(
                "SystemDisk",
                .with { disk in
                    disk.add("DiskType", systemVolume.map(VolumeTypes.type) ?? "")
                    disk.add("DiskSize", systemVolume.map { VolumeTypes.gibibytes($0.sizeBytes) } ?? 0)
                })
            fields.add(
                "DataDisks",
                KingsoftDialect.dataDisks(of: instance).compactMap { disk in
                    guard let volume = volumes[disk.volumeId] else { return nil }
                    return dataDisk(disk, volume)
                })
            // Clients need an address; the house runs no networks.
            fields.add("NetworkInterfaceSet", [.with { $0.add("PrivateIpAddress", "127.0.0.1") }])
        }
    }

    private static func dataDisk(_ disk: InstanceView.Disk, _ volume: VolumeView) -> KingsoftFields {
        .with { fields in
            fields.add("DiskId", KingsoftID.uuid(volume.id, .volume))
            fields.add("DiskType", VolumeTypes.type(of: volume))
            fields.add("DiskSize", VolumeTypes.gibibytes(volume.sizeBytes))
            fields.add("DeleteWithInstance", disk.goesWithInstance)
            fields.add("Encrypted", volume.encrypted)
        }
    }
}
