internal import Blocks
internal import Catalog

/// Puts back into the archive what was taken out of it for a time.
///
/// That it is in the archive says the clock alone (``TierRecord/isArchived(at:)``), from the very instant on; here follows what goes
/// with it. It keeps nothing but when to look next, so a stop at any moment loses nothing. The time is looked at once more in
/// the transaction, so whoever prolongs the restore comes before or after.
final class TierKeeper: Sendable {
    private struct State {
        var task: Task<Void, Never>?
        /// When a restore may be over; nil: not known.
        var next: WallTime?
    }
    private let state = Guarded(State())
    /// Bounds how late it sees that a time has come.
    private static let pause = Duration.milliseconds(500)
    private static let pauseAfterFailure = Duration.seconds(60)
    private static let countAtOnce = 1000

    /// Starts it.
    func open(_ house: Household) {
        let task = Task { [self] in
            while !Task.isCancelled {
                await turn(house)
                try? await Task.sleep(for: Self.pause)
            }
        }
        state.withLock { $0.task = task }
    }

    /// Ends after the snapshot at hand.
    func close() async {
        let task = state.withLock { $0.task }
        task?.cancel()
        await task?.value
    }

    /// Something was taken out.
    func lookSoon() { state.withLock { $0.next = nil } }

    private func turn(_ house: Household) async {
        let now = house.clock.now()
        if let next = state.withLock({ $0.next }), now < next { return }
        // Whoever takes something out from here on says so afterwards.
        state.withLock { $0.next = now + .seconds(86_400) }
        do {
            let restored = try await house.catalog.change { try $0.temporaryRestores(limit: Self.countAtOnce) }
            for snapshot in restored where snapshot.tier?.isArchived(at: now) == true {
                if Task.isCancelled { return }
                do {
                    try await PutAway(house: house).run(snapshot.id) { present, _ in
                        guard !present.isDeleted, let tier = present.tier, tier.isArchived(at: now) else { return nil }
                        return tier.ended
                    }
                } catch let error as ServiceError where error.code == .missing {
                    // It went just now.
                    continue
                }
            }
            guard let first = restored.first(where: { $0.tier?.isArchived(at: now) == false })?.tier?.restoredUntil
            else {
                if restored.count == Self.countAtOnce { lookSoon() }
                return
            }
            state.withLock { $0.next = $0.next.map { min($0, first) } }
        } catch {
            // The catalog cannot be asked: nothing is lost by waiting.
            state.withLock { $0.next = now + Self.pauseAfterFailure }
        }
    }
}
