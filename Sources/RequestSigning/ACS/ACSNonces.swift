public import Blocks

/// The nonces of requests that were taken, so that none is taken again.
///
/// Each is kept until its request would be too old to be believed. They are in memory: after a restart of the server a request
/// that was taken just before can be sent once more, for as long as its time is good.
public struct ACSNonces: Sendable {
    /// Nonces of one key that are remembered; above it its requests are refused until some are forgotten.
    public static let perKeyMax = 200_000

    /// By key, and by the nonce's SHA-256: however long one is, it takes up the same.
    private var known: [String: [[UInt8]: WallTime]] = [:]
    private var cleanAt: WallTime?

    /// None is taken.
    public init() {}

    /// How many are remembered.
    public var count: Int { known.values.reduce(0) { $0 + $1.count } }

    /// Takes a nonce of a request that was proven to be its signer's.
    ///
    /// - Parameter until: when the request is too old to be believed.
    public mutating func take(
        _ nonce: String, of key: String, until: WallTime, at now: WallTime
    ) throws(ACSFailure) {
        if cleanAt.map({ $0 <= now }) ?? true {
            known = known.mapValues { $0.filter { $0.value >= now } }.filter { !$0.value.isEmpty }
            cleanAt = now + .seconds(60)
        }
        let digest = Digests.sha256(Array(nonce.utf8))
        if let end = known[key]?[digest], end >= now { throw .usedNonce }
        guard known[key]?.count ?? 0 < Self.perKeyMax else { throw .tooMany }
        known[key, default: [:]][digest] = until
    }
}
