internal import Blocks

/// Where cuts meet the agents of hosts: who wants hosts to keep still, and what their agents say.
///
/// A cut asks, its order waits in the host's queue, the agent fetches the first one, brings the host to rest and reports; the cut
/// is made and ends the order, at which the agent lets go. **A cut counts as made at rest only if the agent had reported and the
/// cut had ended less than the order's limit after the order was given out.** The agent keeps still until it hears that the order is
/// gone, or for the limit, counted from a time after it was given the order: so it still did when the cut ended, even if it or the
/// connection died in between. An agent that is interrupted takes its report back first, and waits until that is heard. Whatever is lost on the way makes a snapshot less than it could be, never one that says more than it is.
///
/// All is in memory. A server that starts anew knows no orders, and an agent that asks about one hears that it is gone.
final class QuiesceBoard: Sendable {
    private typealias Instant = ContinuousClock.Instant
    private struct Order {
        let id: String
        let limit: Duration
        /// Since when it is the first in the queue.
        var firstAt: Instant?
        var agent: String?
        var givenAt: Instant?
        var outcome: Consistency?
    }
    private struct Host {
        var seenAt: Instant
        /// That it let a cut wait in vain: which agent, if one had the order, and until when it is not asked therefore.
        var shunned: (agent: String?, until: Instant)?
        var orders: [Order] = []
    }
    /// What a cut has asked of a host.
    struct Asked: Sendable {
        let host: String
        fileprivate let id: String
    }

    private let hosts = Guarded<[String: Host]>([:])
    private let bulletin: Bulletin

    /// For how long an agent that is there may take to fetch an order.
    private let patience: Duration
    /// For how long an agent may be silent, at most, before it counts as gone; longer than it waits for a turn.
    private var silence: Duration { patience * 3 }
    /// For how long a host is not asked that let a cut wait in vain: else one whose agent hangs would hold up every cut.
    private let shunning: Duration

    init(_ bulletin: Bulletin, patience: Duration, shunning: Duration = .seconds(600)) {
        self.bulletin = bulletin
        self.shunning = shunning
        self.patience = patience
    }

    /// What is announced when anything about a host changes.
    static func key(of host: String) -> String { "quiesce \(host)" }

    // MARK: For agents

    /// Takes a report, if there is one, and says what is to be done now. Of several agents of one host each order has one.
    func turn(of host: String, by agent: String, _ report: QuiesceReport?) -> QuiesceTurn {
        let (turn, isNews) = hosts.withLock { hosts in
            let now = Instant.now
            var state = hosts[host] ?? Host(seenAt: now)
            defer { hosts[host] = state }
            state.seenAt = now
            // It works again, or is another one.
            if report != nil || agent != state.shunned?.agent { state.shunned = nil }
            guard var first = state.orders.first else { return (QuiesceTurn(), false) }
            var isNews = false
            if first.agent == nil {
                first.agent = agent
                first.givenAt = now
                isNews = true
            }
            guard first.agent == agent else { return (QuiesceTurn(), false) }
            if let report, report.order == first.id, first.outcome.map({ report.outcome < $0 }) ?? true {
                // A later word only takes back: who has to let go says so first, and waits until it is heard.
                first.outcome = report.outcome
                isNews = true
            }
            state.orders[0] = first
            return (QuiesceTurn(order: first.id, seconds: Int(first.limit.components.seconds)), isNews)
        }
        if isNews { bulletin.announce(Self.key(of: host)) }
        return turn
    }

    // MARK: For cuts

    /// Has the host an agent?
    func knows(_ host: String) -> Bool {
        hosts.withLock { $0[host].map { .now < $0.seenAt + silence } ?? false }
    }

    /// Asks hosts to keep still, all at once, and waits until their agents say how far they came, or until it is too late. Whoever
    /// asks must ``end(_:)`` what is answered, soon. Not for hosts that the caller has asked already.
    ///
    /// The orders come into all queues in one step. So of two cuts that ask some of the same hosts one is before the other in
    /// every queue, and the first never waits for the second.
    ///
    /// - Returns: by host, those that have an agent.
    func ask(_ wanted: Set<String>, for limit: Duration) async -> [String: Asked] {
        let asked = hosts.withLock { hosts in
            let now = Instant.now
            var asked: [String: Asked] = [:]
            for host in wanted {
                guard var state = hosts[host], now < state.seenAt + silence, now >= state.shunned?.until ?? now
                else { continue }
                let one = Asked(host: host, id: String(UInt64.random(in: .min ... .max), radix: 16))
                state.orders.append(Order(id: one.id, limit: limit, firstAt: state.orders.isEmpty ? now : nil))
                hosts[host] = state
                asked[host] = one
            }
            return asked
        }
        for host in asked.keys { bulletin.announce(Self.key(of: host)) }
        await withTaskGroup(of: Void.self) { group in
            for one in asked.values { group.addTask { [self] in await wait(for: one) } }
        }
        return asked
    }

    private func wait(for asked: Asked) async {
        let key = Self.key(of: asked.host)
        var alarm: Task<Void, any Error>?
        defer { alarm?.cancel() }
        for await _ in bulletin.changes(of: key) {
            guard let deadline = deadline(of: asked) else { continue }
            guard Instant.now < deadline else { return }
            alarm?.cancel()
            alarm = Task { [bulletin] in
                try await Task.sleep(until: deadline, clock: .continuous)
                bulletin.announce(key)
            }
        }
    }

    /// Until when to wait for the agent: past, when it has said something; nil, while another order is before this one, which ends.
    private func deadline(of asked: Asked) -> Instant? {
        hosts.withLock { hosts in
            guard let order = hosts[asked.host]?.orders.first(where: { $0.id == asked.id }) else { return .now }
            if order.outcome != nil { return .now }
            if let givenAt = order.givenAt { return givenAt + order.limit }
            return order.firstAt.map { $0 + patience }
        }
    }

    /// How far the host came to rest and still is.
    func reached(_ asked: Asked) -> Consistency {
        hosts.withLock { hosts in
            guard let order = hosts[asked.host]?.orders.first, order.id == asked.id, let outcome = order.outcome,
                let givenAt = order.givenAt, Instant.now < givenAt + order.limit
            else { return .crash }
            return outcome
        }
    }

    /// Lets the host go on. Repeating it is harmless.
    func end(_ asked: Asked) {
        hosts.withLock { hosts in
            guard var state = hosts[asked.host] else { return }
            if let order = state.orders.first(where: { $0.id == asked.id }), order.outcome == nil, order.firstAt != nil
            {
                state.shunned = (order.agent, .now + shunning)
            }
            state.orders.removeAll { $0.id == asked.id }
            if state.orders.first?.firstAt == nil, !state.orders.isEmpty { state.orders[0].firstAt = .now }
            hosts[asked.host] = state
        }
        bulletin.announce(Self.key(of: asked.host))
    }
}
