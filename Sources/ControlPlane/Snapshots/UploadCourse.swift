internal import Blocks
internal import Repository

/// How an upload goes, over all its tries.
final class UploadCourse: Sendable {
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

    /// Notes what went wrong.
    ///
    /// - Returns: how long to wait before the next try: 0.5 s, 1 s, 2 s ... 64 s, give or take a quarter, so that uploads do
    ///   not come back all at once.
    func pause(after problem: String) -> Duration {
        let retries = note(problem: problem)
        return Duration.milliseconds(500) * (1 << min(retries - 1, 7)) * Double.random(in: 0.75...1.25)
    }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }
    var writer: SnapshotWriter? { state.withLock { $0.writer } }
    var problem: String? { state.withLock { $0.problem } }
    var retries: Int { state.withLock { $0.retries } }
    /// From 0 to 1. Never falls: a new try takes up what an earlier one stored, if not always all of it.
    var fraction: Double { state.withLock { $0.fraction } }
    var remaining: Duration? { writer?.progress.remaining }
}

/// Something that an ``UploadDesk`` sees to: a snapshot on its way to the store, wherever its content comes from.
protocol Uploading: AnyObject, Sendable {
    /// The snapshot that is to be.
    var snapshot: String { get }
    /// The snapshot that must be whole in the store, or given up, before this upload can start.
    var parent: String? { get }
    /// How it goes.
    var course: UploadCourse { get }
}

extension Uploading {
    func begin(_ writer: SnapshotWriter) -> Bool { course.begin(writer) }
    func cancel() { course.cancel() }
    @discardableResult
    func note(problem: String?) -> Int { course.note(problem: problem) }
    var isCancelled: Bool { course.isCancelled }
    var writer: SnapshotWriter? { course.writer }
    var problem: String? { course.problem }
    var retries: Int { course.retries }
    var fraction: Double { course.fraction }
    var remaining: Duration? { course.remaining }
}
