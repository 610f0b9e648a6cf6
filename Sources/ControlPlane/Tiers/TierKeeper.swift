internal import Blocks
internal import Catalog

/// Puts back into the archive what was taken out of it for a time.
///
/// That it is in the archive says the clock alone (``TierRecord/isArchived(at:)``), from the very instant on; here follows what goes
/// with it. It keeps nothing but when to look next, so a stop at any moment loses nothing. The time is looked at once more in
/// the transaction, so whoever prolongs the restore comes before or after.
final class TierKeeper: Sendable {
    private let rounds = Rounds()
    private let next = NextLook()
    private static let countAtOnce = 1000

    /// Starts it.
    func open(_ house: Household) { rounds.open { [self] in await turn(house) } }

    /// Ends after the snapshot at hand.
    func close() async { await rounds.close() }

    /// Something was taken out.
    func lookSoon() { next.lookSoon() }

    private func turn(_ house: Household) async {
        let now = house.clock.now()
        await next.look(at: now) {
            let restored = try await house.catalog.change { try $0.temporaryRestores(limit: Self.countAtOnce) }
            for snapshot in restored where snapshot.tier?.isArchived(at: now) == true {
                if Task.isCancelled { return now }
                try await putBack(snapshot.id, now, house)
            }
            let first = restored.first { $0.tier?.isArchived(at: now) == false }?.tier?.restoredUntil
            return first ?? (restored.count == Self.countAtOnce ? now : nil)
        }
    }

    private func putBack(_ id: String, _ now: WallTime, _ house: Household) async throws {
        do {
            try await PutAway(house: house).run(id) { present, _ in
                guard !present.isDeleted, let tier = present.tier, tier.isArchived(at: now) else { return nil }
                return tier.ended
            }
        } catch let error as ServiceError {
            // It went just now.
            guard error.code == .missing else { throw error }
        }
    }
}
