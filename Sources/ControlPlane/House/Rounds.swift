internal import Blocks

/// Does something again and again, from the opening of a house until it closes: a turn, a pause, the next turn.
///
/// The pause is one of real time and bounds how late a turn sees that something is due by the house's clock, which may be a
/// simulated one.
final class Rounds: Sendable {
    private let loop = Guarded<Task<Void, Never>?>(nil)
    private let pause: Duration

    /// Makes rounds that have not begun.
    init(pause: Duration = .milliseconds(500)) { self.pause = pause }

    /// Begins with a turn at once. Once.
    func open(_ turn: @escaping @Sendable () async -> Void) {
        let task = Task { [pause] in
            while !Task.isCancelled {
                await turn()
                try? await Task.sleep(for: pause)
            }
        }
        loop.withLock { $0 = task }
    }

    /// Ends after the turn at hand, which hears of it by `Task.isCancelled`.
    func close() async {
        let task = loop.withLock { $0 }
        task?.cancel()
        await task?.value
    }
}

/// When to look again at things each of which has its time, by the house's clock.
final class NextLook: Sendable {
    /// Nil: now.
    private let next = Guarded<WallTime?>(nil)
    private static let pauseMax = Duration.seconds(86_400)
    private static let pauseAfterFailure = Duration.seconds(60)

    /// Something with a time of its own has come to be.
    func lookSoon() { next.withLock { $0 = nil } }

    /// Looks, if it is time to.
    ///
    /// - Parameter look: returns when something is due next; nil: nothing that is there now will be.
    func look(at now: WallTime, _ look: () async throws -> WallTime?) async {
        if let next = next.withLock({ $0 }), now < next { return }
        // Whoever adds something from here on says so afterwards.
        next.withLock { $0 = now + Self.pauseMax }
        do {
            guard let time = try await look() else { return }
            next.withLock { $0 = $0.map { min($0, time) } }
        } catch {
            // The catalog or the store cannot be asked now: nothing is lost by waiting.
            next.withLock { $0 = now + Self.pauseAfterFailure }
        }
    }
}
