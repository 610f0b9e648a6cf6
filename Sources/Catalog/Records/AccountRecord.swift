public import Blocks

/// Whose things are kept apart from everyone else's.
public struct AccountRecord: Equatable, Sendable {
    /// The account that every house begins with.
    public static let first = "100000000000"

    /// Twelve digits.
    public var id: String
    /// Its name, which no other account has.
    public var name: String
    /// When it was made.
    public var createdAt: WallTime

    /// Makes one.
    public init(id: String, name: String, createdAt: WallTime) {
        self.id = id
        self.name = name
        self.createdAt = createdAt
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        id = try row.text("id")
        name = try row.text("name")
        createdAt = try row.time("created_at")
    }
}

/// What one of an account's people or programs signs its requests with.
public struct AccessKeyRecord: Equatable, Sendable {
    /// What its holder may do.
    public enum Role: String, Sendable, CaseIterable {
        /// Everything in the account, its keys among it.
        case administrator
        /// Everything but keys and accounts.
        case `operator`
        /// Looking.
        case reader
    }

    /// The public half: 20 characters.
    public var id: String
    /// The account it belongs to.
    public var account: String
    /// Who holds it, as its administrator named them.
    public var principal: String
    /// What its holder may do.
    public var role: Role
    /// The secret half, needed in plain to check a signature: encrypted with a key that is not in the catalog, in hexadecimal.
    public var sealedSecret: String
    /// Is it accepted?
    public var isActive: Bool
    /// When it was made.
    public var createdAt: WallTime

    /// Makes an active one.
    public init(
        id: String, account: String, principal: String, role: Role, sealedSecret: String, createdAt: WallTime
    ) {
        self.id = id
        self.account = account
        self.principal = principal
        self.role = role
        self.sealedSecret = sealedSecret
        self.createdAt = createdAt
        isActive = true
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        id = try row.text("id")
        account = try row.text("account_id")
        principal = try row.text("principal")
        role = try row.word("role", as: Role.self)
        sealedSecret = try row.text("sealed_secret")
        isActive = try row.integer("is_active") != 0
        createdAt = try row.time("created_at")
    }
}
