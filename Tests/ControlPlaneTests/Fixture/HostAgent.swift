import Blocks
import ControlPlane

/// An agent as `varve instance quiesce` is one, for an instance whose writers are threads of a test.
final class HostAgent: Sendable {
    let name: String
    private let state = Guarded(State())
    private let work: Guarded<Task<Void, Never>?> = Guarded(nil)

    private struct State {
        var orders: [String] = []
        var isStill = false
    }

    /// How many orders it was given.
    var orders: Int { state.withLock { $0.orders.count } }
    /// Does it keep its host still?
    var isStill: Bool { state.withLock { $0.isStill } }

    /// Starts to listen.
    ///
    /// - Parameters:
    ///   - rest: brings the host to rest and says how far; nil: the agent never says.
    ///   - goOn: lets it go on.
    init(
        _ name: String, of instance: String, _ fixture: HouseFixture,
        rest: @escaping @Sendable () async -> Consistency?, goOn: @escaping @Sendable () -> Void = {}
    ) {
        self.name = name
        let task = Task { [state] in
            var report: QuiesceReport?
            while !Task.isCancelled {
                guard let turn = try? await fixture.house.instances.quiescing(instance, by: name, report) else {
                    continue
                }
                if report != nil, turn.order != report?.order {
                    state.withLock { $0.isStill = false }
                    goOn()
                    report = nil
                }
                guard report == nil, let order = turn.order else { continue }
                state.withLock { $0.orders.append(order) }
                guard let outcome = await rest() else {
                    while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(10)) }
                    return
                }
                state.withLock { $0.isStill = true }
                report = QuiesceReport(order: order, outcome: outcome)
            }
        }
        work.withLock { $0 = task }
    }

    /// Ends it, as a kill would.
    func stop() async {
        let task = work.withLock { $0 }
        task?.cancel()
        await task?.value
    }
}
