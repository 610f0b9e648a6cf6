public import Blocks
public import ObjectStore

/// A store whose listings may be old: they show what was there some changes ago, for the first minute after a change.
///
/// Gets are never old. For tests: the protocol promises fresh listings, and reclaim must be safe without them.
public final class StaleStore: ObjectStore {
    /// How long a listing may hide a change.
    public static let staleness = Duration.seconds(60)

    private enum Change: Sendable { case put(ObjectEntry, replaced: ObjectEntry?), delete(ObjectEntry) }
    private struct State {
        var objects: [String: ObjectEntry] = [:]
        var changes: [(change: Change, at: WallTime)] = []
    }
    private let store: any ObjectStore
    private let clock: any HouseClock
    private let lag: @Sendable () -> Int
    private let state = Guarded(State())

    /// Wraps an empty `store`; `lag` says for each listing how many of the latest changes it does not know.
    public init(_ store: any ObjectStore, clock: any HouseClock, lag: @escaping @Sendable () -> Int) {
        self.store = store
        self.clock = clock
        self.lag = lag
    }

    private func note(_ key: String, _ size: ByteCount) {
        let now = clock.now()
        let entry = ObjectEntry(key: key, size: size, modified: now)
        state.withLock { state in
            let old = state.objects.updateValue(entry, forKey: key)
            state.changes.append((.put(entry, replaced: old), now))
            if state.changes.count > 64 { state.changes.removeFirst(32) }
        }
    }

    /// See `ObjectStore`.
    public func put(_ bytes: RawSpan, at key: String) throws(StoreFailure) {
        try store.put(bytes, at: key)
        note(key, ByteCount(bytes.byteCount))
    }
    /// See `ObjectStore`.
    public func putIfAbsent(_ bytes: RawSpan, at key: String) throws(StoreFailure) -> Bool {
        guard try store.putIfAbsent(bytes, at: key) else { return false }
        note(key, ByteCount(bytes.byteCount))
        return true
    }
    /// See `ObjectStore`.
    public func get(_ key: String, range: ByteRange?) throws(StoreFailure) -> [UInt8] {
        try store.get(key, range: range)
    }
    /// See `ObjectStore`.
    public func size(of key: String) throws(StoreFailure) -> ByteCount? { try store.size(of: key) }
    /// See `ObjectStore`.
    public func delete(_ keys: [String]) throws(StoreFailure) {
        try store.delete(keys)
        let now = clock.now()
        state.withLock { state in
            for key in keys {
                guard let entry = state.objects.removeValue(forKey: key) else { continue }
                state.changes.append((.delete(entry), now))
            }
            if state.changes.count > 64 { state.changes.removeFirst(32) }
        }
    }
    /// The objects as they were `lag` changes ago, or a minute ago.
    public func list(prefix: String, startAfter: String?, limit: Int) throws(StoreFailure) -> [ObjectEntry] {
        let lag = lag()
        guard lag > 0 else { return try store.list(prefix: prefix, startAfter: startAfter, limit: limit) }
        let now = clock.now()
        let objects = state.withLock { state in
            var objects = state.objects
            for (change, time) in state.changes.reversed().prefix(lag) {
                let age = now - time
                guard age >= .zero, age < Self.staleness else { break }
                switch change {
                case .put(let entry, let replaced): objects[entry.key] = replaced
                case .delete(let entry): objects[entry.key] = entry
                }
            }
            return objects
        }
        let keys = objects.keys.filter { $0.hasPrefix(prefix) && $0 > startAfter ?? "" }.sorted().prefix(limit)
        return keys.compactMap { objects[$0] }
    }
}
