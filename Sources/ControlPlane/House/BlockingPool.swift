internal import Blocks

/// Threads that run what blocks, so that no task ever does.
///
/// The cooperative pool is as wide as the core count: two tasks inside system calls would stop every other one. Threads
/// are made as they are needed, up to a limit; past it calls wait in the order they came.
final class BlockingPool: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var threads: [OSThread] = []
        var busy = 0
        var isClosed = false
    }
    private let state = Guarded(State())
    private let name: String
    private let limit: Int

    /// - Parameter limit: the most threads.
    init(name: String, limit: Int) {
        precondition(limit > 0)
        self.name = name
        self.limit = limit
    }

    /// Runs `body` on one of the threads.
    func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<R, any Error>) in
            submit { continuation.resume(with: Result { try body() }) }
        }
    }

    /// Runs `body` on a thread made for it alone.
    static func runAlone<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
        await withCheckedContinuation { continuation in
            _ = OSThread(name: "alone") { continuation.resume(returning: body()) }
        }
    }

    /// Queues a job. After ``close()`` it runs on the caller's thread: nothing that waits for it is left hanging.
    private func submit(_ job: @escaping @Sendable () -> Void) {
        let isClosed = state.change { state in
            if state.isClosed { return true }
            state.jobs.append(job)
            if state.busy + state.jobs.count > state.threads.count, state.threads.count < limit {
                state.threads.append(OSThread(name: name) { [self] in serve() })
            }
            return false
        }
        if isClosed { job() }
    }

    private func serve() {
        while true {
            let job: (@Sendable () -> Void)? = state.wait { state in
                if !state.jobs.isEmpty {
                    state.busy += 1
                    return .some(state.jobs.removeFirst())
                }
                return state.isClosed ? .some(nil) : nil
            }
            guard let job else { return }
            job()
            state.withLock { $0.busy -= 1 }
        }
    }

    /// Finishes what was queued and ends the threads. Blocks: not from one of them, nor from a task.
    func close() {
        let threads = state.change { state in
            state.isClosed = true
            defer { state.threads = [] }
            return state.threads
        }
        for thread in threads { thread.join() }
    }
}
