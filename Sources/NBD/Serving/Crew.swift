internal import Blocks

/// The threads that carry out one connection's jobs: none at first, more as jobs queue, fewer again when idle.
///
/// A crew per connection rather than one for all, so that one volume's slow store or full disk holds up no other.
/// Fetches may take all threads but a few, which are kept for flushes and writes.
final class Crew: Sendable {
    private struct State {
        var fetches: [Job] = []
        var others: [Job] = []
        var done: [Job] = []
        var threadCount = 0
        var idleCount = 0
        var fetchingCount = 0
        var isClosing = false

        /// The next job that may start, counted as started.
        mutating func take() -> Job? {
            if !others.isEmpty { return others.removeFirst() }
            guard !fetches.isEmpty, fetchingCount < Crew.fetchingMax else { return nil }
            fetchingCount += 1
            return fetches.removeFirst()
        }
    }

    private static let threadMax = 16
    private static let fetchingMax = 12
    private static let idleLimit = Duration.seconds(10)

    private let agreement: Agreement
    private let tally: Tally
    private let state = Guarded(State())
    /// Raised when a job is done.
    let signal = Signal()

    init(_ agreement: Agreement, counting tally: Tally) {
        self.agreement = agreement
        self.tally = tally
    }

    /// Hands over a job. False when there is no thread to be had at all; the caller still owns the job then.
    func add(_ job: Job) -> Bool {
        let mustGrow = state.changeForOne { state in
            if job.isFetch { state.fetches.append(job) } else { state.others.append(job) }
            let waiting = state.others.count + min(state.fetches.count, Self.fetchingMax - state.fetchingCount)
            let grows = waiting > state.idleCount && state.threadCount < Self.threadMax
            if grows { state.threadCount += 1 }
            return grows
        }
        guard mustGrow, OSThread.ifPossible(name: "nbd-wait", { self.work() }) == nil else { return true }
        return state.change { state in
            state.threadCount -= 1
            guard state.threadCount == 0 else { return true }
            state.fetches.removeAll { $0 === job }
            state.others.removeAll { $0 === job }
            return false
        }
    }

    /// The jobs that are done since the last call.
    func takeDone() -> [Job] {
        signal.lower()
        return state.withLock { state in
            let done = state.done
            state.done = []
            return done
        }
    }

    /// Waits for all jobs and lets the threads go. Answers that were not taken are dropped.
    func close() {
        state.change { $0.isClosing = true }
        state.wait { $0.threadCount == 0 ? () : nil }
    }

    private func work() {
        while let job = nextJob() {
            job.run(on: agreement, counting: tally)
            state.withLock { state in
                if job.isFetch { state.fetchingCount -= 1 }
                state.done.append(job)
            }
            signal.raise()
        }
    }

    /// Waits for a job; nil when the thread should end, which it has then been counted as.
    private func nextJob() -> Job? {
        state.withLock { $0.idleCount += 1 }
        let found: Job?? = state.wait(atMost: Self.idleLimit) { state in
            if let job = state.take() {
                state.idleCount -= 1
                return .some(job)
            }
            guard state.isClosing, state.fetches.isEmpty else { return nil }
            state.idleCount -= 1
            state.threadCount -= 1
            return .some(nil)
        }
        if let found {
            if found == nil { state.change { _ in } }
            return found
        }
        // Idle for long. A job may have come since the wait ended: look once more under the lock.
        return state.change { state in
            state.idleCount -= 1
            if let job = state.take() { return job }
            state.threadCount -= 1
            return nil
        }
    }
}
