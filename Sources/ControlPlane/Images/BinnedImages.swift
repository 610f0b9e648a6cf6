internal import Blocks
internal import Catalog

/// Images in the bin. They hold their snapshots no more: those can be deleted, and an image comes back only as long as all of them
/// are there. What they are and with whom they were shared is kept, by the mark of ``BinService``.
extension BinService {
    func images() async throws -> [Binned<ImageView>] {
        try await house.catalog.change { [caller] session in
            try session.whole(session.imagesInBin(of: caller.account))
        }.compactMap { whole in
            guard let stay = whole.image.bin, house.isBinned(stay) else { return nil }
            return Binned(ImageView(whole, for: caller, at: house.clock.now()), stay)
        }
    }

    /// Brings an image back. Refused while a snapshot of it is not there: restore that first.
    public func restoreImage(_ id: String) async throws -> ImageView {
        try await ServiceError.about(.image) {
            try caller.mayChange(.image)
            _ = try await house.keptImage(id, for: caller)
            try await house.catalog.change { [house, now = house.clock.now()] session in
                guard let image = try session.image(id), house.isBinned(image.bin) else {
                    throw Self.notBinned(id, .image)
                }
                if let other = try session.image(named: image.name, of: image.account) {
                    throw ImageService.nameTaken(other)
                }
                for snapshot in try session.disks(ofImage: id).compactMap(\.snapshotID)
                where try session.snapshot(snapshot)?.isPresent != true {
                    throw ServiceError(
                        .wrongState, .image,
                        "the snapshot \(snapshot) of \(id) is not there: restore it first, if it is in the bin")
                }
                try session.mustBeUsable(disksOfImage: id, at: now)
                try session.set(bin: nil, ofImage: id)
                // What its owner took out is no more a policy's to let go.
                try session.releasePolicyImage(id)
            }
            house.announce(id)
            return try await ImageService(house, caller).show(id)
        }
    }
}

extension Household {
    /// The record of an image of the caller's that is there or in the bin, where its time is not over.
    func keptImage(_ id: String, for caller: Caller) async throws -> ImageRecord {
        try Identifier.image.check(id, .image)
        guard let kept = try await catalog.change({ try self.keptImage(id, for: caller, $0) }) else {
            throw Self.noImage(id)
        }
        return kept
    }

    func keptImage(_ id: String, for caller: Caller, _ session: CatalogSession) throws -> ImageRecord? {
        guard let found = try session.image(id), found.account == caller.account else { return nil }
        return found.isPresent || isBinned(found.bin) ? found : nil
    }

    /// Takes an image out of the bin for good, in one transaction, so that it is restored before or not at all.
    func forgetImage(
        _ id: String, where mayGo: @escaping @Sendable (BinStay, CatalogSession) throws -> Bool
    ) async throws {
        let policy = try await catalog.change { session in
            guard let stay = try session.image(id)?.bin, try mayGo(stay, session) else { throw Self.noImage(id) }
            try session.deleteImage(id)
            return try session.policyImage(id)?.policyID
        }
        announce(id)
        // Snapshots that are to follow it may go now.
        if let policy { scheduler.look(at: policy) }
    }
}
