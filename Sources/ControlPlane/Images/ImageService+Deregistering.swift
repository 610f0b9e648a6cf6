internal import Blocks
internal import Catalog

/// What became of a snapshot that was to go with its image.
public struct DeletedImageSnapshot: Codable, Equatable, Sendable {
    /// How it ended. The native API's JSON has exactly these words.
    public enum Outcome: String, Codable, Sendable, CaseIterable {
        /// It is gone.
        case deleted
        /// Another image needs it.
        case needed
        /// It is locked.
        case locked
        /// It could not be deleted now.
        case failed
    }

    /// The snapshot.
    public var snapshotId: String
    /// What became of it.
    public var outcome: Outcome
}

/// 1. Record the image as deregistered, or put it into the bin if a rule of the account says so: one transaction. From here on
///    nothing can be made of it, and it holds its snapshots no more.
/// 2. If so asked, delete each of its snapshots as anybody may.
/// A crash after 1 leaves snapshots that nobody holds, which their owner can see and delete: never an image without content.
extension ImageService {
    /// Deregisters it. What was made of it stays. Refused while it is protected.
    ///
    /// - Returns: what became of its snapshots, if they were to be deleted with it.
    public func deregister(_ id: String, deletingSnapshots: Bool = false) async throws -> [DeletedImageSnapshot] {
        try await ServiceError.about(.image) {
            try caller.mayChange(.image)
            let snapshots = try await takeOff(id)
            guard deletingSnapshots else { return [] }
            var deleted: [DeletedImageSnapshot] = []
            for snapshot in snapshots { deleted.append(await delete(snapshot)) }
            return deleted
        }
    }

    /// Step 1.
    ///
    /// - Parameters:
    ///   - condition: asked first in its transaction; if it throws, nothing happens.
    ///   - recording: what else is recorded in it, given its snapshots.
    /// - Returns: those snapshots.
    func takeOff(
        _ id: String, provided condition: (@Sendable (CatalogSession) throws -> Void)? = nil,
        recording: (@Sendable (CatalogSession, [String]) throws -> Void)? = nil
    ) async throws -> [String] {
        try Identifier.image.check(id, .image)
        let now = house.clock.now()
        let (snapshots, isBinned) = try await house.catalog.change { [caller] session in
            try condition?(session)
            let done = try Self.deregister(id, caller, at: now, session)
            try recording?(session, done.snapshots)
            return done
        }
        if isBinned { house.bin.lookSoon() }
        house.announce(id)
        Failpoint.hit("image.deregistered")
        return snapshots
    }

    private static func deregister(
        _ id: String, _ caller: Caller, at now: WallTime, _ session: CatalogSession
    ) throws -> (snapshots: [String], isBinned: Bool) {
        guard var image = try session.image(id), image.account == caller.account else { throw Household.noImage(id) }
        guard image.isPresent else { throw Household.unavailable(image) }
        if image.protection != .off || image.protectedUntil.map({ now < $0 }) == true {
            let until = image.protectedUntil.map { " until \($0)" } ?? ""
            throw ServiceError(.locked, .image, "the image \(id) is protected from being deregistered\(until)")
        }
        let snapshots = Set(try session.disks(ofImage: id).compactMap(\.snapshotID)).sorted()
        if image.state == .available,
            let stay = try BinRules.stay(of: id, .image, in: caller.account, at: now, session)
        {
            try session.set(bin: stay, ofImage: id)
            return (snapshots, true)
        }
        image.state = .deregistered
        image.changedAt = now
        try session.update(image)
        try session.empty(image: id)
        return (snapshots, false)
    }

    private func delete(_ snapshot: String) async -> DeletedImageSnapshot {
        let outcome: DeletedImageSnapshot.Outcome
        do {
            try await SnapshotService(house, caller).delete(snapshot)
            outcome = .deleted
        } catch let error as ServiceError {
            outcome =
                switch error.code {
                case .inUse: .needed
                case .locked: .locked
                // It went meanwhile.
                case .missing: .deleted
                default: .failed
                }
        } catch { outcome = .failed }
        return DeletedImageSnapshot(snapshotId: snapshot, outcome: outcome)
    }
}
