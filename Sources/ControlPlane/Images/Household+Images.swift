internal import Blocks
internal import Catalog

/// Who may use which image, and what an instance gets of it.
extension Household {
    static func noImage(_ id: String) -> ServiceError { ServiceError(.missing, .image, "there is no image \(id)") }

    /// An image that the caller owns or that is shared with them; else ``ServiceError/Code/missing``.
    func usableImage(_ id: String, for caller: Caller) async throws -> WholeImage {
        try Identifier.image.check(id, .image)
        let found = try await catalog.change { try Self.usableImage(id, caller, $0) }
        guard let found else { throw Self.noImage(id) }
        return found
    }

    static func usableImage(
        _ id: String, _ caller: Caller, _ session: CatalogSession
    ) throws -> WholeImage? {
        try usableImage(id, caller.account, session)
    }

    static func usableImage(
        _ id: String, _ account: String, _ session: CatalogSession
    ) throws -> WholeImage? {
        guard let image = try session.image(id), image.isPresent, let whole = try session.whole([image]).first else {
            return nil
        }
        if image.account == account { return whole }
        let isShared = whole.shares.contains(account) || whole.shares.contains(ShareRecord.everybody)
        return isShared && image.state == .available && !image.isDisabled ? whole : nil
    }

    /// The image that instances are to be made from; nil: none of this house that the caller may know of, and its name is all that
    /// is kept.
    func launchableImage(_ id: String?, for caller: Caller) async throws -> WholeImage? {
        guard let id, Identifier.image.isForm(of: id) else { return nil }
        let (found, gone) = try await catalog.change { session in
            (try Self.usableImage(id, caller, session), try session.image(id))
        }
        if found == nil, let gone, gone.account == caller.account { throw Self.unavailable(gone) }
        guard let found else { return nil }
        guard found.image.state == .available, !found.image.isDisabled else { throw Self.unavailable(found.image) }
        return found
    }

    /// Why nothing can be made of an own image.
    static func unavailable(_ image: ImageRecord) -> ServiceError {
        let state = image.bin != nil ? "in the bin" : image.isDisabled ? "disabled" : image.state.rawValue
        return ServiceError(.wrongState, .image, "the image \(image.id) is \(state)")
    }
}

extension WholeImage {
    /// The snapshots that whoever may use the image may restore from, through it.
    var snapshots: Set<String> { Set(disks.compactMap(\.snapshotID)) }

    /// What an instance gets: the image's disks, but for those that are left out or named otherwise, and those that are named.
    func disks(for request: NewInstances) throws -> [NewInstances.Disk] {
        let named = try (request.disks.map(\.device) + request.leavingOut).map { try DeviceName($0) }
        let own = try disks.filter { disk in
            let name = try DeviceName(disk.device)
            return !named.contains(name)
        }
        return own.map { disk in
            var volume = CreateVolume(
                size: disk.size, origin: disk.snapshotID.map { .snapshot($0) } ?? .empty)
            volume.profile = disk.kind.map { VolumeProfile(kind: $0, iops: disk.iops, throughput: disk.throughput) }
            volume.tags = request.volumeTags
            return NewInstances.Disk(device: disk.device, volume: volume, goesWithInstance: disk.goesWithInstance)
        } + request.disks
    }
}
