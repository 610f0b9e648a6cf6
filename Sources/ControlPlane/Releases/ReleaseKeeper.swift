internal import Blocks
internal import Catalog

/// Deletes snapshots whose time has come.
///
/// The house's clock drives it. It keeps nothing but when to look next, and at what: what is due is in the catalog, so a stop at any
/// moment loses nothing. Each is deleted as its owner would: what is locked, used by an image or shared stays and is tried again after an hour;
/// what a rule of the bin holds for goes there. Its time is looked at once more in the transaction that marks it, so whoever
/// prolongs it comes before or after; the event is written in the same.
final class ReleaseKeeper: Sendable {
    private let rounds = Rounds()
    private let next = NextLook()
    /// What is due and could not go, by its id: as many as there are of these.
    private let pauses = Guarded<[String: Pause]>([:])
    private struct Pause {
        /// When it was due. If that is changed, it is not this one's pause any more.
        let due: WallTime?
        let until: WallTime
    }
    private static let countAtOnce = 1000
    /// How long what cannot go is left alone.
    static let pause = Duration.seconds(3600)

    /// Starts it.
    func open(_ house: Household) { rounds.open { [self] in await turn(house) } }

    /// Ends after the deletion at hand.
    func close() async { await rounds.close() }

    /// A snapshot has a time, or another one.
    func lookSoon() { next.lookSoon() }

    private func turn(_ house: Household) async {
        let now = house.clock.now()
        await next.look(at: now) {
            pauses.withLock { $0 = $0.filter { now < $0.value.until } }
            var last: SnapshotRecord?
            while true {
                let page = try await house.catalog.change { [last] in
                    try $0.dueReleases(at: now, after: last, limit: Self.countAtOnce)
                }
                for snapshot in page {
                    if Task.isCancelled { return now }
                    if pauses.withLock({ $0[snapshot.id]?.due == snapshot.releaseAt }) { continue }
                    if await release(snapshot, now, house) { continue }
                    let pause = Pause(due: snapshot.releaseAt, until: now + Self.pause)
                    pauses.withLock { $0[snapshot.id] = pause }
                }
                guard page.count == Self.countAtOnce else { break }
                last = page.last
            }
            let first = try await house.catalog.change { try $0.nextRelease(after: now) }
            let again = pauses.withLock { $0.values.map(\.until).min() }
            return [first, again].compactMap { $0 }.min()
        }
    }

    /// - Returns: false if it cannot go now.
    private func release(_ snapshot: SnapshotRecord, _ now: WallTime, _ house: Household) async -> Bool {
        let id = snapshot.id
        do {
            try await DeleteSnapshot(house: house).begin(id, waiting: false) { session in
                guard let time = try session.snapshot(id)?.releaseAt, time <= now else { throw Prolonged() }
                guard try session.shares(of: id).isEmpty else { throw Shared() }
            } recording: { session in
                try session.insert(
                    EventRecord.own("snapshot.delete", [id], because: "release", of: snapshot.account, at: now))
            }
            return true
        } catch is Prolonged {
            return true
        } catch let error as ServiceError where error.code == .missing {
            return true
        } catch { return false }
    }

    private struct Prolonged: Error {}
    /// Whom it is shared with did not ask for its end.
    private struct Shared: Error {}
}
