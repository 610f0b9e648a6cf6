/// How long whoever signs wrongly again and again waits for the next answer.
///
/// No defence of the keys: those are secrets of 160 bits, which nobody finds by trying, however fast. It bounds what failures cost
/// and slows down clients that repeat one for ever. Counted by the sender's network, and asked only about what failed: who
/// signs rightly never waits, whatever else comes from the same network, so nobody can be shut out by a neighbour; and one wrong
/// request after another from a client with an old key stays quick for a while.
public struct FailedSignatures: Sendable {
    /// Wrong requests of one sender that are answered at once; as many again are forgiven each minute.
    public static let freeMax = 20
    /// The longest wait.
    public static let waitMax = Duration.seconds(2)
    /// Answers to one sender that wait at once, each of which costs a connection. Above it the request is refused as one too many.
    public static let heldMax = 8
    /// The same for all senders together.
    public static let heldInAllMax = 256
    /// Senders that are remembered; above it the ones that failed longest ago are forgotten.
    public static let sendersMax = 4096
    /// More are not counted: the wait grows no further, and is over as soon as a minute has forgiven some.
    private static let countMax = freeMax + 6

    /// What becomes of the answer to a wrong request.
    public enum Verdict: Equatable, Sendable {
        /// It goes out.
        case now
        /// It waits; ``release(_:)`` when it has.
        case after(Duration)
        /// Too many wait already: what goes out at once is that the sender asks too often.
        case refused
    }

    private struct Record {
        var count: Int
        var last: Duration
    }
    private var records: [String: Record] = [:]
    private var held: [String: Int] = [:]
    private var heldInAll = 0

    /// Nobody has failed yet.
    public init() {}

    /// How many senders are remembered.
    public var senderCount: Int { records.count }

    /// Who counts as one sender: an IPv4 address, or the 64 bits of an IPv6 address of which its holder has all others.
    public static func sender(at address: String) -> String {
        let address = address.prefix { $0 != "%" }
        guard address.contains(":") else { return String(address) }
        // An IPv4 address in the clothes of IPv6.
        if address.contains("."), let last = address.split(separator: ":").last { return String(last) }
        let halves = address.split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
            .map { $0.split(separator: ":") }
        let tail = halves.count > 1 ? halves[1] : []
        let zeros = repeatElement(Substring("0"), count: max(0, 8 - halves[0].count - tail.count))
        return (halves[0] + zeros + tail).prefix(4).joined(separator: ":") + "::/64"
    }

    /// Counts one wrong request of `sender`.
    ///
    /// - Parameter now: on a clock that only runs forward.
    /// - Returns: whether its answer is held back: not for the first ``freeMax``, then 100 ms, twice as long for each further one up
    ///   to ``waitMax``.
    public mutating func note(_ sender: String, at now: Duration) -> Verdict {
        var record = records[sender] ?? Record(count: 0, last: now)
        let minutes = Int(clamping: (now - record.last).components.seconds / 60)
        let forgiven = minutes < Self.countMax ? minutes * Self.freeMax : record.count
        record.count = min(Self.countMax, max(0, record.count - forgiven) + 1)
        if minutes > 0 || record.count == 1 { record.last = now }
        records[sender] = record
        if records.count > Self.sendersMax { forgetOldest() }
        let excess = record.count - Self.freeMax
        guard excess > 0 else { return .now }
        guard held[sender, default: 0] < Self.heldMax, heldInAll < Self.heldInAllMax else { return .refused }
        held[sender, default: 0] += 1
        heldInAll += 1
        return .after(min(Self.waitMax, .milliseconds(100 << (excess - 1))))
    }

    /// One that waited waits no more.
    public mutating func release(_ sender: String) {
        guard let count = held[sender] else { return }
        held[sender] = count > 1 ? count - 1 : nil
        heldInAll -= 1
    }

    /// A quarter at once, so that a flood from many addresses does not sort them each time.
    private mutating func forgetOldest() {
        let oldest = records.sorted { $0.value.last < $1.value.last }.prefix(Self.sendersMax / 4)
        for (sender, _) in oldest { records[sender] = nil }
    }
}
