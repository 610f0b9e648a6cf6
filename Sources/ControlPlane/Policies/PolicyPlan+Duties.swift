/// What a plan says besides targets, times and retention.
extension PolicyPlan {
    /// What a run makes.
    public enum Product: String, Codable, Sendable, CaseIterable {
        /// Snapshots of volumes.
        case snapshots
        /// An image of each instance.
        case images
    }

    /// With whom what a schedule took is shared.
    public struct Sharing: Codable, Equatable, Sendable {
        /// Accounts, by their twelve digits.
        public var accounts: [String]
        /// How long from the snapshot's instant on: an age, or for ever.
        public var retention: Retention

        /// Makes one.
        public init(with accounts: [String], keeping retention: Retention = .forever) {
            self.accounts = accounts
            self.retention = retention
        }

        /// Reads what is there; the rest is as the other initialiser has it.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            accounts = try fields.decode([String].self, forKey: .accounts)
            retention = try fields.decodeIfPresent(Retention.self, forKey: .retention) ?? .forever
        }
    }

    /// Where what a schedule took is restored fast.
    public struct FastRestore: Codable, Equatable, Sendable {
        /// Zones, by names or ids.
        public var zones: [String]
        /// Of how many of the newest of each volume, or until which age.
        public var retention: Retention

        /// Makes one.
        public init(in zones: [String], keeping retention: Retention) {
            self.zones = zones
            self.retention = retention
        }
    }

    /// A tag's value that is known when the run is.
    public enum VariableTag: String, Codable, Sendable, CaseIterable {
        /// The instance's id.
        case instance = "instance-id"
        /// When the run was due.
        case time = "timestamp"
    }

    /// Targets that have no recent backup, whoever made those they have.
    public struct Lacking: Codable, Equatable, Sendable {
        /// How old a recent one is at most.
        public var days: Int
        /// Of volumes: not those that instances start from.
        public var excludesBootVolumes: Bool
        /// Of volumes: none of these kinds.
        public var excludedKinds: [String]
        /// None that has any of these.
        public var excludedTags: [Tag]

        /// Makes one.
        public init(
            days: Int, excludesBootVolumes: Bool = false, excludedKinds: [String] = [], excludedTags: [Tag] = []
        ) {
            self.days = days
            self.excludesBootVolumes = excludesBootVolumes
            self.excludedKinds = excludedKinds
            self.excludedTags = excludedTags
        }

        /// Reads what is there; the rest is as the other initialiser has it.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            days = try fields.decode(Int.self, forKey: .days)
            excludesBootVolumes = try fields.decodeIfPresent(Bool.self, forKey: .excludesBootVolumes) ?? false
            excludedKinds = try fields.decodeIfPresent([String].self, forKey: .excludedKinds) ?? []
            excludedTags = try fields.decodeIfPresent([Tag].self, forKey: .excludedTags) ?? []
        }
    }

    /// Copies of what others share with the account, instead of targets and schedules.
    public struct Reaction: Codable, Equatable, Sendable {
        /// The accounts whose snapshots are meant.
        public var owners: [String]
        /// A regular expression that is found in the snapshots' descriptions (``Pattern``).
        public var description: String
        /// Where they are copied to; the policy's own region is one.
        public var copies: [Copy]

        /// Makes one.
        public init(to owners: [String], describedBy pattern: String, copies: [Copy]) {
            self.owners = owners
            description = pattern
            self.copies = copies
        }
    }
}
