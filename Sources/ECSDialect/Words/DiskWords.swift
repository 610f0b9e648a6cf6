internal import Blocks
internal import ControlPlane

/// Disks in Alibaba's words.
enum DiskWords {
    static func status(_ volume: VolumeView) -> String {
        switch volume.state {
        case .creating: "Creating"
        case .available: "Available"
        case .inUse: "In_use"
        case .deleting: "Detaching"
        case .error, .quarantined: "Available"
        }
    }

    /// Is it the disk that an instance starts from?
    static func isSystem(_ device: String?) -> Bool {
        guard let device else { return false }
        return ["/dev/sda", "/dev/sda1", "/dev/xvda", "/dev/xvda1", "/dev/vda"].contains(device)
    }

    /// Does it go with the instance that it is on, or that it is put on next?
    static func goes(_ volume: VolumeView, _ wishes: VolumeWishes) -> Bool {
        volume.attachment?.goesWithInstance ?? wishes.goesWithInstance ?? false
    }

    static func type(_ volume: VolumeView) -> String { isSystem(volume.attachment?.device) ? "system" : "data" }

    /// The instance that it is on, the first if it is on several, by Alibaba's id; nil: on none.
    static func instance(_ volume: VolumeView) -> String? {
        volume.attachment.flatMap { ECSID.name($0.host, .instance) }
    }

    /// An item of `Disks.Disk`.
    ///
    /// - Parameters:
    ///   - policies: that it is under, by this cloud's ids.
    ///   - group: the resource group that it is in.
    ///   - wishes: what its owner wants of it.
    static func write(
        _ volume: VolumeView, under policies: [String], in group: String, _ wishes: VolumeWishes, _ call: ECSCall
    ) -> ECSValue {
        let category = DiskCategory(of: volume)
        let id = ECSID.name(volume.id, .disk) ?? volume.id
        var fields = ECSFields()
        fields.add("DiskId", id)
        fields.add("DiskName", volume.name ?? "")
        fields.add("Description", volume.description ?? "")
        fields.add("RegionId", call.region.name)
        fields.add("ZoneId", volume.zone)
        fields.add("Size", Gibibytes.of(volume.sizeBytes))
        fields.add("Type", type(volume))
        fields.add("Category", category.name)
        fields.add("PerformanceLevel", category.level)
        fields.add("Status", status(volume))
        fields.add("InstanceId", instance(volume) ?? "")
        fields.add("Device", volume.attachment?.device ?? "")
        fields.add("Portable", true)
        fields.add("DeleteWithInstance", goes(volume, wishes))
        fields.add("DeleteAutoSnapshot", wishes.takesPolicySnapshots)
        fields.add("EnableAutoSnapshot", !wishes.skipsPolicies)
        fields.add("EnableAutomatedSnapshotPolicy", !policies.isEmpty)
        fields.add("AutoSnapshotPolicyId", policies.first ?? "")
        fields.add("SourceSnapshotId", volume.originSnapshotId.flatMap { ECSID.name($0, .snapshot) } ?? "")
        fields.add("SourceDiskId", volume.sourceVolumeId.flatMap { ECSID.name($0, .disk) })
        fields.add("ImageId", "")
        fields.add("Encrypted", volume.encrypted)
        fields.add("KMSKeyId", volume.keyId ?? "")
        fields.add("CreationTime", volume.createdAt.ecs)
        fields.add("AttachedTime", volume.attachment?.attachedAt.ecs ?? "")
        fields.add("DetachedTime", "")
        fields.add("ExpiredTime", "2999-09-08T16:00Z")
        fields.add("DiskChargeType", "PostPaid")
        fields.add("ResourceGroupId", group)
        fields.add("SerialNumber", String(id.dropFirst("d-".count)))
        fields.add("IOPS", volume.profile.iops)
        fields.add("Throughput", volume.profile.throughput)
        fields.add("MultiAttach", volume.isShared ? "Enabled" : "Disabled")
        fields.add("MountInstanceNum", volume.attachments.count)
        Tags.write(volume.tags, into: &fields)
        let places = volume.attachments.compactMap { attachment in
            ECSID.name(attachment.host, .instance).map { instance in
                ECSFields.of {
                    $0.add("InstanceId", instance)
                    $0.add("Device", attachment.device ?? "")
                    $0.add("AttachedTime", attachment.attachedAt.ecs)
                }.value
            }
        }
        fields.add("MountInstances", listOf: "MountInstance", places)
        fields.add("Attachments", listOf: "Attachment", places)
        fields.add("OperationLocks", listOf: "OperationLock", [])
        return fields.value
    }
}

extension ECSCall {
    /// The disk that `DiskId` names, or Alibaba's words that there is none.
    func disk(_ name: String = "DiskId", orElse failure: ECSFailure = .noDisk) async throws -> VolumeView {
        try await disk(named: parameters.needed(name), orElse: failure)
    }

    func disk(named id: String, orElse failure: ECSFailure = .noDisk) async throws -> VolumeView {
        guard let native = ECSID.native(id, .disk) else { throw failure }
        do {
            let volume = try await verbs.volumes.show(native)
            // Deleted, and waiting for its snapshots to be uploaded.
            guard volume.state != .deleting else { throw failure }
            return volume
        } catch let error as ServiceError {
            guard error.code == .missing || error.code == .invalid else { throw error }
            throw failure
        }
    }

    /// The snapshot that `SnapshotId` names.
    func snapshot(_ name: String = "SnapshotId", orElse failure: ECSFailure = .noSnapshot) async throws -> SnapshotView
    {
        guard let native = ECSID.native(try parameters.needed(name), .snapshot) else { throw failure }
        do { return try await verbs.snapshots.find(native) } catch let error as ServiceError {
            guard error.code == .missing || error.code == .invalid else { throw error }
            throw failure
        }
    }

    /// The instance that `InstanceId` names; what is ended is none.
    func instance(_ name: String = "InstanceId") async throws -> InstanceView {
        try await instance(named: parameters.needed(name))
    }

    func instance(named id: String) async throws -> InstanceView {
        guard let native = ECSID.native(id, .instance) else { throw ECSFailure.noInstance }
        do {
            let instance = try await verbs.instances.show(native)
            guard instance.state != .terminated else { throw ECSFailure.noInstance }
            return instance
        } catch let error as ServiceError {
            guard error.code == .missing || error.code == .invalid else { throw error }
            throw ECSFailure.noInstance
        }
    }
}
