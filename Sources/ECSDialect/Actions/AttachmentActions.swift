internal import ControlPlane

extension ECSDialect {
    static let attachmentActions = [
        ECSAction("AttachDisk", isChange: true, attachDisk),
        ECSAction("DetachDisk", isChange: true, detachDisk),
    ]

    private static let attachDisk: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let host = try await call.instance()
        let volume = try await call.disk()
        let isFree = volume.isShared ? !volume.attachments.contains { $0.host == host.id } : volume.attachment == nil
        if !isFree { throw inUse }
        guard volume.state == .available || volume.state == .inUse else {
            throw ECSFailure(403, "DiskId.StatusNotSupported", "The specified disk status is not supported.")
        }
        guard volume.zone == host.zone else {
            throw ECSFailure(
                403, "ResourcesNotInSameZone", "The specified instance and disk are not in the same zone.")
        }
        let asked = try call.parameters.flag("DeleteWithInstance")
        try call.dryRun()
        let wanted = try await call.verbs.volumes.wishes()[volume.id]?.goesWithInstance
        let goes = asked ?? wanted ?? false
        _ = try await attach(volume.id, to: host, as: call.parameters["Device"], goes: goes, call)
        return ECSFields()
    }

    private static let inUse = ECSFailure(404, "InvalidDisk.InUse", "The specified disk has been occupied.")
    /// Disks of an instance, the one it starts from among them.
    private static let disksMax = 17

    static let tooManyDisks = ECSFailure(
        403, "InstanceDiskLimitExceeded", "The amount of the disk on instance in question reach its limits.")

    /// - Parameter device: nil: the first that is free, from `/dev/xvdb`.
    static func attach(
        _ volume: String, to host: InstanceView, as device: String?, goes: Bool = false, _ call: ECSCall
    ) async throws -> InstanceView.Disk {
        // Counted where it is attached, so that two at once cannot pass together; there is always room for the first disk.
        let isSystem = DiskWords.isSystem(device) && host.rootDevice == nil
        let taken = Set(host.disks.map(\.device))
        let free = "bcdefghijklmnopqrstuvwxyz".map { "/dev/xvd\($0)" }.first { !taken.contains($0) }
        do {
            return try await call.verbs.instances.attach(
                volume, to: host.id, as: device ?? free, goesWithInstance: goes,
                dataDisksMax: isSystem ? disksMax : disksMax - 1)
        } catch let error as ServiceError {
            switch (error.code, error.noun) {
            case (.inUse, .attachment):
                // Another disk came to that place just now.
                let present = try await call.verbs.instances.show(host.id)
                if device == nil, present.disks != host.disks {
                    return try await attach(volume, to: present, as: nil, goes: goes, call)
                }
                throw ECSFailure(403, "InvalidDevice.InUse", "The specified device has been occupied.")
            case (.inUse, .volume): throw inUse
            case (.limitExceeded, _): throw tooManyDisks
            case (.invalid, .attachment):
                throw ECSFailure(
                    400, "InvalidDevice.Malformed", "The specified port is not valid.", logged: error.description)
            case (.wrongState, .instance): throw ECSFailure.instanceStatus(400)
            default: throw error
            }
        }
    }

    private static let detachDisk: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let host = try await call.instance()
        let volume = try await call.disk()
        let goes = try call.parameters.flag("DeleteWithInstance")
        let detached = ECSFailure(404, "InvalidDisk.AlreadyDetached", "The specified disk has been detached.")
        guard let place = volume.attachments.first(where: { $0.host == host.id }) else { throw detached }
        if DiskWords.isSystem(place.device), host.state != .stopped { throw ECSFailure.instanceStatus() }
        try call.dryRun()
        do {
            try await call.verbs.instances.detach(volume.id, from: host.id, as: nil)
        } catch let error as ServiceError {
            guard error.noun == .attachment, error.code == .wrongState || error.code == .missing else { throw error }
            throw detached
        }
        // For where it is put next.
        if let goes { try await call.verbs.volumes.wish(of: volume.id) { $0.goesWithInstance = goes } }
        return ECSFields()
    }
}
