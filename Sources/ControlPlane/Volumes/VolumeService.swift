public import Blocks
internal import Catalog
internal import VolumeEngine

/// The verbs on volumes. Every error is a ``ServiceError``.
///
/// Methods may be called from any task, at once for different volumes; requests for one volume are put in order.
public struct VolumeService: Sendable {
    let house: Household
    let caller: Caller

    init(_ house: Household, _ caller: Caller) {
        self.house = house
        self.caller = caller
    }

    /// Makes a volume that is ready to use when the call returns (blocks of a snapshot arrive on demand and in the
    /// background).
    public func create(_ request: CreateVolume) async throws -> VolumeView {
        try await create(request, through: [])
    }

    /// - Parameter images: snapshots that the caller may use besides, since they may use an image that has them.
    func create(_ request: CreateVolume, through images: Set<String>) async throws -> VolumeView {
        try await ServiceError.about(.volume) {
            try caller.mayChange(.volume)
            if request.skipsDamage, case .snapshot = request.origin {
            } else if request.skipsDamage {
                throw ServiceError(.invalid, .volume, "only a volume made from a snapshot can skip what is damaged")
            }
            if let zone = request.zone, house.region.zone(zone)?.name != zone {
                throw ServiceError(.invalid, .volume, "there is no zone \(zone.quotable) in \(house.region.name)")
            }
            try TagRules.check(request.tags)
            try TagRules.check(count: request.tags.count, of: "the volume")
            try ResourceGroupService.check(request.resourceGroup)
            do { return try await view(make(request, through: images)) } catch let used as RequestToken.Used {
                let made = try await house.catalog.change { try $0.volume(used.object) }
                guard let made, made.isPresent, made.state != .deleting else {
                    throw used.gone
                }
                return try await view(made)
            }
        }
    }

    private func make(_ request: CreateVolume, through images: Set<String>) async throws -> VolumeRecord {
        let make = MakeVolume(house: house, account: caller.account)
        switch request.origin {
        case .empty: return try await make.run(MakeVolume.Order(request))
        case .snapshot(let id):
            _ = try await house.usableSnapshot(id, for: caller, through: images)
            return try await make.run(MakeVolume.Order(request, from: id))
        case .volume(let id):
            return try await CloneVolume(house: house, caller: caller).run(id, request)
        }
    }

    /// One volume.
    public func show(_ id: String) async throws -> VolumeView {
        try await ServiceError.about(.volume) { try await view(house.volumeRecord(id, for: caller)) }
    }

    /// Every volume of the account, oldest first.
    public func list() async throws -> [VolumeView] {
        try await ServiceError.about(.volume) {
            let (records, attachments, tags, keepsakes, lost) = try await house.catalog.change { [caller] session in
                let records = try session.volumes(of: caller.account)
                let tags = try session.tags(ofAll: .volumes, in: caller.account)
                let lost = try session.volumesWithLostSource(among: records)
                let keepsakes = try session.keepsakes(ofVolumesOf: caller.account)
                return (records, try session.volumeAttachments(of: caller.account), tags, keepsakes, lost)
            }
            let attachmentsOf = Dictionary(grouping: attachments, by: \.objectID)
            return try await house.local.run { [house] in
                records.map { record in
                    var view = VolumeView(
                        record, attachmentsOf[record.id] ?? [], isLost: lost.contains(record.id), house)
                    view.tags = tags[record.id]
                    view.keepsakes = keepsakes[record.id]
                    return view
                }
            }
        }
    }

    /// Grows the volume; shrinking is refused, the present size changes nothing. Works while attached; clients see the
    /// new size when they reconnect.
    public func resize(_ id: String, to size: ByteCount) async throws -> VolumeView {
        _ = try await modify(id, ModifyVolume(size: size))
        return try await show(id)
    }

    /// Attaches to this host, if it is not: its NBD export is ready when the call returns.
    public func attach(_ id: String) async throws -> AttachmentView {
        try await ServiceError.about(.attachment) {
            try caller.mayChange(.attachment)
            return try await house.lanes.run(id) {
                let record = try await usable(id)
                let volume = try house.live.open(id)
                let others = try await house.catalog.change { try $0.volumeAttachments(ofVolume: id) }
                if let present = others.first(where: { $0.host == "local" || !record.isShared }) {
                    return AttachmentView(present, house)
                }
                try SharedVolume.check(others, on: id)
                let made = AttachmentRecord(
                    objectID: id, host: "local", export: SharedVolume.export(of: record, to: "local"),
                    attachedAt: house.clock.now())
                try await house.catalog.change { try $0.attachVolume(made) }
                Failpoint.hit("attach.recorded")
                do {
                    try await house.exports.publish(
                        ExportOffer(made.export, device: volume, pace: house.pace(of: record)))
                } catch {
                    try? await house.catalog.change { try $0.detachVolume(id, from: made.host) }
                    throw error
                }
                house.announce(id)
                return AttachmentView(made, house)
            }
        }
    }

    /// Detaches from whatever has it: returns when in-flight I/O is finished and its exports are gone. No error if it is
    /// not attached.
    public func detach(_ id: String) async throws -> VolumeView {
        try await ServiceError.about(.attachment) {
            try caller.mayChange(.attachment)
            let record = try await house.lanes.run(id) {
                let record = try await house.volumeRecord(id, for: caller)
                try await house.withdraw(volume: id)
                Failpoint.hit("detach.withdrawn")
                try await house.catalog.change { try $0.detachVolume(id) }
                return record
            }
            house.announce(id)
            return try await view(record)
        }
    }

    /// Sets the content back to a snapshot of this volume's lineage, completed or pending. Refused while it is attached,
    /// but to an instance that is stopped.
    /// Snapshots of it that are pending go on uploading.
    public func rollBack(_ id: String, to snapshot: String) async throws -> VolumeView {
        try await ServiceError.about(.volume) {
            try caller.mayChange(.volume)
            _ = try await house.volumeRecord(id, for: caller)
            _ = try await house.snapshotRecord(snapshot, for: caller)
            try await RollBackVolume(house: house).run(id, to: snapshot)
            return try await view(house.volumeRecord(id))
        }
    }

    /// Gives it the content again that it was made with: its snapshot's, or zeros. Refused while it is attached, but to an instance
    /// that is stopped; and where that snapshot is there no more. Its snapshots stay.
    public func reinitialise(_ id: String) async throws -> VolumeView {
        try await ServiceError.about(.volume) {
            try caller.mayChange(.volume)
            try Identifier.volume.check(id, .volume)
            try await ReinitialiseVolume(house: house, caller: caller).run(id)
            return try await view(house.volumeRecord(id))
        }
    }

    /// Deletes the volume. Its snapshots stay: while some are pending it is in state `deleting`, and its local files go
    /// when the last of them is uploaded. Refused while attached.
    ///
    /// - Parameter days: how long it stays in the bin at least; nil: as long as the account's rules say, if any holds for it.
    public func delete(_ id: String, keptFor days: Int? = nil) async throws {
        try await ServiceError.about(.volume) {
            try caller.mayChange(.volume)
            _ = try await house.volumeRecord(id, for: caller)
            if let days, !BinRules.daysRange.contains(days) {
                throw ServiceError(
                    .invalid, .volume, "\(days) days in the bin: 1 to \(BinRules.daysRange.upperBound) are allowed")
            }
            try await DeleteVolume(house: house).begin(id, keptFor: days)
        }
    }

    /// A volume that can be changed and attached: available, or an unfinished import.
    func usable(_ id: String) async throws -> VolumeRecord {
        let record = try await house.volumeRecord(id, for: caller)
        guard record.state == .available || record.state == .importing else {
            throw ServiceError(.wrongState, .volume, "the volume \(id) is \(record.state.rawValue)")
        }
        return record
    }

    func view(_ record: VolumeRecord) async throws -> VolumeView {
        let (attachments, tags, keepsakes, lost) = try await house.catalog.change { session in
            (
                try session.volumeAttachments(ofVolume: record.id), try session.tags(of: record.id),
                try session.keepsakes(ofVolume: record.id), try session.volumesWithLostSource(among: [record])
            )
        }
        return try await house.local.run { [house] in
            var view = VolumeView(record, attachments, isLost: !lost.isEmpty, house)
            view.tags = tags.isEmpty ? nil : tags
            view.keepsakes = keepsakes.isEmpty ? nil : keepsakes
            return view
        }
    }
}
