public import Blocks

/// The database of records: volumes, snapshots, attachments, tasks, settings.
///
/// One thread of its own owns the connection, so that neither a task nor the data path ever waits inside the database
/// library. Requests run one after another in the order they came, each in a transaction.
public final class Catalog: Sendable {
    private typealias Job = @Sendable (any SQLConnection) -> Void
    private struct Queue {
        var jobs: [Job] = []
        var isClosed = false
    }
    private let queue: Guarded<Queue>
    private let thread: OSThread

    /// Opens the catalog in an SQLite file, making it if there is none, and brings its schema up to date. Blocks.
    public convenience init(sqlite path: String, clock: any HouseClock = SystemClock()) throws {
        try self.init(clock: clock) { try SQLiteConnection(path: path) }
    }

    /// Opens the catalog over any driver: `connect` runs on the catalog's own thread. Blocks.
    public init(clock: any HouseClock, connect: @escaping @Sendable () throws -> any SQLConnection) throws {
        let queue = Guarded(Queue())
        let opened = Guarded<Result<Void, any Error>?>(nil)
        self.queue = queue
        thread = OSThread(name: "catalog") {
            do {
                let connection = try connect()
                try Migration.apply(to: connection, at: clock.now().milliseconds)
                opened.change { $0 = .success(()) }
                Catalog.serve(queue, with: connection)
                connection.close()
            } catch {
                opened.change { $0 = .failure(error) }
            }
        }
        do {
            try opened.wait { $0 }.get()
        } catch {
            thread.join()
            throw error
        }
    }

    /// Runs jobs until closed and none is left.
    private static func serve(_ queue: Guarded<Queue>, with connection: any SQLConnection) {
        while true {
            let jobs: [Job] = queue.wait { state in
                if state.jobs.isEmpty { return state.isClosed ? [] : nil }
                defer { state.jobs = [] }
                return state.jobs
            }
            if jobs.isEmpty { return }
            for job in jobs { job(connection) }
        }
    }

    /// Runs `body` in one transaction: what it wrote is durable when the call returns; nothing was written when it throws.
    public func change<R: Sendable>(_ body: @escaping @Sendable (CatalogSession) throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<R, any Error>) in
            submit(body) { continuation.resume(with: $0) }
        }
    }

    /// Like ``change(_:)`` for a plain thread, which it blocks. Never from a task.
    public func changeWaiting<R: Sendable>(_ body: @escaping @Sendable (CatalogSession) throws -> R) throws -> R {
        let answer = Guarded<Result<R, any Error>?>(nil)
        submit(body) { result in answer.change { $0 = result } }
        return try answer.wait { $0 }.get()
    }

    private func submit<R: Sendable>(
        _ body: @escaping @Sendable (CatalogSession) throws -> R,
        then answer: @escaping @Sendable (Result<R, any Error>) -> Void
    ) {
        let isClosed = queue.change { state in
            if state.isClosed { return true }
            state.jobs.append { connection in
                answer(Result { try connection.transaction { try body(CatalogSession(connection)) } })
            }
            return false
        }
        if isClosed { answer(.failure(CatalogFailure.closed)) }
    }

    /// Finishes what was asked before, then closes. Blocks. Repeating it is harmless.
    public func close() {
        queue.change { $0.isClosed = true }
        thread.join()
    }

    deinit { queue.change { $0.isClosed = true } }
}

/// What can be asked inside one transaction of the catalog. Valid only during the closure it was given to.
public struct CatalogSession {
    let connection: any SQLConnection
    init(_ connection: any SQLConnection) { self.connection = connection }
}
