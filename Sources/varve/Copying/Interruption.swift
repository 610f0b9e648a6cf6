internal import UnixSignals

/// Lets SIGINT and SIGTERM cancel work, so that it can clean up behind itself.
enum Interruption {
    /// - Throws: what `body` throws, or `CancellationError` when a signal came.
    static func cancels<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        return try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                for await _ in signals { throw CancellationError() }
                return nil
            }
            defer { group.cancelAll() }
            while let outcome = try await group.next() {
                if let outcome { return outcome }
            }
            throw CancellationError()
        }
    }
}
