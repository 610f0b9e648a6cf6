internal import Blocks

/// Lets concurrent flushes share the next sync, never one already running: a sync that has begun may have passed by
/// a write that was acknowledged since.
final class FlushGate: Sendable {
    private struct State {
        var started = 0
        var finished = 0
        var isRunning = false
    }
    private enum Turn { case done, sync }
    private let state = Guarded(State())

    /// Returns once a run of `sync` that began after the call has ended. A failure reaches the caller that ran it, and
    /// must be remembered by `sync` itself for the others (the volume is failed then).
    func flush(_ sync: () throws(BlockFailure) -> Void) throws(BlockFailure) {
        let needed = state.withLock { $0.started + 1 }
        let turn: Turn = state.wait { state in
            if state.finished >= needed { return .done }
            if state.isRunning { return nil }
            state.isRunning = true
            state.started += 1
            return .sync
        }
        guard turn == .sync else { return }
        defer {
            state.change { state in
                state.isRunning = false
                state.finished = state.started
            }
        }
        try sync()
    }
}
