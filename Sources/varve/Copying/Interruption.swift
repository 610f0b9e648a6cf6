internal import UnixSignals

/// Lets SIGINT and SIGTERM cancel work, so that it can clean up behind itself.
///
/// From its making on the signals do not end the process: make one before anything that needs cleaning up is made.
struct Interruption: Sendable {
    private let signals: UnixSignalsSequence

    /// Takes the signals over; one that comes before ``cancels(_:)`` cancels that at once.
    init() async {
        signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    }

    /// Runs `body`. Call once.
    ///
    /// - Throws: what `body` throws, or `CancellationError` when a signal came.
    func cancels<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
        try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask { try await body() }
            group.addTask { [signals] in
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
