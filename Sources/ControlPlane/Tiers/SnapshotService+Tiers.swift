internal import Blocks
internal import Catalog

/// The archive: what is there can be looked at, tagged, locked, verified, restored and deleted, and nothing else.
///
/// It is a mark, like that of the bin. Any snapshot is whole without those before it, and a volume that still fetches from one,
/// or a copy that reads it, goes on with that; so nothing has to move, and each of these verbs is one transaction, with an end
/// of the export in the snapshot's lane. A crash before the export ended does not bring it back: its row went in the transaction.
extension SnapshotService {
    /// Days that something can be taken out of the archive for.
    public static let restoreDays = 1...180

    /// Puts a completed snapshot into the archive. It is shared with nobody and restored fast nowhere from then on.
    public func archive(_ id: String) async throws -> SnapshotView {
        try await ServiceError.about(.snapshot) {
            try caller.mayChange(.snapshot)
            _ = try await house.snapshotRecord(id, for: caller)
            let now = house.clock.now()
            try await PutAway(house: house).run(id) { snapshot, session in
                try Self.mustBeArchivable(snapshot, at: now, session)
                // Or the policy that took it would let it go from there in its turn.
                try session.releasePolicySnapshot(id)
                return TierRecord(archivedAt: now)
            }
            return try await find(id)
        }
    }

    /// Refuses what cannot go into the archive now.
    static func mustBeArchivable(_ snapshot: SnapshotRecord, at now: WallTime, _ session: CatalogSession) throws {
        let id = snapshot.id
        guard snapshot.isPresent else { throw Household.noSnapshot(id) }
        guard snapshot.state == .completed else {
            throw ServiceError(
                .wrongState, .snapshot,
                "the snapshot \(id) is \(snapshot.state.rawValue): a completed one can be archived")
        }
        // One that is out for a time goes back by itself, and may be put back before.
        try snapshot.mustNotBeArchived(at: now)
        if let image = try session.images(using: id).first(where: { !$0.isDisabled }) {
            throw ServiceError(
                .inUse, .snapshot, "the snapshot \(id) is currently in use by \(image.id): disable that first")
        }
        try checkCount(snapshot, now, session)
    }

    private static func checkCount(_ snapshot: SnapshotRecord, _ now: WallTime, _ session: CatalogSession) throws {
        let others = try session.snapshots(ofVolume: snapshot.volumeID).count { other in
            other.account == snapshot.account && other.id != snapshot.id && !other.isDeleted
                && other.isOfNoVolume == snapshot.isOfNoVolume && other.tier?.isArchived(at: now) == true
        }
        guard others < Limits.archivedMax else {
            throw ServiceError(
                .limitExceeded, .snapshot,
                "\(others) snapshots of \(snapshot.volumeID) are in the archive already: that is the most")
        }
    }

    /// Takes a snapshot out of the archive, for some days or for good; or changes that of one that is out for a time. It can be
    /// used when the call returns.
    public func restoreArchived(_ id: String, days: Int? = nil) async throws -> SnapshotView {
        try await ServiceError.about(.snapshot) {
            try caller.mayChange(.snapshot)
            if let days, !Self.restoreDays.contains(days) {
                throw ServiceError(
                    .invalid, .snapshot,
                    "\(days) days out of the archive: \(Self.restoreDays.lowerBound) to "
                        + "\(Self.restoreDays.upperBound) are allowed")
            }
            _ = try await house.snapshotRecord(id, for: caller)
            let now = house.clock.now()
            // In the lane, so that what a time that is just over takes away was taken away before or not at all.
            try await house.lanes.run(id) {
                try await house.catalog.change { session in
                    guard let snapshot = try session.snapshot(id), snapshot.isPresent else {
                        throw Household.noSnapshot(id)
                    }
                    guard var tier = snapshot.tier, tier.operation != .permanentRestore else {
                        throw ServiceError(.wrongState, .snapshot, "the snapshot \(id) is not in the archive")
                    }
                    if tier.isArchived(at: now) {
                        // Also where nobody has seen yet that its time was over.
                        if tier.operation == .temporaryRestore { try session.strip(snapshot: id) }
                        tier = tier.ended
                    }
                    tier.operation = days == nil ? .permanentRestore : .temporaryRestore
                    tier.beganAt = now
                    tier.restoredUntil = days.map { now + .seconds($0 * 86_400) }
                    try session.set(tier: tier, ofSnapshot: id)
                    // Or the policy that put it there would do so again, or let it go.
                    if days == nil { try session.releasePolicySnapshot(id) }
                }
            }
            Failpoint.hit("archive.restored")
            house.tiers.lookSoon()
            house.announce(id)
            return try await find(id)
        }
    }
}

/// Puts a snapshot into the archive, in its lane: the mark and what goes with it in one transaction, then the end of its export.
struct PutAway: Sendable {
    let house: Household

    /// - Parameter tier: what to record, or a refusal; nil: nothing is to be done.
    func run(
        _ id: String, _ tier: @escaping @Sendable (SnapshotRecord, CatalogSession) throws -> TierRecord?
    ) async throws {
        try await house.lanes.run(id) {
            let isDone = try await house.catalog.change { session in
                guard let snapshot = try session.snapshot(id) else { throw Household.noSnapshot(id) }
                guard let record = try tier(snapshot, session) else { return false }
                try session.set(tier: record, ofSnapshot: id)
                try session.strip(snapshot: id)
                // Shared with nobody now: with whom its owner shares it from here on is no policy's to end.
                try session.set(sharedWith: [], ofPolicySnapshot: id)
                return true
            }
            guard isDone else { return }
            Failpoint.hit("archive.recorded")
            await house.exports.withdraw(id)
            house.fast.lookSoon()
        }
        house.announce(id)
    }
}
