internal import Synchronization

/// How fast a device may be used: operations and bytes a second, shared by all who use it.
///
/// Each limit is a bucket that fills at its rate: what is in it may be used at once, what is beyond waits. It is kept as the
/// one instant at which the bucket would be full (the virtual scheduling form of the generic cell rate algorithm, ITU-T
/// I.371), so that a request costs a few additions under a lock, and none while nothing is limited.
///
/// Callable from any thread. A request that was let in is not held up again, and whoever waits has paid: requests leave in
/// the order in which they paid, and all of them together never use more than the rates and the buckets allow.
public final class Pace: Sendable {
    /// A rate, and what may be used at once beyond it.
    public struct Limit: Sendable, Equatable {
        /// Units a second.
        public var rate: Int
        /// Units that a full bucket holds.
        public var depth: Int

        /// A limit whose bucket holds what `seconds` bring, at least one unit.
        public init(rate: Int, seconds: Double = Limit.slack) {
            precondition(rate > 0, "a limit lets something through")
            self.rate = rate
            depth = max(1, Int((Double(rate) * seconds).rounded()))
        }

        /// A limit with a bucket of its own size.
        public init(rate: Int, depth: Int) {
            precondition(rate > 0 && depth > 0, "a limit lets something through")
            self.rate = rate
            self.depth = depth
        }

        /// What every bucket holds at least, in seconds: enough that a client with many requests in flight is not slowed by the
        /// machine's timers.
        public static let slack = 0.05
    }

    /// All limits of a device; all of them hold.
    public struct Limits: Sendable, Equatable {
        /// On operations.
        public var operations: [Limit]
        /// On bytes.
        public var bytes: [Limit]
        /// A request counts as one operation for each so many bytes that it has or begins.
        public var operationSize: ByteCount

        /// Makes some; none at all lets everything through.
        public init(operations: [Limit] = [], bytes: [Limit] = [], operationSize: ByteCount = 262_144) {
            precondition(operationSize > .zero)
            self.operations = operations
            self.bytes = bytes
            self.operationSize = operationSize
        }

        /// Is nothing limited?
        public var isEmpty: Bool { operations.isEmpty && bytes.isEmpty }
    }

    private struct Bucket {
        let limit: Limit
        /// Nanoseconds at which it is full, by the clock of the requests.
        var fullAt: Int

        /// Takes `units`; nanoseconds from `now` until they are there.
        mutating func take(_ units: Int, at now: Int) -> Int {
            let start = max(fullAt, now)
            fullAt = start + Self.nanoseconds(units, limit.rate)
            let depth = Self.nanoseconds(limit.depth, limit.rate)
            // Empty is one depth before full. A request may go as soon as the bucket is not empty, and leaves it in debt.
            return start > now + depth ? start - now - depth : 0
        }

        private static func nanoseconds(_ units: Int, _ rate: Int) -> Int {
            let (whole, rest) = units.quotientAndRemainder(dividingBy: rate)
            return whole * 1_000_000_000 + rest * 1_000_000_000 / rate
        }
    }

    private struct State {
        var limits = Limits()
        var operations: [Bucket] = []
        var bytes: [Bucket] = []
    }

    private let state: Guarded<State>
    private let isLimited: Atomic<Bool>

    /// Makes one, with every bucket full.
    public init(_ limits: Limits = Limits()) {
        state = Guarded(State())
        isLimited = Atomic(false)
        set(limits)
    }

    /// Sets other limits, for requests from now on. Buckets of limits that stay are as full as they were.
    public func set(_ limits: Limits) {
        state.withLock { state in
            guard limits != state.limits else { return }
            state.operations = Self.buckets(limits.operations, state.operations)
            state.bytes = Self.buckets(limits.bytes, state.bytes)
            state.limits = limits
        }
        isLimited.store(!limits.isEmpty, ordering: .relaxed)
    }

    private static func buckets(_ limits: [Limit], _ old: [Bucket]) -> [Bucket] {
        limits.map { limit in old.first { $0.limit == limit } ?? Bucket(limit: limit, fullAt: 0) }
    }

    /// Counts a request of so many bytes.
    ///
    /// - Parameter now: a moment of ``Machine/nanoseconds()``.
    /// - Returns: nanoseconds that it is to wait before it is carried out.
    public func admit(_ count: ByteCount, at now: @autoclosure () -> Int = Machine.nanoseconds()) -> Int {
        guard isLimited.load(ordering: .relaxed) else { return 0 }
        let now = now()
        return state.withLock { state in
            let size = state.limits.operationSize.bytes
            let operations = max(1, (count.bytes + size - 1) / size)
            var wait: Int = 0
            for index in state.operations.indices {
                wait = max(wait, state.operations[index].take(operations, at: now))
            }
            for index in state.bytes.indices where count > .zero {
                wait = max(wait, state.bytes[index].take(count.bytes, at: now))
            }
            return wait
        }
    }
}
