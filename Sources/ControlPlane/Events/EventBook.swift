internal import Blocks
internal import Catalog

/// Writes events, and bounds how many there are.
///
/// A request's event is written when the request is over and before it is answered, in a transaction of its own, right after the
/// verb's: a kill between the two loses the event of something whose client never got an answer, and nothing else. What the server
/// does by itself is written in the transaction that does it, where there is one at hand.
///
/// What was done is always written. Of refusals an account gets so many a minute; how many more there were is in its next event.
/// Old ones go by age, and each account's by count, so that one's diligence pushes nobody else's out; once an hour.
final class EventBook: Sendable {
    private struct Refusals {
        var minute: Int64
        var count = 0
        var unrecorded = 0
    }
    /// By account: as many as there are accounts.
    private let refusals = Guarded<[String: Refusals]>([:])
    private let refusalsPerMinute: Int
    /// Of one account.
    static let countMax = 100_000
    /// How many one transaction forgets.
    fileprivate static let forgottenAtOnce = 1000

    init(refusalsPerMinute: Int) { self.refusalsPerMinute = refusalsPerMinute }

    /// How many refusals of the account went unrecorded so far; nil: this one goes so as well.
    func admit(isRefusal: Bool, of account: String, at time: WallTime) -> Int? {
        refusals.withLock { all in
            var own = all[account] ?? Refusals(minute: 0)
            defer { all[account] = own.count == 0 && own.unrecorded == 0 ? nil : own }
            let minute = time.milliseconds / 60_000
            if own.minute != minute {
                own.minute = minute
                own.count = 0
            }
            if isRefusal {
                guard own.count < refusalsPerMinute else {
                    own.unrecorded += 1
                    return nil
                }
                own.count += 1
            }
            defer { own.unrecorded = 0 }
            return own.unrecorded
        }
    }
}

extension EventRecord {
    /// Of what the server does by itself.
    ///
    /// - Parameters:
    ///   - cause: whose order it is: a policy's id, `bin`, `release` or `fast-restore`.
    ///   - account: whose object it is.
    static func own(
        _ verb: String, _ subjects: [String], because cause: String, of account: String, at time: WallTime
    ) -> EventRecord {
        var event = EventRecord(at: time, account: account, principal: "varve", verb: verb, door: "house")
        event.cause = cause
        event.subjects = subjects
        return event
    }
}

extension House {
    /// Runs what answers a request that came in by a door, and writes what came of it as an event, if it was to change anything.
    ///
    /// - Parameter door: which one; what is asked for ``Deed/name(_:isChange:)`` says, once it is found.
    public func recording<R: Sendable>(
        at door: String, for caller: Caller, in region: String?, _ body: () async -> R
    ) async -> R {
        let deed = Deed()
        let answer = await Deed.$current.withValue(deed) { await body() }
        if let done = deed.end() { await place(of: region).write(done, at: door, for: caller) }
        return answer
    }
}

extension Household {
    /// Forgets what is too old, and what is too much, in short transactions.
    func forgetOldEvents() async throws {
        let oldest = clock.now() + (.zero - eventsKept), limit = EventBook.forgottenAtOnce
        while !Task.isCancelled,
            try await catalog.change({ try $0.deleteEvents(before: oldest, limit: limit) }) == limit
        {}
        for account in try await catalog.change({ try $0.accountsWithEvents() }) {
            while !Task.isCancelled,
                try await catalog.change({
                    try $0.deleteEvents(of: account, allBut: EventBook.countMax, limit: limit)
                }) == limit
            {}
        }
    }

    fileprivate func write(_ deed: Deed.Outcome, at door: String, for caller: Caller) async {
        let now = clock.now()
        guard let unrecorded = events.admit(isRefusal: deed.failure != nil, of: caller.account, at: now) else { return }
        let origin = RequestOrigin.current
        var event = EventRecord(
            at: now, account: caller.account, principal: caller.principal, verb: deed.verb, door: door)
        event.accessKey = origin.accessKey
        event.action = deed.action
        event.address = origin.address
        event.requestID = deed.requestID ?? origin.requestID
        event.outcome = deed.failure ?? EventRecord.ok
        event.unrecorded = unrecorded
        event.subjects = deed.subjects
        let record = event
        do { try await catalog.change { try $0.insert(record) } } catch {
            notify(.unrecorded(record.verb, record.account, "\(error)"))
        }
    }
}
