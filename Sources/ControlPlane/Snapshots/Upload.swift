internal import Blocks
internal import Repository
internal import VolumeEngine

/// One pending snapshot on its way to the store.
final class Upload: Sendable {
    let volume: String
    /// The volume's frozen view: what is uploaded.
    let view: CutView

    private struct State {
        var writer: SnapshotWriter?
        /// What earlier tries reached, from 0 to 1.
        var reached = 0.0
        var isCancelled = false
        var problem: String?
        var retries = 0

        var fraction: Double { max(reached, writer?.progress.fraction ?? 0) }
    }
    private let state = Guarded(State())

    init(_ view: CutView, of volume: String) {
        self.view = view
        self.volume = volume
    }

    var snapshot: String { view.snapshot }
    /// The snapshot that must be whole in the store, or given up, before this upload can start.
    var parent: String? { view.parent }

    /// Shows which writer works on it.
    ///
    /// - Returns: false if it was cancelled already; the writer must not run then.
    func begin(_ writer: SnapshotWriter) -> Bool {
        state.withLock { state in
            state.reached = state.fraction
            state.writer = writer
            return !state.isCancelled
        }
    }

    /// Makes a running writer stop, and a waiting one never start.
    func cancel() {
        let writer = state.withLock { state in
            state.isCancelled = true
            return state.writer
        }
        writer?.cancel()
    }

    /// Notes what went wrong, or that all is well again.
    ///
    /// - Returns: how often it went wrong in a row.
    @discardableResult
    func note(problem: String?) -> Int {
        state.withLock { state in
            state.problem = problem
            state.retries = problem == nil ? 0 : state.retries + 1
            return state.retries
        }
    }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }
    var writer: SnapshotWriter? { state.withLock { $0.writer } }
    var problem: String? { state.withLock { $0.problem } }
    var retries: Int { state.withLock { $0.retries } }
    /// From 0 to 1. Never falls: a new try takes up what an earlier one stored, if not always all of it.
    var fraction: Double { state.withLock { $0.fraction } }
    var remaining: Duration? { writer?.progress.remaining }
}
