internal import Blocks
internal import Catalog

extension InstanceService {
    /// For how many seconds an agent waits for a turn, at most.
    public static let turnSeconds = 0...8
    private static let agentMax = 64

    /// For the agent of an instance's host: says how far the host came to rest for an order, and returns when there is another thing to
    /// do than `report` tells, or after some seconds. Called again and again, it leaves no events.
    ///
    /// - Parameters:
    ///   - agent: a name that the agent gave itself when it started, 1 to 64 characters: of several agents of one
    ///     instance each order goes to one.
    ///   - report: nil: the host goes about its business.
    ///   - seconds: how long to wait for another turn, of ``turnSeconds``.
    public func quiescing(
        _ id: String, by agent: String, _ report: QuiesceReport?, waiting seconds: Int = turnSeconds.upperBound
    ) async throws -> QuiesceTurn {
        try await ServiceError.about(.instance) {
            try caller.mayChange(.instance, leavesEvent: false)
            guard (1...Self.agentMax).contains(agent.unicodeScalars.count) else {
                throw ServiceError(
                    .invalid, .instance,
                    "the agent is \(agent.quotable): give it a name of 1 to \(Self.agentMax) characters")
            }
            guard Self.turnSeconds.contains(seconds) else {
                throw ServiceError(
                    .invalid, .instance,
                    "an agent waits \(Self.turnSeconds.lowerBound) to \(Self.turnSeconds.upperBound) seconds, not \(seconds)"
                )
            }
            guard try await record(id).state != .terminated else { throw Self.ended(id) }
            let key = QuiesceBoard.key(of: id), end = ContinuousClock.now + .seconds(seconds)
            let alarm = Task { [bulletin = house.bulletin] in
                try await Task.sleep(until: end, clock: .continuous)
                bulletin.announce(key)
            }
            defer { alarm.cancel() }
            for await _ in house.bulletin.changes(of: key) {
                let turn = house.quiescing.turn(of: id, by: agent, report)
                if turn.order != report?.order || ContinuousClock.now >= end { return turn }
            }
            throw ServiceError(.unavailable, .instance, "the server is stopping: ask again")
        }
    }
}
