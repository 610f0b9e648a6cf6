internal import Blocks
internal import Catalog

/// Deletes what has been in the bin for as long as its rule said.
///
/// The house's clock drives it. It keeps nothing but when to look next: what is in the bin and until when is in the catalog, so a
/// stop at any moment loses nothing. One thing after another: taking it out of the bin and marking it as deleted is one
/// transaction, in which its time is looked at once more, so whoever restores it comes before or after; the rest is a deletion
/// like any other, which the next start goes on with.
final class BinKeeper: Sendable {
    private struct State {
        var task: Task<Void, Never>?
        /// When something may be over; nil: not known.
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

    /// Ends after the deletion at hand.
    func close() async {
        let task = state.withLock { $0.task }
        task?.cancel()
        await task?.value
    }

    /// Something was put into the bin.
    func lookSoon() { state.withLock { $0.next = nil } }

    private func turn(_ house: Household) async {
        let now = house.clock.now()
        if let next = state.withLock({ $0.next }), now < next { return }
        // Whoever puts something into the bin from here on says so afterwards.
        state.withLock { $0.next = now + .seconds(86_400) }
        do {
            let kept = try await house.catalog.change { try $0.bin(limit: Self.countAtOnce) }
            for object in kept.prefix(while: { $0.until <= now }) {
                if Task.isCancelled { return }
                try await delete(object, now, house)
            }
            guard let first = kept.first(where: { $0.until > now }) else {
                if kept.count == Self.countAtOnce { lookSoon() }
                return
            }
            state.withLock { $0.next = $0.next.map { min($0, first.until) } }
        } catch {
            // The catalog or the store cannot be asked now: nothing is lost by waiting.
            state.withLock { $0.next = now + Self.pauseAfterFailure }
        }
    }

    /// Its time is over. The event is written in the transaction that marks it as deleted.
    private static func mayGo(
        _ verb: String, _ id: String, _ stay: BinStay, _ account: String?, _ now: WallTime, _ session: CatalogSession
    ) throws -> Bool {
        guard stay.until <= now else { return false }
        try session.insert(
            EventRecord.own(verb, [id], because: "bin", of: account ?? AccountRecord.first, at: now))
        return true
    }

    private func delete(_ object: BinnedObject, _ now: WallTime, _ house: Household) async throws {
        do {
            switch object.kind {
            case .snapshot:
                try await DeleteSnapshot(house: house).begin(fromBin: object.id) { stay, session in
                    try Self.mayGo(
                        "snapshot.delete", object.id, stay, try session.snapshot(object.id)?.account, now, session)
                }
            case .volume:
                try await DeleteVolume(house: house).begin(fromBin: object.id) { stay, session in
                    try Self.mayGo(
                        "volume.delete", object.id, stay, try session.volume(object.id)?.account, now, session)
                }
            case .image:
                try await house.forgetImage(object.id) { stay, session in
                    try Self.mayGo(
                        "image.deregister", object.id, stay, try session.image(object.id)?.account, now, session)
                }
            }
        } catch let error as ServiceError {
            // It was restored just now.
            guard error.code == .missing else { throw error }
        }
    }
}
