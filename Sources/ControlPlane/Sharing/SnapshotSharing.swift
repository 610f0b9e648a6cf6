/// Who besides its owner may use a snapshot. The JSON of the native API has exactly these names.
public struct SnapshotSharing: Codable, Equatable, Sendable {
    /// May everybody?
    public var isPublic: Bool
    /// Accounts that may, by their twelve digits, in order.
    public var accounts: [String]

    /// Makes one.
    public init(isPublic: Bool = false, accounts: [String] = []) {
        self.isPublic = isPublic
        self.accounts = accounts
    }
}

/// How a snapshot's sharing is to change.
public struct SharingChange: Equatable, Sendable {
    /// Accounts that may use it from now on. The owner's own is no change.
    public var adding: [String] = []
    /// Accounts that may not any more.
    public var removing: [String] = []
    /// May everybody? Nil: as before.
    public var isPublic: Bool?

    /// Makes one.
    public init(adding: [String] = [], removing: [String] = [], isPublic: Bool? = nil) {
        self.adding = adding
        self.removing = removing
        self.isPublic = isPublic
    }
}

/// Whether an account's snapshots can be everybody's.
public enum PublicAccess: String, Codable, Sendable, CaseIterable {
    /// They can.
    case unblocked
    /// No more of them; those that are stay so.
    case blockNewSharing = "block-new-sharing"
    /// None: those that are public are hidden until this is taken back.
    case blockAllSharing = "block-all-sharing"
}
