internal import Blocks

/// Keeps what was used lately, within a cost. Thread-safe.
///
/// Two generations: what is used moves to the young one; when that holds half the cost, the old one is dropped.
final class BoundedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct State {
        var young: [Key: (value: Value, cost: Int)] = [:]
        var old: [Key: (value: Value, cost: Int)] = [:]
        var youngCost = 0
    }
    private let state = Guarded(State())
    private let limit: Int

    /// `cost`: the most that all values may cost together, in whatever unit ``insert(_:_:cost:)`` uses.
    init(cost: Int) { limit = max(1, cost / 2) }

    func find(_ key: Key) -> Value? {
        state.withLock { state -> Value? in
            if let found = state.young[key] { return found.value }
            guard let found = state.old.removeValue(forKey: key) else { return nil }
            BoundedCache.add(key, found, &state, limit)
            return found.value
        }
    }

    func insert(_ key: Key, _ value: Value, cost: Int) {
        state.withLock { state in
            guard state.young[key] == nil else { return }
            BoundedCache.add(key, (value, cost), &state, limit)
        }
    }

    private static func add(_ key: Key, _ entry: (value: Value, cost: Int), _ state: inout State, _ limit: Int) {
        if state.youngCost + entry.cost > limit {
            state.old = state.young
            state.young = [:]
            state.youngCost = 0
        }
        state.young[key] = entry
        state.youngCost += entry.cost
    }
}
