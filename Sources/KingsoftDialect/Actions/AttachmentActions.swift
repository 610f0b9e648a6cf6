internal import ControlPlane

extension KingsoftDialect {
    static let attachmentActions: [KingsoftAction] = [
        .change(.ebs, "AttachVolume", attachVolume),
        .change(.ebs, "DetachVolume", detachVolume),
        .look(.ebs, "ValidateAttachInstance", knows: ["VolumeType", "InstanceId"]) { call in
            _ = try call.parameters.required("VolumeType")
            let instance = try await call.instance()
            let free = max(0, dataDisksMax - dataDisks(of: instance).count)
            return .with { fields in
                fields.add("InstanceEnable", free > 0)
                fields.add("InstanceState", InstanceWords.state(instance.state))
                fields.add("LargeVolumeSupport", true)
                fields.add("AvailableVolumeNum", free)
            }
        },
        .look(.ebs, "DescribeInstanceVolumes", knows: ["InstanceId"]) { call in
            let uuid = try call.parameters.required("InstanceId")
            let instances = try await call.verbs.instances.list()
            let disks = instances.first { KingsoftID.uuid($0.id, .instance) == uuid.lowercased() }?.disks ?? []
            return .with { fields in
                fields.add(
                    "Attachments",
                    disks.compactMap { disk in
                        guard let volume = KingsoftID.uuid(disk.volumeId, .volume) else { return nil }
                        return .with { one in
                            one.add("InstanceId", uuid.lowercased())
                            one.add("VolumeId", volume)
                            one.add("MountPoint", VolumeWords.mountPoint(disk.device))
                        }
                    })
            }
        },
    ]

    /// Data disks that an instance of this cloud has at most.
    static let dataDisksMax = 8

    static func dataDisks(of instance: InstanceView) -> [InstanceView.Disk] {
        instance.disks.filter { $0.device != instance.rootDevice }
    }

    private static let attachVolume: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let goes = try call.parameters.flag("DeleteWithInstance") ?? false
        let volume = try await call.volume(), instance = try await call.instance()
        guard volume.state == .available else { throw statusError(volume, allowed: "available") }
        guard volume.zone == instance.zone else {
            throw KingsoftFailure.wrong("InstanceId", "It is in \(instance.zone), the volume in \(volume.zone).")
        }
        try call.dryRun()
        do {
            // Guests of this cloud name their disks from the place after the system disk's on.
            let disk = try await call.verbs.instances.attach(
                volume.id, to: instance.id, from: "b", goesWithInstance: goes, dataDisksMax: dataDisksMax)
            return .with { fields in
                fields.add("Return", true)
                fields.add("MountPoint", VolumeWords.mountPoint(disk.device))
            }
        } catch let error as ServiceError where error.code == .limitExceeded {
            throw KingsoftFailure(
                .instanceStatusError, "The instance has \(dataDisksMax) data disks, which is the most.")
        }
    }

    private static let detachVolume: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let volume = try await call.volume()
        let instance = try await call.parameters["InstanceId"] == nil ? nil : call.instance()
        let there = instance.map { instance in volume.attachments.first { $0.host == instance.id } }
        guard let attachment = there ?? volume.attachment, instance == nil || instance?.id == attachment.host else {
            throw statusError(volume, allowed: "in-use with that instance")
        }
        try call.dryRun()
        if KingsoftID.uuid(attachment.host, .instance) == nil {
            _ = try await call.verbs.volumes.detach(volume.id)
        } else {
            try await call.verbs.instances.detach(
                volume.id, from: instance?.id ?? (volume.attachments.count == 1 ? attachment.host : nil), as: nil)
        }
        return .done
    }
}
