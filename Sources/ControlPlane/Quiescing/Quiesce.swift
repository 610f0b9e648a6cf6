/// What a snapshot's content is sure to be.
public enum Consistency: String, Codable, Sendable, CaseIterable, Comparable {
    /// What a disk is after a loss of power: whatever was written before the instant, and nothing after it.
    case crash
    /// Besides, its file systems had come to rest: nothing has to be repaired or replayed.
    case fileSystem
    /// Besides, those who write to it had.
    case application

    /// By what is sure.
    public static func < (one: Consistency, other: Consistency) -> Bool { one.rank < other.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// That the hosts of a volume come to rest while a snapshot of it is cut, by the agent that listens on each
/// (`varve instance quiesce`). The JSON of the native API has exactly these names.
public struct Quiesce: Codable, Equatable, Sendable {
    /// Below this nothing is taken; ``Consistency/crash``: whatever comes of it, there is a snapshot. A volume that is attached
    /// nowhere is not asked for anything.
    public var atLeast = Consistency.crash
    /// For how long a host keeps still at most, in seconds, of ``allowedSeconds``; one that needs longer counts for nothing.
    public var seconds = 10
    /// How often it is asked, of ``allowedTries``.
    public var tries = 1

    /// For how long a host may be kept still.
    public static let allowedSeconds = 1...120
    /// How often it may be asked.
    public static let allowedTries = 1...4

    /// Asks once, for ten seconds, and takes what comes of it.
    public init() {}

    /// Reads what is there; the rest is as ``init()`` has it.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        atLeast = try fields.decodeIfPresent(Consistency.self, forKey: .atLeast) ?? .crash
        seconds = try fields.decodeIfPresent(Int.self, forKey: .seconds) ?? 10
        tries = try fields.decodeIfPresent(Int.self, forKey: .tries) ?? 1
    }

    /// What satisfies both: the stricter, more patient one.
    static func joined(_ wishes: [Quiesce]) -> Quiesce? {
        guard var joined = wishes.first else { return nil }
        for other in wishes.dropFirst() {
            joined.atLeast = max(joined.atLeast, other.atLeast)
            joined.seconds = max(joined.seconds, other.seconds)
            joined.tries = max(joined.tries, other.tries)
        }
        return joined
    }

    func check(_ noun: ServiceError.Noun) throws {
        guard Self.allowedSeconds.contains(seconds), Self.allowedTries.contains(tries) else {
            throw ServiceError(
                .invalid, noun,
                "a host keeps still for \(Self.allowedSeconds.lowerBound) to \(Self.allowedSeconds.upperBound) seconds and is "
                    + "asked \(Self.allowedTries.lowerBound) to \(Self.allowedTries.upperBound) times, not \(seconds) and \(tries)"
            )
        }
    }
}

/// What a host's agent says of an order. The JSON of the native API has exactly these names.
public struct QuiesceReport: Codable, Equatable, Sendable {
    /// The order.
    public var order: String
    /// How far the host came to rest. It stays so until the order is gone, or for as long as the order says; a lesser word later on takes
    /// that back.
    public var outcome: Consistency

    /// Makes one.
    public init(order: String, outcome: Consistency) {
        self.order = order
        self.outcome = outcome
    }
}

/// What a host's agent is to do now. The JSON of the native API has exactly these names.
public struct QuiesceTurn: Codable, Equatable, Sendable {
    /// Keep still, say so, and stay so while this is the order; nil: nothing, or go on.
    public var order: String?
    /// For how many seconds, counted from when the order came: at least so long, if nobody says that it is over.
    public var seconds: Int?

    /// Makes one.
    public init(order: String? = nil, seconds: Int? = nil) {
        self.order = order
        self.seconds = seconds
    }
}
