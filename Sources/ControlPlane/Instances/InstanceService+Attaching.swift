internal import Blocks
internal import Catalog

extension InstanceService {
    /// Attaches a volume to an instance in its zone: its NBD export, and a socket of its own, are ready when the call returns.
    ///
    /// - Parameters:
    ///   - device: its name there, which none of the others has; nil: the first that is free.
    ///   - first: the letter that this begins at.
    ///   - dataDisksMax: disks, but the one it starts from, that it may have then; nil: as many as the house allows.
    public func attach(
        _ volume: String, to instance: String, as device: String? = nil, from first: Character = "f",
        goesWithInstance: Bool = false,
        dataDisksMax: Int? = nil
    ) async throws -> InstanceView.Disk {
        try await ServiceError.about(.attachment) {
            try caller.mayChange(.attachment)
            let name = try device.map { try DeviceName($0) }
            let made = try await house.lanes.run([instance, volume]) {
                let host = try await record(instance)
                guard host.state != .terminated else { throw Self.ended(instance) }
                let record = try await VolumeService(house, caller).usable(volume)
                try check(record, host)
                if let dataDisksMax { try await check(dataDisksMax, of: host) }
                let chosen = try await place(record, on: instance, name, from: first)
                let made = AttachmentRecord(
                    objectID: volume, host: instance, device: chosen.text, goesWithInstance: goesWithInstance,
                    export: SharedVolume.export(of: record, to: instance), attachedAt: house.clock.now())
                let open = try house.live.open(volume)
                try await house.catalog.change { try $0.attachVolume(made) }
                Failpoint.hit("attach.recorded")
                do {
                    try await house.exports.publish(
                        ExportOffer(made.export, device: open, at: made.place, pace: house.pace(of: record)))
                } catch {
                    try? await house.catalog.change { try $0.detachVolume(volume, from: instance) }
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

    private func check(_ dataDisksMax: Int, of host: InstanceRecord) async throws {
        let view = try await views(of: [host])[0]
        let count = view.disks.count { $0.device != view.rootDevice }
        guard count < dataDisksMax else {
            throw ServiceError(
                .limitExceeded, .attachment, "the instance \(host.id) has \(count) data disks: that is the most")
        }
    }

    private func place(
        _ volume: VolumeRecord, on instance: String, _ wanted: DeviceName?, from first: Character
    ) async throws -> DeviceName {
        let (present, others) = try await house.catalog.change { session in
            (try session.volumeAttachments(ofVolume: volume.id), try session.volumeAttachments(to: instance))
        }
        if let first = present.first(where: { $0.host == instance || !volume.isShared }) {
            throw ServiceError(
                .inUse, .volume, "the volume \(volume.id) is attached to \(first.host): detach it first")
        }
        try SharedVolume.check(present, on: volume.id)
        try SharedVolume.check(device: wanted?.text, of: volume)
        guard others.count < Limits.disksMax else {
            throw ServiceError(
                .limitExceeded, .attachment, "the instance \(instance) has \(others.count) disks: that is the most")
        }
        let taken = try others.compactMap { try $0.device.map { try DeviceName($0) } }
        guard let name = wanted ?? DeviceName.free(beside: taken, from: first) else {
            throw ServiceError(.limitExceeded, .attachment, "the instance \(instance) has no free device name")
        }
        if taken.contains(name) {
            throw ServiceError(
                .inUse, .attachment, "the device \(name.text) of \(instance) is in use: take another name")
        }
        return name
    }

    /// Detaches a volume from an instance it is on: returns when in-flight I/O is finished and that export is gone.
    ///
    /// - Parameters:
    ///   - instance: where it must be; nil: on the one instance that has it.
    ///   - device: under which name it must be there, if not nil.
    public func detach(_ volume: String, from instance: String?, as device: String?) async throws {
        try await ServiceError.about(.attachment) {
            try caller.mayChange(.attachment)
            _ = try await house.volumeRecord(volume, for: caller)
            try await house.lanes.run(volume) {
                let all = try await house.catalog.change { try $0.volumeAttachments(ofVolume: volume) }
                guard let present = all.first(where: { $0.host == instance }) ?? all.first else {
                    throw ServiceError(.wrongState, .attachment, "the volume \(volume) is not attached")
                }
                guard instance != nil || all.count == 1 else {
                    throw ServiceError(
                        .invalid, .attachment, "the volume \(volume) is on \(all.count) instances: say from which")
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
                await house.exports.withdraw(present.export)
                Failpoint.hit("detach.withdrawn")
                try await house.catalog.change { try $0.detachVolume(volume, from: present.host) }
            }
            house.announce(volume)
        }
    }

    /// Says whether a volume is deleted when the instance is terminated that has it, or the last of those that do.
    public func set(goesWithInstance: Bool, of volume: String) async throws {
        try await ServiceError.about(.attachment) {
            try caller.mayChange(.attachment)
            _ = try await house.volumeRecord(volume, for: caller)
            try await house.catalog.change { session in
                for one in try session.volumeAttachments(ofVolume: volume) {
                    try session.setGoesWithInstance(goesWithInstance, volume: volume, on: one.host)
                }
            }
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
