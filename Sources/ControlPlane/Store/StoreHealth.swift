internal import Blocks
internal import ObjectStore

/// Does the store work, and what was asked of it?
public struct StoreHealth: Equatable, Sendable {
    /// Since when it does not, or nil.
    public var degradedSince: String?
    /// Why not, or nil. For administrators: it names places and keys' ids.
    public var reason: String?
    /// Calls by operation, attempts counted one by one.
    public var calls: [String: Int] = [:]
    /// Calls that failed and were or will be tried again.
    public var transientFailures = 0
    /// Calls that were refused.
    public var refusals = 0
    /// Bytes of objects that went there.
    public var sentBytes = 0
    /// Bytes of objects that came from there.
    public var receivedBytes = 0

    /// Does what needs the store wait?
    public var isDegraded: Bool { degradedSince != nil }

    init(_ meter: StoreMeter) {
        let counts = meter.counts
        let trouble = meter.trouble.flatMap { $0.isDegraded ? $0 : nil }
        degradedSince = trouble?.since.description
        reason = trouble?.reason
        calls = Dictionary(counts.calls.map { ($0.key.rawValue, $0.value) }) { first, _ in first }
        transientFailures = counts.transientFailures
        refusals = counts.refusals
        sentBytes = counts.sent.bytes
        receivedBytes = counts.received.bytes
    }
}

extension StoreService {
    /// What is known of the store now, without asking it. Whoever asks this regularly keeps it true: a store that was not
    /// heard of for a while is asked for one object's size, on a thread of its own, at most one at a time.
    public func health() -> StoreHealth {
        house.door.probeIfQuiet()
        return StoreHealth(house.door.meter)
    }
}
