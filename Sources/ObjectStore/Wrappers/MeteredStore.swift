public import Blocks

/// Counts what is asked of a store and how that ends, and knows whether it works.
///
/// Thread-safe. Costs a lock or two for each call, which is nothing beside a store.
public final class StoreMeter: Sendable {
    /// What was counted since the start.
    public struct Counts: Equatable, Sendable {
        /// Calls by operation: `put`, `putIfAbsent`, `get`, `size`, `list`, `delete`. Each attempt counts.
        public var calls: [String: Int] = [:]
        /// Calls that failed in a way that trying again may mend.
        public var transientFailures = 0
        /// Calls that were refused.
        public var refusals = 0
        /// Bytes of objects that were put.
        public var sent = ByteCount.zero
        /// Bytes of objects that were got.
        public var received = ByteCount.zero
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
        state.withLock { state in
            state.lastContact = now
            let failures = (state.trouble?.failures ?? 0) + 1
            state.trouble = Trouble(
                since: state.trouble?.since ?? time, reason: reason, failures: failures, isRefusal: isRefusal)
            if isRefusal { state.counts.refusals += 1 } else { state.counts.transientFailures += 1 }
        }
    }

    fileprivate func note(_ operation: String, sent: Int = 0, received: Int = 0) {
        state.withLock { state in
            state.counts.calls[operation, default: 0] += 1
            state.counts.sent += ByteCount(sent)
            state.counts.received += ByteCount(received)
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
        meter.note("put", sent: bytes.byteCount)
        do { try store.put(bytes, at: key) } catch { throw noted(error) }
        meter.noteSuccess()
    }

    /// See ``ObjectStore``.
    public func putIfAbsent(_ bytes: RawSpan, at key: String) throws(StoreFailure) -> Bool {
        meter.note("putIfAbsent", sent: bytes.byteCount)
        let isNew: Bool
        do { isNew = try store.putIfAbsent(bytes, at: key) } catch { throw noted(error) }
        meter.noteSuccess()
        return isNew
    }

    /// See ``ObjectStore``.
    public func get(_ key: String, range: ByteRange?) throws(StoreFailure) -> [UInt8] {
        let bytes: [UInt8]
        do { bytes = try store.get(key, range: range) } catch {
            meter.note("get")
            throw noted(error)
        }
        meter.note("get", received: bytes.count)
        meter.noteSuccess()
        return bytes
    }

    /// See ``ObjectStore``.
    public func size(of key: String) throws(StoreFailure) -> ByteCount? {
        meter.note("size")
        let size: ByteCount?
        do { size = try store.size(of: key) } catch { throw noted(error) }
        meter.noteSuccess()
        return size
    }

    /// See ``ObjectStore``.
    public func list(prefix: String, startAfter: String?, limit: Int) throws(StoreFailure) -> [ObjectEntry] {
        meter.note("list")
        let entries: [ObjectEntry]
        do { entries = try store.list(prefix: prefix, startAfter: startAfter, limit: limit) } catch {
            throw noted(error)
        }
        meter.noteSuccess()
        return entries
    }

    /// See ``ObjectStore``.
    public func delete(_ keys: [String]) throws(StoreFailure) {
        meter.note("delete")
        do { try store.delete(keys) } catch { throw noted(error) }
        meter.noteSuccess()
    }

    private func noted(_ failure: StoreFailure) -> StoreFailure {
        switch failure {
        case .missing, .truncated: meter.noteSuccess()
        case .transient: meter.noteFailure("\(failure)", isRefusal: false)
        case .permanent: meter.noteFailure("\(failure)", isRefusal: true)
        }
        return failure
    }
}
