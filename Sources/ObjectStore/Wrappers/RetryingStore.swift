public import Blocks

/// Tries again what failed transiently, with growing pauses and jitter.
///
/// Every operation may be repeated: all but the conditional put are idempotent, and for that one an object that is
/// found after a failed attempt is read back and compared, so that a lost answer does not look like a lost race.
public final class RetryingStore: ObjectStore {
    /// How often, and how long to wait.
    public struct Patience: Sendable {
        /// Attempts in all.
        public var attempts: Int
        /// The pause after the first failure; doubled after each further one.
        public var pause: Duration
        /// The longest pause.
        public var pauseMax: Duration
        /// The share of each pause that is left to chance, 0 to 1. Many who were refused at once by a shared store come
        /// back one by one only if it is 1.
        public var jitter: Double

        /// Eight attempts over about half a minute, unless told.
        public init(
            attempts: Int = 8, pause: Duration = .milliseconds(200), pauseMax: Duration = .seconds(15),
            jitter: Double = 0.5
        ) {
            precondition(attempts >= 1 && (0...1).contains(jitter))
            self.jitter = jitter
            self.attempts = attempts
            self.pause = pause
            self.pauseMax = pauseMax
        }
    }

    private let store: any ObjectStore
    private let patience: Patience
    private let clock: any HouseClock
    private let random: @Sendable () -> Double

    /// Wraps `store`. Each pause is shortened by its jitter times `random` (0 to 1).
    public init(
        _ store: any ObjectStore, patience: Patience = Patience(), clock: any HouseClock = SystemClock(),
        random: @escaping @Sendable () -> Double = { .random(in: 0...1) }
    ) {
        self.store = store
        self.patience = patience
        self.clock = clock
        self.random = random
    }

    /// See ``ObjectStore``.
    public func put(_ bytes: RawSpan, at key: String) throws(StoreFailure) {
        var attempt = 1
        while true {
            do { return try store.put(bytes, at: key) } catch { try pause(&attempt, error) }
        }
    }

    /// See ``ObjectStore``.
    public func putIfAbsent(_ bytes: RawSpan, at key: String) throws(StoreFailure) -> Bool {
        var attempt = 1
        while true {
            do {
                if try store.putIfAbsent(bytes, at: key) { return true }
                // There, and nothing of ours failed: somebody else's. Else it may be our own first attempt.
                return attempt > 1 ? try get(key, range: nil).holds(bytes) : false
            } catch { try pause(&attempt, error) }
        }
    }

    /// See ``ObjectStore``. An answer that is shorter than asked counts as a transient failure.
    public func get(_ key: String, range: ByteRange?) throws(StoreFailure) -> [UInt8] {
        var attempt = 1
        while true {
            do throws(StoreFailure) {
                let bytes = try store.get(key, range: range)
                if let range, bytes.count != range.count.bytes {
                    throw StoreFailure.transient("\(bytes.count) of \(range.count.bytes) bytes came for \(key)")
                }
                return bytes
            } catch { try pause(&attempt, error) }
        }
    }

    /// See ``ObjectStore``.
    public func size(of key: String) throws(StoreFailure) -> ByteCount? {
        var attempt = 1
        while true {
            do { return try store.size(of: key) } catch { try pause(&attempt, error) }
        }
    }

    /// See ``ObjectStore``.
    public func list(prefix: String, startAfter: String?, limit: Int) throws(StoreFailure) -> [ObjectEntry] {
        var attempt = 1
        while true {
            do { return try store.list(prefix: prefix, startAfter: startAfter, limit: limit) } catch {
                try pause(&attempt, error)
            }
        }
    }

    /// See ``ObjectStore``.
    public func delete(_ keys: [String]) throws(StoreFailure) {
        var attempt = 1
        while true {
            do { return try store.delete(keys) } catch { try pause(&attempt, error) }
        }
    }

    /// Waits before the next attempt, or gives the failure on.
    private func pause(_ attempt: inout Int, _ failure: StoreFailure) throws(StoreFailure) {
        guard case .transient = failure, attempt < patience.attempts else { throw failure }
        let pause = min(patience.pauseMax, patience.pause * (1 << min(attempt - 1, 20)))
        attempt += 1
        clock.sleep(pause * (1 - random() * patience.jitter))
    }
}

extension Array where Element == UInt8 {
    /// Are these the same bytes?
    func holds(_ bytes: RawSpan) -> Bool {
        guard count == bytes.byteCount else { return false }
        return unsafe bytes.withUnsafeBytes { other in unsafe withUnsafeBytes { unsafe $0.elementsEqual(other) } }
    }
}
