internal import Blocks
internal import Catalog

/// What one try of a long operation came to.
enum Attempt: Sendable {
    /// Everything is done.
    case done
    /// Something else must happen first; the text says what. To be tried again when something changed.
    case wait(String)
    /// It can never be done; the text says why.
    case failed(String)
}

/// Runs long operations to their end: each is recorded before it starts, tried until it is done, and taken up again after
/// a restart. An operation is a closure that may be run any number of times and goes on where it stopped.
final class TaskRunner: Sendable {
    private let catalog: Catalog
    private let clock: any HouseClock
    private let bulletin: Bulletin
    private struct State {
        var running: [String: Task<Void, Never>] = [:]
        var isClosed = false
    }
    private let state = Guarded(State())
    /// The longest pause between two tries.
    private static let pauseMax = Duration.seconds(30)
    /// Where "something changed that a waiting task may care about" is announced.
    static let anything = "*"

    init(catalog: Catalog, clock: any HouseClock, bulletin: Bulletin) {
        self.catalog = catalog
        self.clock = clock
        self.bulletin = bulletin
    }

    /// Runs a recorded task: the first try now, for the caller to wait for, later ones in the background.
    ///
    /// - Returns: true if it was done at the first try.
    func start(
        _ record: TaskRecord, _ attempt: @escaping @Sendable () async throws -> Attempt
    ) async -> Bool {
        var task = record
        if await tryOnce(&task, attempt) { return true }
        let unfinished = task
        state.withLock { state in
            guard !state.isClosed else { return }
            state.running[record.id] = Task { [self] in
                await runToEnd(unfinished, attempt)
                state_forget(record.id)
            }
        }
        return false
    }

    /// The same, with nobody waiting for the first try.
    func startAside(_ record: TaskRecord, _ attempt: @escaping @Sendable () async throws -> Attempt) {
        state.withLock { state in
            guard !state.isClosed else { return }
            state.running[record.id] = Task { [self] in
                var task = record
                if await !tryOnce(&task, attempt) { await runToEnd(task, attempt) }
                state_forget(record.id)
            }
        }
    }

    private func state_forget(_ id: String) { state.withLock { $0.running[id] = nil } }

    private func runToEnd(_ record: TaskRecord, _ attempt: @Sendable () async throws -> Attempt) async {
        var task = record
        // What a deletion waits for is mostly a cut that is just being settled.
        var pause = Duration.milliseconds(10)
        while !Task.isCancelled {
            await waitForChange(atMost: pause)
            if Task.isCancelled { return }
            if await tryOnce(&task, attempt) { return }
            pause = min(pause * 2, Self.pauseMax)
        }
    }

    /// Returns true when there is nothing left to do.
    private func tryOnce(_ task: inout TaskRecord, _ attempt: @Sendable () async throws -> Attempt) async -> Bool {
        let before = task
        do {
            switch try await attempt() {
            case .done: task.state = .succeeded
            case .wait(let reason):
                task.state = .waiting
                task.lastError = reason
            case .failed(let reason):
                task.state = .failed
                task.lastError = reason
            }
        } catch {
            if error is CancellationError { return false }
            task.state = .waiting
            task.retries += 1
            task.lastError = ServiceError.from(error, .task).message
        }
        if task != before { await record(&task) }
        return task.state.isFinal
    }

    /// Writes the task's record; a failure to do so is no reason to stop the task.
    private func record(_ task: inout TaskRecord) async {
        task.updatedAt = clock.now()
        let changed = task
        _ = try? await catalog.change { try $0.update(changed) }
    }

    private func waitForChange(atMost limit: Duration) async {
        let changes = bulletin.changes(of: Self.anything)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                var isFirst = true
                for await _ in changes {
                    if !isFirst { return }
                    isFirst = false
                }
            }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Stops trying; what is not done goes on at the next start.
    func close() async {
        let running = state.withLock { state in
            state.isClosed = true
            return Array(state.running.values)
        }
        for task in running { task.cancel() }
        for task in running { await task.value }
    }
}
