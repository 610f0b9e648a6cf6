public import Blocks

/// An account as its administrator sees it. The JSON of the native API has exactly these names.
public struct AccountView: Codable, Equatable, Sendable {
    /// Twelve digits.
    public var id: String
    /// Its name, which no other account has.
    public var name: String
    /// When it was made; nil for the one that every house begins with.
    public var createdAt: WallTime?

    /// Makes one.
    public init(id: String, name: String, createdAt: WallTime?) {
        self.id = id
        self.name = name
        self.createdAt = createdAt
    }
}

/// An access key as its administrator sees it. The JSON of the native API has exactly these names.
public struct AccessKeyView: Codable, Equatable, Sendable {
    /// The public half.
    public var id: String
    /// The account it belongs to.
    public var accountId: String
    /// Who holds it.
    public var principal: String
    /// What its holder may do.
    public var role: Caller.Role
    /// Is it accepted?
    public var isActive: Bool
    /// When it was made.
    public var createdAt: WallTime
    /// The secret half, when the key was just made and never again.
    public var secretAccessKey: String?

    /// Makes one.
    public init(
        id: String, accountId: String, principal: String, role: Caller.Role, isActive: Bool, createdAt: WallTime
    ) {
        self.id = id
        self.accountId = accountId
        self.principal = principal
        self.role = role
        self.isActive = isActive
        self.createdAt = createdAt
    }
}
