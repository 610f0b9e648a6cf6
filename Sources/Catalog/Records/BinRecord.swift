public import Blocks

/// That something is in the bin: its owner deleted it, and it is kept all the same.
public struct BinStay: Equatable, Sendable {
    /// When it was deleted.
    public var since: WallTime
    /// When it goes for good.
    public var until: WallTime

    /// Makes one.
    public init(since: WallTime, until: WallTime) {
        self.since = since
        self.until = until
    }

    /// Nil for a row of what is not in the bin.
    init?(_ row: SQLRow) throws(CatalogFailure) {
        guard let since = try row.optionalTime("bin_since"), let until = try row.optionalTime("bin_until") else {
            return nil
        }
        self.init(since: since, until: until)
    }
}

/// That what an account deletes is kept for some days.
public struct BinRuleRecord: Equatable, Sendable {
    /// What it is about.
    public enum Kind: String, Sendable, CaseIterable { case snapshot, volume, image }

    /// What something has, or has not.
    public struct Tag: Equatable, Sendable {
        /// The tag's key.
        public var key: String
        /// The tag's value; nil: any.
        public var value: String?

        /// Makes one.
        public init(key: String, value: String?) {
            self.key = key
            self.value = value
        }
    }

    /// Eleven letters and digits.
    public var id: String
    /// Whose it is, for good.
    public var account: String
    /// What it is about, for good.
    public var kind: Kind
    /// For how many days what is deleted is kept.
    public var days: Int
    /// Its owner's words on it.
    public var description: String?
    /// It holds for what has one of these; empty: for everything.
    public var tags: [Tag] = []
    /// It does not hold for what has one of these.
    public var excluded: [Tag] = []
    /// It is locked, and so many days pass from its unlocking until it can be changed; nil: it was never locked.
    public var unlockDays: Int?
    /// It is being unlocked, and is unlocked from then on.
    public var unlocksAt: WallTime?
    /// When it was made.
    public var createdAt: WallTime

    /// Makes one.
    public init(id: String, account: String, kind: Kind, days: Int, createdAt: WallTime) {
        self.id = id
        self.account = account
        self.kind = kind
        self.days = days
        self.createdAt = createdAt
    }

    /// Without its tags.
    init(_ row: SQLRow) throws(CatalogFailure) {
        id = try row.text("id")
        account = try row.text("account_id")
        kind = try row.word("kind", as: Kind.self)
        days = try row.integer("days")
        description = try row.optionalText("description")
        unlockDays = try row.optionalInteger("unlock_days")
        unlocksAt = try row.optionalTime("unlocks_at")
        createdAt = try row.time("created_at")
    }
}

/// One thing in the bin, for whoever empties it.
public struct BinnedObject: Equatable, Sendable {
    /// What it is.
    public var kind: BinRuleRecord.Kind
    /// The snapshot, volume or image.
    public var id: String
    /// When it goes for good.
    public var until: WallTime

    init(_ row: SQLRow) throws(CatalogFailure) {
        kind = try row.word("kind", as: BinRuleRecord.Kind.self)
        id = try row.text("id")
        until = try row.time("bin_until")
    }
}
