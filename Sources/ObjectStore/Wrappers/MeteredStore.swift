public import Blocks

/// Counts what is asked of a store and how that ends, and knows whether it works.
///
/// Thread-safe. Costs a lock or two for each call, which is nothing beside a store.
public final class StoreMeter: Sendable {
    /// What was asked.
    public enum Operation: String, CaseIterable, Sendable {
        case put, get, size, list, delete
        case putIfAbsent = "put_if_absent"
    }
    /// What came of it.
    public enum Outcome: String, CaseIterable, Sendable {
        case ok, missing, truncated, transient, permanent

        init(_ failure: StoreFailure) {
            self =
                switch failure {
                case .missing: .missing
                case .truncated: .truncated
                case .transient: .transient
                case .permanent: .permanent
                }
        }
    }
    /// One kind of request with one outcome.
    public struct Kind: Hashable, Sendable {
        /// What was asked.
        public var operation: Operation
        /// What came of it.
        public var outcome: Outcome

        /// Names one.
        public init(operation: Operation, outcome: Outcome) {
            self.operation = operation
            self.outcome = outcome
        }
    }
    /// What was counted since the start.
    public struct Counts: Equatable, Sendable {
        /// Requests by kind. Each attempt counts.
        public var requests: [Kind: Int] = [:]
        /// How long the requests of each operation took together.
        public var time: [Operation: Duration] = [:]
        /// Calls that failed in a way that trying again may mend.
        public var transientFailures = 0
        /// Calls that were refused.
        public var refusals = 0
        /// Bytes of objects that were put.
        public var sent = ByteCount.zero
        /// Bytes of objects that were got.
        public var received = ByteCount.zero

        /// Requests by operation, whatever came of them.
        public var calls: [Operation: Int] {
            Dictionary(requests.map { ($0.key.operation, $0.value) }, uniquingKeysWith: +)
        }
    }
    /// Since when and why the store does not work.
    public struct Trouble: Equatable, Sendable {
        /// The first failure after the last success.
        public var since: WallTime
        /// The latest failure, in words.
        public var reason: String
        /// How many failures in a row.
        public var failures: Int
        /// Is trying again no use?
        public var isRefusal: Bool

        /// One refusal, or three failures in a row: a single lost request is no trouble worth a word.
        public var isDegraded: Bool { isRefusal || failures >= 3 }
    }
    private struct State {
        var counts = Counts()
        var trouble: Trouble?
        var lastContact: Duration?
        var onRecovery: (@Sendable () -> Void)?
        var onTrouble: (@Sendable (Trouble) -> Void)?
    }
    private let state = Guarded(State())
    private let clock: any HouseClock

    /// Nothing counted yet.
    public init(clock: any HouseClock = SystemClock()) { self.clock = clock }

    /// What was counted.
    public var counts: Counts { state.withLock { $0.counts } }
    /// The trouble there is, or nil after a success.
    public var trouble: Trouble? { state.withLock { $0.trouble } }
    /// How long ago the store last did, or failed to do, anything; nil for never.
    public var quiet: Duration? {
        let now = clock.uptime()
        return state.withLock { $0.lastContact.map { now - $0 } }
    }
    /// Sets what is called, on the thread that noticed it, when a store that worked counts as degraded.
    public func onTrouble(_ body: @escaping @Sendable (Trouble) -> Void) { state.withLock { $0.onTrouble = body } }
    /// Sets what is called, on the thread that noticed it, when a degraded store works again.
    public func onRecovery(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.onRecovery = body } }

    /// The store did what it was asked, or said truthfully that it has no such thing.
    public func noteSuccess() {
        let now = clock.uptime()
        let recovered: (@Sendable () -> Void)? = state.withLock { state in
            state.lastContact = now
            defer { state.trouble = nil }
            return state.trouble?.isDegraded == true ? state.onRecovery : nil
        }
        recovered?()
    }

    /// It did not.
    public func noteFailure(_ reason: String, isRefusal: Bool) {
        let now = clock.uptime(), time = clock.now()
        let new: (trouble: Trouble, told: @Sendable (Trouble) -> Void)? = state.withLock { state in
            state.lastContact = now
            let before = state.trouble
            let failures = (before?.failures ?? 0) + 1
            let trouble = Trouble(
                since: before?.since ?? time, reason: reason, failures: failures, isRefusal: isRefusal)
            state.trouble = trouble
            if isRefusal { state.counts.refusals += 1 } else { state.counts.transientFailures += 1 }
            guard trouble.isDegraded, before?.isDegraded != true, let body = state.onTrouble else { return nil }
            return (trouble, body)
        }
        if let new { new.told(new.trouble) }
    }

    fileprivate func now() -> Duration { clock.uptime() }

    /// Counts a call that ended with `failure`, or well, and draws the conclusions.
    fileprivate func note(
        _ operation: Operation, _ failure: StoreFailure? = nil, since begun: Duration, sent: Int = 0, received: Int = 0
    ) {
        let time = clock.uptime() - begun
        let kind = Kind(operation: operation, outcome: failure.map { Outcome($0) } ?? .ok)
        state.withLock { state in
            state.counts.requests[kind, default: 0] += 1
            state.counts.time[operation, default: .zero] += time
            state.counts.sent += ByteCount(sent)
            state.counts.received += ByteCount(received)
        }
        guard let failure else { return noteSuccess() }
        switch failure {
        case .missing, .truncated: noteSuccess()
        case .transient: noteFailure("\(failure)", isRefusal: false)
        case .permanent: noteFailure("\(failure)", isRefusal: true)
        }
    }
}

/// Reports every call to a ``StoreMeter``. Belongs inside a ``RetryingStore``, so that each attempt is seen.
public final class MeteredStore: ObjectStore {
    private let store: any ObjectStore
    private let meter: StoreMeter

    /// Wraps `store`.
    public init(_ store: any ObjectStore, meter: StoreMeter) {
        self.store = store
        self.meter = meter
    }

    /// See ``ObjectStore``.
    public func put(_ bytes: RawSpan, at key: String) throws(StoreFailure) {
        let begun = meter.now()
        do { try store.put(bytes, at: key) } catch {
            meter.note(.put, error, since: begun, sent: bytes.byteCount)
            throw error
        }
        meter.note(.put, since: begun, sent: bytes.byteCount)
    }

    /// See ``ObjectStore``.
    public func putIfAbsent(_ bytes: RawSpan, at key: String) throws(StoreFailure) -> Bool {
        let begun = meter.now()
        let isNew: Bool
        do { isNew = try store.putIfAbsent(bytes, at: key) } catch {
            meter.note(.putIfAbsent, error, since: begun, sent: bytes.byteCount)
            throw error
        }
        meter.note(.putIfAbsent, since: begun, sent: bytes.byteCount)
        return isNew
    }

    /// See ``ObjectStore``.
    public func get(_ key: String, range: ByteRange?) throws(StoreFailure) -> [UInt8] {
        try measured(.get, received: \.count) { () throws(StoreFailure) in try store.get(key, range: range) }
    }

    /// See ``ObjectStore``.
    public func size(of key: String) throws(StoreFailure) -> ByteCount? {
        try measured(.size) { () throws(StoreFailure) in try store.size(of: key) }
    }

    /// See ``ObjectStore``.
    public func list(prefix: String, startAfter: String?, limit: Int) throws(StoreFailure) -> [ObjectEntry] {
        try measured(.list) { () throws(StoreFailure) in
            try store.list(prefix: prefix, startAfter: startAfter, limit: limit)
        }
    }

    /// See ``ObjectStore``.
    public func delete(_ keys: [String]) throws(StoreFailure) {
        try measured(.delete) { () throws(StoreFailure) in try store.delete(keys) }
    }

    private func measured<R>(
        _ operation: StoreMeter.Operation, received: (R) -> Int = { _ in 0 }, _ body: () throws(StoreFailure) -> R
    ) throws(StoreFailure) -> R {
        let begun = meter.now()
        let result: R
        do { result = try body() } catch {
            meter.note(operation, error, since: begun)
            throw error
        }
        meter.note(operation, since: begun, received: received(result))
        return result
    }
}
