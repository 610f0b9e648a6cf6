public import Blocks

/// How long whoever signs wrongly again and again waits for the next answer.
///
/// Counted by the sender's address. Who signs rightly never waits, whatever else comes from the same address, so nobody can be
/// shut out by a neighbour; and one wrong request after another from a client with an old key stays quick for a while.
public struct FailedSignatures: Sendable {
    /// Wrong requests of one address that are answered at once; as many again are forgiven each minute.
    public static let freeMax = 20
    /// The longest wait.
    public static let waitMax = Duration.seconds(2)
    /// Addresses that are remembered; above it the ones that failed longest ago are forgotten.
    public static let addressesMax = 4096

    private struct Record {
        var count: Int
        var last: WallTime
    }
    private var records: [String: Record] = [:]

    /// Nobody has failed yet.
    public init() {}

    /// How many addresses are remembered.
    public var addressCount: Int { records.count }

    /// Counts one wrong request of `address`.
    ///
    /// - Returns: for how long its answer is held back: none for the first ``freeMax``, then 100 ms, twice as long for each
    ///   further one up to ``waitMax``.
    public mutating func note(_ address: String, at now: WallTime) -> Duration {
        var record = records[address] ?? Record(count: 0, last: now)
        // A clock that goes back forgives nothing.
        let minutes = max(0, now.milliseconds - record.last.milliseconds) / 60_000
        record.count = max(0, record.count - Int(clamping: minutes) * Self.freeMax) + 1
        if minutes > 0 || record.count == 1 { record.last = now }
        records[address] = record
        if records.count > Self.addressesMax { forgetOldest() }
        let excess = record.count - Self.freeMax
        guard excess > 0 else { return .zero }
        return min(Self.waitMax, .milliseconds(100 << min(excess - 1, 10)))
    }

    /// A quarter at once, so that a flood from many addresses does not sort them each time.
    private mutating func forgetOldest() {
        let oldest = records.sorted { $0.value.last < $1.value.last }.prefix(Self.addressesMax / 4)
        for (address, _) in oldest { records[address] = nil }
    }
}
