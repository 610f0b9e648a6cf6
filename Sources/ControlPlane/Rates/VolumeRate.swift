internal import Blocks
internal import Catalog

/// How often something may be asked of one volume. When it was is noted in the catalog, so that a restart forgets nothing.
///
/// It is checked and noted in the volume's lane, in transactions of what is asked, and noted in the one that makes it last: what
/// is refused for another reason before that, undone, or cut short by a crash counts no more than a request that was never made.
///
/// Snapshots count that somebody asks for: alone, as a group, or with an image. Those that a policy takes, and those that nobody
/// sees (of a clone), neither count nor wait.
enum VolumeRate: String {
    case snapshot
    case modification

    /// So many in such a time.
    private var limit: (count: Int, span: Duration) {
        switch self {
        case .snapshot: (1, .seconds(15))
        case .modification: (4, .seconds(86_400))
        }
    }

    private var rate: RateExceeded.Rate {
        switch self {
        case .snapshot: .snapshots
        case .modification: .modifications
        }
    }

    /// Refuses what comes too soon after those before.
    func check(_ volume: String, at now: WallTime, _ session: CatalogSession) throws {
        let (count, span) = limit
        // A clock that was put back is not to lock anybody out.
        let times = try session.requests(rawValue, ofVolume: volume, after: now + .seconds(-span.components.seconds))
            .filter { $0 <= now }
        guard times.count >= count else { return }
        let until = times[times.count - count] + span
        throw ServiceError(
            .limitExceeded, .volume,
            "the volume \(volume) takes \(count) such request\(count == 1 ? "" : "s") in \(span.components.seconds) "
                + "seconds: ask again after \(until)", rate: RateExceeded(rate, until: until))
    }

    /// That one was accepted.
    func note(_ volume: String, at now: WallTime, _ session: CatalogSession) throws {
        try session.note(
            rawValue, ofVolume: volume, at: now, forgettingUntil: now + .seconds(-limit.span.components.seconds))
    }
}

extension Household {
    /// Refuses what is asked of a volume too often, if that is held here.
    func check(_ rate: VolumeRate, of volume: String, at now: WallTime, _ session: CatalogSession) throws {
        if rates == .aws { try rate.check(volume, at: now, session) }
    }

    /// Notes that it was asked, likewise.
    func note(_ rate: VolumeRate, of volume: String, at now: WallTime, _ session: CatalogSession) throws {
        if rates == .aws { try rate.note(volume, at: now, session) }
    }
}
