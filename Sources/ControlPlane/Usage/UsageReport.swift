public import Blocks

/// What was used, and what it costs.
public struct UsageReport: Codable, Equatable, Sendable {
    /// Whose it is.
    public var accountId: String
    /// From the beginning of this hour.
    public var from: WallTime
    /// Up to the beginning of this one.
    public var to: WallTime
    /// Up to where anything is known.
    public var meteredTo: WallTime
    /// What it is summed up by.
    public var by: UsageBy
    /// In which money; absent: there are no prices.
    public var currency: String?
    /// By region or day, then snapshots or volumes, then type.
    public var rows: [UsageRow]
    /// All rows together; absent where nothing has a price.
    public var cost: Double?
}

/// What usage is summed up by.
public enum UsageBy: String, Codable, Sendable, CaseIterable {
    /// Each volume with the snapshots taken of it.
    case volume
    /// Each snapshot.
    case snapshot
    /// Every region of the server.
    case region
    /// Each day, of UTC.
    case day
}

/// One line of it.
public struct UsageRow: Codable, Equatable, Sendable {
    /// What takes space.
    public enum Kind: String, Codable, Sendable, CaseIterable {
        /// What snapshots added to the store.
        case snapshot
        /// What volumes are provisioned with.
        case volume
    }

    /// A volume's or snapshot's id, a region's name, or a day; `earlier` for all of what is so long ago that only days are known.
    public var key: String
    /// What takes space.
    public var kind: Kind
    /// The kind of volume; `standard` of snapshots.
    public var type: String
    /// Bytes times hours.
    public var byteHours: Double
    /// The same in GiB-months, of 730 hours.
    public var gibMonths: Double
    /// What it costs; absent: it has no price.
    public var cost: Double?
}
