public import Blocks
internal import Catalog

/// Something in the bin. The JSON of the native API has exactly these names.
public struct Binned<Object: Codable & Equatable & Sendable>: Codable, Equatable, Sendable {
    /// As it was when it was deleted.
    public var object: Object
    /// When it was deleted.
    public var enteredAt: WallTime
    /// When it goes for good.
    public var leavesAt: WallTime

    init(_ object: Object, _ stay: BinStay) {
        self.object = object
        enteredAt = stay.since
        leavesAt = stay.until
    }
}

/// What is in an account's bin. The JSON of the native API has exactly these names.
public struct BinContents: Codable, Equatable, Sendable {
    /// Snapshots, by id.
    public var snapshots: [Binned<SnapshotView>]
    /// Volumes, by id.
    public var volumes: [Binned<VolumeView>]
    /// Images, by id.
    public var images: [Binned<ImageView>]
}

extension Household {
    /// The record of a snapshot of the caller's that is there or in the bin, where its time is not over.
    func keptSnapshot(_ id: String, for caller: Caller) async throws -> SnapshotRecord {
        try Identifier.snapshot.check(id, .snapshot)
        guard let kept = try await catalog.change({ try self.keptSnapshot(id, for: caller, $0) }) else {
            throw Self.noSnapshot(id)
        }
        return kept
    }

    func keptSnapshot(_ id: String, for caller: Caller, _ session: CatalogSession) throws -> SnapshotRecord? {
        guard let found = try session.snapshot(id), found.account == caller.account, !found.isDeleted else {
            return nil
        }
        return found.isPresent || isBinned(found.bin) ? found : nil
    }

    /// The record of a volume, likewise.
    func keptVolume(_ id: String, for caller: Caller) async throws -> VolumeRecord {
        try Identifier.volume.check(id, .volume)
        guard let kept = try await catalog.change({ try self.keptVolume(id, for: caller, $0) }) else {
            throw Self.noVolume(id)
        }
        return kept
    }

    func keptVolume(_ id: String, for caller: Caller, _ session: CatalogSession) throws -> VolumeRecord? {
        guard let found = try session.volume(id), found.account == caller.account, found.asideOf == nil else {
            return nil
        }
        return found.isPresent || isBinned(found.bin) ? found : nil
    }

    /// What is over and not emptied yet counts as gone, so that nothing is kept longer than its rule said.
    func isBinned(_ stay: BinStay?) -> Bool { stay.map { clock.now() < $0.until } == true }
}

/// What is in the bin: it can be listed, tagged and restored. Everything that it needs is kept, and so are its tags and with
/// whom it was shared, and all of it holds again once it is restored: only the mark that it is in the bin is put and taken, each
/// in one transaction, so a crash leaves it in or out.
extension BinService {
    /// What is in the account's bin.
    public func list() async throws -> BinContents {
        try await ServiceError.about(.house) {
            let account = caller.account
            let (snapshots, volumes, snapshotTags, volumeTags, keepsakes) = try await house.catalog.change { session in
                (
                    try session.snapshotsInBin(of: account), try session.volumesInBin(of: account),
                    try session.tags(ofAll: .snapshots, in: account), try session.tags(ofAll: .volumes, in: account),
                    try session.keepsakes(ofVolumesOf: account)
                )
            }
            let binned = snapshots.compactMap { record -> Binned<SnapshotView>? in
                guard let stay = record.bin, house.isBinned(stay) else { return nil }
                var view = SnapshotView([:], record, nil, house)
                view.tags = snapshotTags[record.id]
                return Binned(view, stay)
            }
            // A volume's view asks its files.
            let disks = try await house.local.run { [house] in
                volumes.compactMap { record -> Binned<VolumeView>? in
                    guard let stay = record.bin, house.isBinned(stay) else { return nil }
                    var view = VolumeView(record, [], isLost: false, house)
                    view.tags = volumeTags[record.id]
                    view.keepsakes = keepsakes[record.id]
                    return Binned(view, stay)
                }
            }
            return BinContents(snapshots: binned, volumes: disks, images: try await images())
        }
    }

    /// Is a snapshot, a volume or an image of the account in its bin?
    public func holds(_ id: String) async throws -> Bool {
        try await ServiceError.about(.house) {
            let (snapshot, volume, image) = try await house.catalog.change {
                (try $0.snapshot(id), try $0.volume(id), try $0.image(id))
            }
            let isOwn = (snapshot?.account ?? volume?.account ?? image?.account) == caller.account
            return isOwn && house.isBinned(snapshot?.bin ?? volume?.bin ?? image?.bin)
        }
    }

    /// Brings a snapshot back, shared with whom it was.
    public func restoreSnapshot(_ id: String) async throws -> SnapshotView {
        try await ServiceError.about(.snapshot) {
            try caller.mayChange(.snapshot)
            _ = try await house.keptSnapshot(id, for: caller)
            try await house.catalog.change { [house] session in
                guard let record = try session.snapshot(id), house.isBinned(record.bin) else {
                    throw Self.notBinned(id, .snapshot)
                }
                try session.set(bin: nil, ofSnapshot: id)
                // Or the policy that put it there would do so again.
                try session.releasePolicySnapshot(id)
                // With whom it shared it only for a time that is over, also while it is paused.
                _ = try PolicySnapshotRecord.unshare(record, dueAt: house.clock.now(), session)
            }
            house.announce(id)
            return try await SnapshotService(house, caller).find(id)
        }
    }

    /// Brings a volume back, attached to nothing.
    public func restoreVolume(_ id: String) async throws -> VolumeView {
        try await ServiceError.about(.volume) {
            try caller.mayChange(.volume)
            _ = try await house.keptVolume(id, for: caller)
            try await house.catalog.change { [house] session in
                guard let record = try session.volume(id), house.isBinned(record.bin) else {
                    throw Self.notBinned(id, .volume)
                }
                try session.set(bin: nil, ofVolume: id)
            }
            house.announce(id)
            return try await VolumeService(house, caller).show(id)
        }
    }

    /// Deletes something in the bin for good before its time. Only the account's administrators may, and not while a rule that is
    /// locked would keep it.
    public func empty(_ id: String) async throws {
        let kind: BinRuleRecord.Kind =
            id.hasPrefix(Identifier.volume.rawValue)
            ? .volume : id.hasPrefix(Identifier.image.rawValue) ? .image : .snapshot
        let noun: ServiceError.Noun = kind == .volume ? .volume : kind == .image ? .image : .snapshot
        try await ServiceError.about(noun) {
            try caller.mayAdminister(noun)
            let stay =
                switch kind {
                case .volume: try await house.keptVolume(id, for: caller).bin
                case .image: try await house.keptImage(id, for: caller).bin
                case .snapshot: try await house.keptSnapshot(id, for: caller).bin
                }
            guard stay != nil else { throw Self.notBinned(id, noun) }
            let now = house.clock.now()
            let mayGo: @Sendable (BinStay, CatalogSession) throws -> Bool = { [caller] _, session in
                let rules = try BinRules.holding(id, kind, caller.account, session)
                guard !rules.contains(where: { $0.lockState(at: now) != .unlocked }) else {
                    throw ServiceError(
                        .locked, noun, "a rule that is locked keeps \(id): it goes when its time is over")
                }
                return true
            }
            switch kind {
            case .volume: try await DeleteVolume(house: house).begin(fromBin: id, where: mayGo)
            case .image: try await house.forgetImage(id, where: mayGo)
            case .snapshot: try await DeleteSnapshot(house: house).begin(fromBin: id, where: mayGo)
            }
        }
    }

    static func notBinned(_ id: String, _ noun: ServiceError.Noun) -> ServiceError {
        ServiceError(.wrongState, noun, "\(id) is not in the bin")
    }
}
