internal import Blocks
internal import Catalog

extension InstanceService {
    /// Attaches a volume to an instance in its zone: its NBD export, and a socket of its own, are ready when the call returns.
    ///
    /// - Parameter device: its name there, which none of the others has; nil: the first that is free, from `/dev/sdf`.
    public func attach(
        _ volume: String, to instance: String, as device: String? = nil, goesWithInstance: Bool = false
    ) async throws -> InstanceView.Disk {
        try await ServiceError.about(.attachment) {
            try caller.mayChange(.attachment)
            let name = try device.map { try DeviceName($0) }
            let made = try await house.lanes.run([instance, volume]) {
                let host = try await record(instance)
                guard host.state != .terminated else { throw Self.ended(instance) }
                let record = try await VolumeService(house, caller).usable(volume)
                try check(record, host)
                let chosen = try await place(volume, on: instance, name)
                let made = AttachmentRecord(
                    objectID: volume, host: instance, device: chosen.text, goesWithInstance: goesWithInstance,
                    attachedAt: house.clock.now())
                let open = try house.live.open(volume)
                try await house.catalog.change { try $0.attachVolume(made) }
                Failpoint.hit("attach.recorded")
                do {
                    try await house.exports.publish(
                        ExportOffer(volume, device: open, at: made.place, pace: house.pace(of: record)))
                } catch {
                    try? await house.catalog.change { try $0.detachVolume(volume) }
                    throw error
                }
                return made
            }
            house.announce(volume, instance)
            return InstanceView.Disk(made, house)
        }
    }

    private func check(_ volume: VolumeRecord, _ host: InstanceRecord) throws {
        let zone = volume.zone ?? house.region.zones[0].name
        guard zone == host.zone else {
            throw ServiceError(
                .invalid, .attachment,
                "the volume \(volume.id) is in \(zone), the instance \(host.id) in \(host.zone): both must be in one zone"
            )
        }
    }

    private func place(_ volume: String, on instance: String, _ wanted: DeviceName?) async throws -> DeviceName {
        let (present, others) = try await house.catalog.change { session in
            (try session.volumeAttachment(volume), try session.volumeAttachments(to: instance))
        }
        if let present {
            throw ServiceError(.inUse, .volume, "the volume \(volume) is attached to \(present.host): detach it first")
        }
        guard others.count < Limits.disksMax else {
            throw ServiceError(
                .limitExceeded, .attachment, "the instance \(instance) has \(others.count) disks: that is the most")
        }
        let taken = try others.compactMap { try $0.device.map { try DeviceName($0) } }
        guard let name = wanted ?? DeviceName.free(beside: taken) else {
            throw ServiceError(.limitExceeded, .attachment, "the instance \(instance) has no free device name")
        }
        if taken.contains(name) {
            throw ServiceError(
                .inUse, .attachment, "the device \(name.text) of \(instance) is in use: take another name")
        }
        return name
    }

    /// Detaches a volume from the instance it is on: returns when in-flight I/O is finished and its exports are gone.
    ///
    /// - Parameters:
    ///   - instance: where it must be, if not nil.
    ///   - device: under which name it must be there, if not nil.
    public func detach(_ volume: String, from instance: String?, as device: String?) async throws {
        try await ServiceError.about(.attachment) {
            try caller.mayChange(.attachment)
            _ = try await house.volumeRecord(volume, for: caller)
            try await house.lanes.run(volume) {
                guard let present = try await house.catalog.change({ try $0.volumeAttachment(volume) }) else {
                    throw ServiceError(.wrongState, .attachment, "the volume \(volume) is not attached")
                }
                let isThere = instance == nil || instance == present.host
                let isSo =
                    try device == nil || present.device.map { try DeviceName($0) } == device.map { try DeviceName($0) }
                guard isThere, isSo else {
                    throw ServiceError(
                        .missing, .attachment,
                        "the volume \(volume) is on \(present.host)\(present.device.map { " as \($0)" } ?? ""), not there"
                    )
                }
                await house.exports.withdraw(volume)
                Failpoint.hit("detach.withdrawn")
                try await house.catalog.change { try $0.detachVolume(volume) }
            }
            house.announce(volume)
        }
    }

    /// Says whether a volume is deleted when its instance is terminated.
    public func set(goesWithInstance: Bool, of volume: String) async throws {
        try await ServiceError.about(.attachment) {
            try caller.mayChange(.attachment)
            _ = try await house.volumeRecord(volume, for: caller)
            try await house.catalog.change { try $0.setGoesWithInstance(goesWithInstance, volume: volume) }
        }
    }
}

extension AttachmentRecord {
    /// Where its own socket is; nil for what is on no instance.
    var place: ExportPlace? {
        guard let device, let name = try? DeviceName(device) else { return nil }
        return ExportPlace(instance: host, device: name.fileName)
    }
}
