internal import Blocks
internal import Catalog

/// Deletes what has been in the bin for as long as its rule said.
///
/// The house's clock drives it. It keeps nothing but when to look next: what is in the bin and until when is in the catalog, so a
/// stop at any moment loses nothing. One thing after another: taking it out of the bin and marking it as deleted is one
/// transaction, in which its time is looked at once more, so whoever restores it comes before or after; the rest is a deletion
/// like any other, which the next start goes on with.
final class BinKeeper: Sendable {
    private let rounds = Rounds()
    private let next = NextLook()
    private static let countAtOnce = 1000

    /// Starts it.
    func open(_ house: Household) { rounds.open { [self] in await turn(house) } }

    /// Ends after the deletion at hand.
    func close() async { await rounds.close() }

    /// Something was put into the bin.
    func lookSoon() { next.lookSoon() }

    private func turn(_ house: Household) async {
        let now = house.clock.now()
        await next.look(at: now) {
            let kept = try await house.catalog.change { try $0.bin(limit: Self.countAtOnce) }
            for object in kept.prefix(while: { $0.until <= now }) {
                if Task.isCancelled { return now }
                try await delete(object, now, house)
            }
            return kept.first { $0.until > now }?.until ?? (kept.count == Self.countAtOnce ? now : nil)
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
