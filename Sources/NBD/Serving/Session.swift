internal import Blocks
internal import Synchronization

/// One connection, as the rest of the server sees it.
final class Session: Sendable {
    /// The bare connection, under whatever makes it secure.
    let stream: any ByteStream
    private let stopping = Atomic(false)
    let traffic = Traffic()

    init(_ stream: any ByteStream) { self.stream = stream }

    /// Has it been told to end?
    var isStopping: Bool { stopping.load(ordering: .acquiring) }

    /// Tells it to finish what is in flight, refuse what comes, and close.
    func stop() {
        stopping.store(true, ordering: .releasing)
        stream.shutdownReceiving()
    }
}

/// Which sessions there are, and which exports each may be using.
///
/// A session claims a name *before* it asks the table for the export. So a name that the table stopped answering for
/// is either claimed by every session that got the export, or asked for too late to get it.
final class SessionRegistry: Sendable {
    private struct State {
        var claims: [ObjectIdentifier: (session: Session, names: Set<String>)] = [:]
        var isStopped = false
        /// Of sessions that have ended, by export.
        var past: [String: TrafficCounts] = [:]
    }
    private let state = Guarded(State())

    /// Enters a session. False when the server is stopping or has `limit` sessions already.
    func enter(_ session: Session, limit: Int) -> Bool {
        state.change { state in
            guard !state.isStopped, state.claims.count < limit else { return false }
            state.claims[ObjectIdentifier(session)] = (session, [])
            return true
        }
    }

    func leave(_ session: Session) {
        state.change { state in
            let entry = state.claims.removeValue(forKey: ObjectIdentifier(session))
            // One that settled has one name; one that did not has had no traffic.
            guard let names = entry?.names, names.count == 1, let name = names.first else { return }
            session.traffic.add(to: &state.past[name, default: TrafficCounts()])
        }
    }

    /// The session may use the export of that name from now on.
    func claim(_ name: String, for session: Session) {
        state.change { _ = $0.claims[ObjectIdentifier(session)]?.names.insert(name) }
    }

    /// The session uses this export and no other.
    func settle(_ name: String, for session: Session) {
        state.change { $0.claims[ObjectIdentifier(session)]?.names = [name] }
    }

    /// What was asked of each export that has, or had, sessions.
    var traffic: [String: TrafficCounts] {
        state.withLock { state in
            var all = state.past
            for (session, names) in state.claims.values where names.count == 1 {
                guard let name = names.first else { continue }
                all[name, default: TrafficCounts()].connections += 1
                session.traffic.add(to: &all[name, default: TrafficCounts()])
            }
            return all
        }
    }

    /// The export is gone: nobody asks for its counts any more.
    func forget(_ name: String) { state.change { $0.past[name] = nil } }

    func count(of name: String) -> Int {
        state.withLock { state in state.claims.values.count { $0.names.contains(name) } }
    }

    /// Ends the sessions that claim `name`; all of them, and all to come, when it is nil. Blocks until they are gone.
    func stop(_ name: String?, within limit: Duration) {
        let sessions = state.change { state in
            if name == nil { state.isStopped = true }
            return state.claims.values.filter { entry in name.map(entry.names.contains) ?? true }.map(\.session)
        }
        for session in sessions { session.stop() }
        let leftInTime: Void? = state.wait(atMost: limit) { Self.areGone(sessions, in: $0) ? () : nil }
        if leftInTime == nil {
            for session in sessions { session.stream.shutdown() }
            state.wait { Self.areGone(sessions, in: $0) ? () : nil }
        }
    }

    private static func areGone(_ sessions: [Session], in state: State) -> Bool {
        sessions.allSatisfy { state.claims[ObjectIdentifier($0)] == nil }
    }
}
