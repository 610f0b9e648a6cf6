internal import Blocks

/// Counts what an upload has done, and guesses how long the rest takes.
final class UploadMeter: Sendable {
    private struct State {
        var captured = 0
        /// Nil before ``begin(total:captured:)``.
        var total: Int?
        var stored = 0
        var rate = 0.0
        var lastTime: Duration
        var lastCaptured = 0
        var lastReport: Duration
    }
    private let state: Guarded<State>
    private let clock: any HouseClock
    private let report: (@Sendable (UploadProgress) -> Void)?
    /// How often a caller is told, at most.
    private static let interval = Duration.milliseconds(250)
    /// The rate forgets with this time constant, in seconds.
    private static let memory = 10.0

    init(clock: any HouseClock, report: (@Sendable (UploadProgress) -> Void)?) {
        self.clock = clock
        self.report = report
        let now = clock.uptime()
        state = Guarded(State(lastTime: now, lastReport: now - UploadMeter.interval))
    }

    func begin(total: Int, captured: Int) {
        let now = clock.uptime()
        state.withLock { state in
            state.total = max(total, captured)
            state.captured = captured
            state.lastCaptured = captured
            state.lastTime = now
        }
    }

    func add(captured: Int, stored: Int) {
        let now = clock.uptime()
        let progress = state.withLock { state -> UploadProgress? in
            state.captured += captured
            state.stored += stored
            state.total = max(state.total ?? 0, state.captured)
            UploadMeter.smooth(&state, now)
            guard now - state.lastReport >= UploadMeter.interval else { return nil }
            state.lastReport = now
            return UploadMeter.progress(state)
        }
        if let progress { report?(progress) }
    }

    /// All is done: everything changed is captured.
    func finish() {
        let progress = state.withLock { state in
            state.captured = state.total ?? state.captured
            return UploadMeter.progress(state)
        }
        report?(progress)
    }

    var progress: UploadProgress { state.withLock { UploadMeter.progress($0) } }

    private static func smooth(_ state: inout State, _ now: Duration) {
        let passed = seconds(now - state.lastTime)
        guard passed > 0.05 else { return }
        let current = Double(state.captured - state.lastCaptured) / passed
        let weight = passed / (passed + memory)
        state.rate = state.rate == 0 ? current : state.rate * (1 - weight) + current * weight
        state.lastTime = now
        state.lastCaptured = state.captured
    }

    private static func progress(_ state: State) -> UploadProgress {
        let left = Double(max(0, (state.total ?? 0) - state.captured))
        return UploadProgress(
            captured: ByteCount(state.captured), total: state.total.map { ByteCount($0) },
            stored: ByteCount(state.stored),
            bytesPerSecond: state.rate, remaining: state.rate > 0 ? .seconds(left / state.rate) : nil)
    }

    private static func seconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
