public import Blocks
internal import Catalog

/// That somebody changed something, or wanted to.
public struct EventView: Codable, Equatable, Sendable {
    /// Its place in the order of its region; what ``EventFilter/before`` takes.
    public var number: Int
    /// When it was over.
    public var at: WallTime
    /// In whose name.
    public var accountId: String
    /// Who it was within the account; `varve` for what the server did by itself.
    public var principal: String
    /// The key that the request was signed with.
    public var accessKeyId: String?
    /// What, in the house's words: `snapshot.create`.
    public var verb: String
    /// What, in the words of the door: `CreateSnapshot`, `POST /snapshots`.
    public var action: String?
    /// Which way it came in: `native`, `ec2`, `rbin`, `dlm`; `house`: by itself.
    public var door: String
    /// The client's address.
    public var address: String?
    /// What client and log have of the request.
    public var requestId: String?
    /// Of what the server does by itself: the policy's id, `bin` or `fast-restore`.
    public var cause: String?
    /// `ok`, or the code that the client got.
    public var outcome: String
    /// How many refusals of this account were not recorded before it; absent: none.
    public var unrecorded: Int?
    /// The objects that it was about: named, or made.
    public var subjects: [String]
}

/// Which events are asked for.
public struct EventFilter: Sendable {
    /// Most that can be had at once.
    public static let limitMax = 1000

    /// From then on.
    public var since: WallTime?
    /// Before then.
    public var until: WallTime?
    /// About this object.
    public var subject: String?
    /// Only what was refused.
    public var onlyFailed = false
    /// Only those before this number.
    public var before: Int?
    /// So many at most.
    public var limit = 100
    /// Another account's, for whoever runs the house.
    public var account: String?

    /// The latest.
    public init() {}
}

/// The verbs on events. Every error is a ``ServiceError``.
public struct EventService: Sendable {
    let house: Household
    let caller: Caller

    init(_ house: Household, _ caller: Caller) {
        self.house = house
        self.caller = caller
    }

    /// An account's events in this region, newest first: one's own, or any account's for whoever runs the house.
    public func list(_ filter: EventFilter = EventFilter()) async throws -> [EventView] {
        try await ServiceError.about(.house) {
            guard (1...EventFilter.limitMax).contains(filter.limit) else {
                throw ServiceError(
                    .invalid, .house, "the limit is \(filter.limit): 1 to \(EventFilter.limitMax) are allowed")
            }
            // Also of one that was deleted: what it did stays to be read.
            let account = filter.account ?? caller.account
            guard account == caller.account || caller.mayRunHouse else {
                throw ServiceError(.missing, .account, "there is no account \(account.quotable)")
            }
            var wanted = EventSelection(limit: filter.limit)
            wanted.since = filter.since
            wanted.until = filter.until
            wanted.subject = filter.subject
            wanted.onlyFailed = filter.onlyFailed
            wanted.before = filter.before
            let selection = wanted
            return try await house.catalog.change { try $0.events(of: account, selection) }.map(EventView.init)
        }
    }
}

extension EventView {
    init(_ record: EventRecord) {
        self.init(
            number: record.number, at: record.at, accountId: record.account, principal: record.principal,
            accessKeyId: record.accessKey, verb: record.verb, action: record.action, door: record.door,
            address: record.address, requestId: record.requestID, cause: record.cause, outcome: record.outcome,
            unrecorded: record.unrecorded == 0 ? nil : record.unrecorded, subjects: record.subjects)
    }
}
