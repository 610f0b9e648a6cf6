internal import Blocks

/// Kinds of requests that read or write snapshots piece by piece. How many a second there may be of each is held for one account;
/// and for those that move pieces, for one snapshot.
public enum PieceRate: Hashable, Sendable {
    /// To begin one, and to finish it.
    case begin, finish
    /// For what is in one, and for what changed between two.
    case list, listChanges
    /// Of one piece.
    case read, write

    var perSecond: Double {
        switch self {
        case .begin, .finish: 10
        case .list, .listChanges: 50
        case .read, .write: 1000
        }
    }
}

/// A bucket for each account and snapshot of which there are requests: each takes a drop, and it fills up within a second. In
/// memory alone: after a restart every bucket is full, which lets one second's worth more pass.
final class RequestMeter: Sendable {
    private struct Key: Hashable {
        let rate: PieceRate
        let id: String
    }
    private struct Bucket {
        var drops: Double
        /// When it was so full.
        var time: Duration
    }

    private let buckets = Guarded([Key: Bucket]())
    /// More are looked through for those that are full, which say nothing.
    private static let countMax = 10_000

    /// Takes a drop; false: there is none.
    ///
    /// - Parameters:
    ///   - id: the account's or the snapshot's, which differ in form.
    ///   - now: on a clock that only runs forward.
    func take(_ rate: PieceRate, of id: String, at now: Duration) -> Bool {
        buckets.withLock { buckets in
            if buckets.count > Self.countMax { buckets = buckets.filter { now - $0.value.time < .seconds(1) } }
            let key = Key(rate: rate, id: id)
            var bucket = buckets[key] ?? Bucket(drops: rate.perSecond, time: now)
            bucket.drops = min(rate.perSecond, bucket.drops + Self.seconds(now - bucket.time) * rate.perSecond)
            bucket.time = now
            let isThere = bucket.drops >= 1
            if isThere { bucket.drops -= 1 }
            buckets[key] = bucket
            return isThere
        }
    }

    private static func seconds(_ span: Duration) -> Double {
        let (seconds, attoseconds) = span.components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}

extension SnapshotService {
    /// Counts one request, whatever it is about and whatever becomes of it, and refuses an account's that come too fast. For the
    /// door to ask once, before anything else: so a request that fails counts as any other.
    public func admit(_ rate: PieceRate) throws {
        guard house.rates == .aws, !house.requests.take(rate, of: caller.account, at: house.clock.uptime()) else {
            return
        }
        throw ServiceError(
            .limitExceeded, .snapshot,
            "the account made more than \(Int(rate.perSecond)) requests of this kind in a second: ask again in a moment",
            rate: RateExceeded(.account))
    }
}

extension Household {
    /// Refuses those about one snapshot. Asked only once it is known that the caller may use it: a stranger neither learns from
    /// this that others do, nor gets in their way.
    func check(_ rate: PieceRate, about snapshot: String) throws {
        guard rates == .aws, !requests.take(rate, of: snapshot, at: clock.uptime()) else { return }
        throw ServiceError(
            .limitExceeded, .snapshot,
            "there were more than \(Int(rate.perSecond)) requests of this kind about the snapshot \(snapshot) in a second: "
                + "ask again in a moment", rate: RateExceeded(.snapshot))
    }
}
