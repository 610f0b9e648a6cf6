internal import Blocks

/// Plays one fresh history after another on several threads, until time is up or a law is broken.
public final class Explorer: Sendable {
    /// A history that broke a law.
    public struct Failure: Sendable {
        /// As it was played.
        public let history: History
        /// What it broke.
        public let violation: Violation
    }
    private struct State: Sendable {
        var tally = Tally()
        var failure: Failure?
        var next: UInt64
    }
    private let state: Guarded<State>
    private let end: Duration
    private let outages: Int
    private let clock = SystemClock()
    private let begins: @Sendable (UInt64) -> Void

    /// - Parameters:
    ///   - seed: the first history's; each further one has the next.
    ///   - time: how long to play; longer if that is too short for `outages` kills and power losses.
    ///   - begins: told each seed before it is played, so that a trap in it can be laid at its door.
    public init(from seed: UInt64, for time: Duration, outages: Int, begins: @escaping @Sendable (UInt64) -> Void) {
        state = Guarded(State(next: seed))
        end = clock.uptime() + time
        self.outages = outages
        self.begins = begins
    }

    /// Blocks until it is over.
    public func run(threads: Int) -> (tally: Tally, failure: Failure?) {
        let all = (0..<threads).map { _ in OSThread(name: "history") { self.play() } }
        for thread in all { thread.join() }
        return state.withLock { ($0.tally, $0.failure) }
    }

    private func play() {
        while let seed = next() {
            begins(seed)
            let history = History(seed: seed)
            do {
                let tally = try history.play()
                state.withLock { $0.tally.add(tally) }
            } catch {
                let violation = error as? Violation ?? Violation(.disk, "\(error)")
                state.withLock { $0.failure = $0.failure ?? Failure(history: history, violation: violation) }
            }
        }
    }

    private func next() -> UInt64? {
        let isLate = clock.uptime() >= end
        return state.withLock { state in
            let enough = state.tally.kills + state.tally.powerLosses >= outages
            guard state.failure == nil, !(isLate && enough) else { return nil }
            defer { state.next &+= 1 }
            return state.next
        }
    }
}
