internal import Blocks

/// One queue per object: requests for one object run one after another in the order they came, requests for
/// different objects do not wait for each other.
///
/// A lane may be held across an `await`, but never across a call on the store: a store that hangs must not stop the
/// other verbs of a volume.
final class Lanes: Sendable {
    private typealias Waiter = CheckedContinuation<Void, Never>
    /// Held lanes and who waits for each. A key that is not there is free.
    private let held = Guarded<[String: [Waiter]]>([:])

    /// Runs `body` while no other lane holder of any of `keys` runs. Taken in name order, so that two who want several
    /// never wait for each other.
    func run<R: Sendable>(_ keys: [String], _ body: () async throws -> R) async throws -> R {
        let ordered = Set(keys).sorted()
        for key in ordered { await enter(key) }
        defer { for key in ordered.reversed() { leave(key) } }
        return try await body()
    }

    /// Runs `body` in one object's lane.
    func run<R: Sendable>(_ key: String, _ body: () async throws -> R) async throws -> R {
        try await run([key], body)
    }

    private func enter(_ key: String) async {
        await withCheckedContinuation { (waiter: Waiter) in
            let isFree = held.withLock { lanes in
                guard lanes[key] == nil else {
                    lanes[key, default: []].append(waiter)
                    return false
                }
                lanes[key] = []
                return true
            }
            if isFree { waiter.resume() }
        }
    }

    private func leave(_ key: String) {
        let next: Waiter? = held.withLock { lanes in
            guard var waiters = lanes[key] else { preconditionFailure("a lane was left that nobody holds") }
            if waiters.isEmpty {
                lanes[key] = nil
                return nil
            }
            let first = waiters.removeFirst()
            lanes[key] = waiters
            return first
        }
        next?.resume()
    }
}
