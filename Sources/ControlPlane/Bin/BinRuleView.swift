public import Blocks
internal import Catalog

/// What some of an account's things are kept by, after they were deleted. The JSON of the native API has exactly these names.
public struct BinRuleView: Codable, Equatable, Sendable {
    /// What a rule is about.
    public enum ResourceType: String, Codable, Sendable, CaseIterable {
        case snapshot, volume, image
    }
    /// Can it be changed?
    public enum LockState: String, Codable, Sendable, CaseIterable {
        /// No.
        case locked
        /// Not yet: it is being unlocked.
        case pendingUnlock = "pending-unlock"
        /// Yes.
        case unlocked
    }

    /// Eleven letters and digits.
    public var id: String
    /// What it is about, for good.
    public var resourceType: ResourceType
    /// For how many days what is deleted is kept.
    public var days: Int
    /// Its owner's words on it, or nil.
    public var description: String?
    /// It holds for what has at least one of these tags; empty: for everything of its type.
    public var resourceTags: [BinTag]
    /// It does not hold for what has one of these.
    public var excludeTags: [BinTag]
    /// Can it be changed?
    public var lockState: LockState
    /// How many days pass from its unlocking until it can be changed; nil: it was never locked.
    public var unlockDelayDays: Int?
    /// Since it is being unlocked: when it is.
    public var unlocksAt: WallTime?
    /// Its own tags by key; nil without any.
    public var tags: [String: String]?
    /// When it was made.
    public var createdAt: WallTime
}

/// What a rule looks for on things.
public struct BinTag: Codable, Equatable, Hashable, Sendable {
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

/// A rule that is asked for.
public struct NewBinRule: Sendable {
    /// What it is about.
    public var resourceType: BinRuleView.ResourceType
    /// For how many days what is deleted is kept, 1 to 3650.
    public var days: Int
    /// At most 255 characters, or nil.
    public var description: String?
    /// It holds for what has one of these, at most 50; empty: for everything of its type.
    public var resourceTags: [BinTag] = []
    /// It does not hold for what has one of these, at most 5; only for one that holds for everything.
    public var excludeTags: [BinTag] = []
    /// Its own tags.
    public var tags: [String: String] = [:]
    /// Locks it at once, so that 7 to 30 days pass from its unlocking until it can be changed; nil: it is not locked.
    public var unlockDelayDays: Int?

    /// Makes a request.
    public init(resourceType: BinRuleView.ResourceType, days: Int) {
        self.resourceType = resourceType
        self.days = days
    }
}

/// How a rule is to change; nil leaves as it is.
public struct BinRuleChange: Sendable, Equatable {
    /// See ``NewBinRule/days``.
    public var days: Int?
    /// See ``NewBinRule/description``; empty takes it away.
    public var description: String?
    /// See ``NewBinRule/resourceTags``.
    public var resourceTags: [BinTag]?
    /// See ``NewBinRule/excludeTags``.
    public var excludeTags: [BinTag]?

    /// Makes a request that changes nothing.
    public init() {}
}

extension BinRuleRecord {
    /// Can it be changed, at a time?
    func lockState(at now: WallTime) -> BinRuleView.LockState {
        guard unlockDays != nil else { return .unlocked }
        guard let unlocksAt else { return .locked }
        return now < unlocksAt ? .pendingUnlock : .unlocked
    }
}

extension BinRuleView {
    init(_ record: BinRuleRecord, tags: [String: String], at now: WallTime) {
        let type: ResourceType =
            switch record.kind {
            case .snapshot: .snapshot
            case .volume: .volume
            case .image: .image
            }
        self.init(
            id: record.id, resourceType: type, days: record.days, description: record.description,
            resourceTags: record.tags.map { BinTag(key: $0.key, value: $0.value) },
            excludeTags: record.excluded.map { BinTag(key: $0.key, value: $0.value) },
            lockState: record.lockState(at: now), unlockDelayDays: record.unlockDays, unlocksAt: nil,
            tags: tags.isEmpty ? nil : tags, createdAt: record.createdAt)
        if lockState == .pendingUnlock { unlocksAt = record.unlocksAt }
    }
}

extension BinRuleView.ResourceType {
    var recorded: BinRuleRecord.Kind {
        switch self {
        case .snapshot: .snapshot
        case .volume: .volume
        case .image: .image
        }
    }
}
