public import Blocks

/// That somebody changed something, or wanted to.
public struct EventRecord: Equatable, Sendable {
    /// What ``outcome`` is when it was done.
    public static let ok = "ok"

    /// Its place in the order; given by the catalog.
    public var number = 0
    /// When it was over.
    public var at: WallTime
    /// In whose name.
    public var account: String
    /// Who it was within the account; `varve` for the server itself.
    public var principal: String
    /// The key that the request was signed with.
    public var accessKey: String?
    /// What, in the house's words: `snapshot.create`.
    public var verb: String
    /// What, in the words of the door.
    public var action: String?
    /// Which way it came in.
    public var door: String
    /// The client's address.
    public var address: String?
    /// What client and log have of the request.
    public var requestID: String?
    /// Of what the server does by itself: whose order that was.
    public var cause: String?
    /// Why it was not done; ``ok``: it was.
    public var outcome: String
    /// How many refusals of this account went unrecorded before it.
    public var unrecorded = 0
    /// The objects that it was about, in order.
    public var subjects: [String] = []

    /// Makes one of something that was done.
    public init(at: WallTime, account: String, principal: String, verb: String, door: String) {
        self.at = at
        self.account = account
        self.principal = principal
        self.verb = verb
        self.door = door
        outcome = Self.ok
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        number = try row.integer("number")
        at = try row.time("at")
        account = try row.text("account_id")
        principal = try row.text("principal")
        accessKey = try row.optionalText("access_key")
        verb = try row.text("verb")
        action = try row.optionalText("action")
        door = try row.text("door")
        address = try row.optionalText("address")
        requestID = try row.optionalText("request_id")
        cause = try row.optionalText("cause")
        outcome = try row.text("outcome")
        unrecorded = try row.integer("unrecorded")
    }
}

/// Which events are asked for; nil: all, as far as this goes.
public struct EventSelection: Sendable {
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
    public var limit: Int

    /// All of them.
    public init(limit: Int) { self.limit = limit }
}
