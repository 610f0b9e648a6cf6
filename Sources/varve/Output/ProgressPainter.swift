internal import Blocks
internal import Terminal

/// Shows a ``Terminal/ProgressLine`` on a terminal, at most ten times a second; silent elsewhere.
final class ProgressPainter: Sendable {
    private struct State {
        var line: ProgressLine
        var paintedAt: Duration?
    }

    private let state: Guarded<State>
    private let isOn = Screen.isWatched
    private let clock = SystemClock()

    init(_ title: String, total: Int?) {
        state = Guarded(State(line: ProgressLine(title, total: total)))
    }

    /// Notes that `share` (0 to 1) is done. Call from any thread.
    func note(share: Double) {
        guard isOn else { return }
        let now = clock.uptime()
        let text: String? = state.withLock { state in
            state.line.note(share: share, at: now)
            if let last = state.paintedAt, now - last < .milliseconds(100), share < 1 { return nil }
            state.paintedAt = now
            return state.line.text(width: Screen.width - 1)
        }
        if let text { Output.repaint(text) }
    }

    /// Takes the line away.
    func finish() {
        let isPainted = state.withLock { $0.paintedAt != nil }
        if isPainted { Output.repaint("") }
    }
}
