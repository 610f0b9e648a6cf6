/// What a policy takes snapshots of, when, and how long it keeps them. The JSON of the native API has exactly these names.
public struct PolicyPlan: Codable, Equatable, Sendable {
    /// A tag by which targets are found.
    public struct Tag: Codable, Hashable, Sendable {
        /// Case counts.
        public var key: String
        /// Case counts.
        public var value: String
        /// Makes one.
        public init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }

    /// What it takes snapshots of.
    public struct Targets: Codable, Equatable, Sendable {
        /// Volumes one by one, or the volumes of an instance at one instant.
        public enum Kind: String, Codable, Sendable, CaseIterable { case volumes, instances }

        /// What has the tags.
        public var kind: Kind
        /// Any of these is enough.
        public var tags: [Tag]
        /// Besides, these by id.
        public var ids: [String]
        /// Of instances: not the one that they start from.
        public var excludesBootVolume: Bool
        /// Of instances: no volume, but the one they start from, that has any of these.
        public var excludedTags: [Tag]
        /// Instead of tags and ids: whatever lacks a recent backup.
        public var lacking: Lacking?
        /// May there be none, since volumes are put under the policy one by one, and taken from it?
        public var mayBeNone = false

        /// Makes them.
        public init(_ kind: Kind, tags: [Tag] = [], ids: [String] = []) {
            self.kind = kind
            self.tags = tags
            self.ids = ids
            excludesBootVolume = false
            excludedTags = []
        }

        /// Reads what is there; the rest is as ``init(_:tags:ids:)`` has it.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            kind = try fields.decodeIfPresent(Kind.self, forKey: .kind) ?? .volumes
            tags = try fields.decodeIfPresent([Tag].self, forKey: .tags) ?? []
            ids = try fields.decodeIfPresent([String].self, forKey: .ids) ?? []
            excludesBootVolume = try fields.decodeIfPresent(Bool.self, forKey: .excludesBootVolume) ?? false
            excludedTags = try fields.decodeIfPresent([Tag].self, forKey: .excludedTags) ?? []
            lacking = try fields.decodeIfPresent(Lacking.self, forKey: .lacking)
            mayBeNone = try fields.decodeIfPresent(Bool.self, forKey: .mayBeNone) ?? false
        }
    }

    /// A copy of each snapshot in another region.
    public struct Copy: Codable, Equatable, Sendable {
        /// Another region of the server.
        public var region: String
        /// How long it is kept there; its age counts from the copy's beginning.
        public var retention: Retention
        /// Encrypt what is not encrypted? What is, stays so.
        public var isEncrypted: Bool
        /// With this wrapping key, if at all; nil: the account's or the region's own.
        public var keyId: String?
        /// Does it get the snapshot's tags?
        public var copiesTags: Bool
        /// Of an image: at which age it is deprecated; nil: never.
        public var deprecation: Retention?

        /// Makes one.
        public init(
            to region: String, keeping retention: Retention, isEncrypted: Bool = false, keyId: String? = nil,
            copiesTags: Bool = false
        ) {
            self.region = region
            self.retention = retention
            self.isEncrypted = isEncrypted
            self.keyId = keyId
            self.copiesTags = copiesTags
        }

        /// Reads what is there; the rest is as the other initialiser has it.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            region = try fields.decode(String.self, forKey: .region)
            retention = try fields.decodeIfPresent(Retention.self, forKey: .retention) ?? .forever
            isEncrypted = try fields.decodeIfPresent(Bool.self, forKey: .isEncrypted) ?? false
            keyId = try fields.decodeIfPresent(String.self, forKey: .keyId)
            copiesTags = try fields.decodeIfPresent(Bool.self, forKey: .copiesTags) ?? false
            deprecation = try fields.decodeIfPresent(Retention.self, forKey: .deprecation)
        }
    }

    /// When, and how long what was taken then is kept.
    public struct Schedule: Codable, Equatable, Sendable {
        /// Its own within the policy.
        public var name: String
        /// When.
        public var when: Recurrence
        /// How long.
        public var retention: Retention
        /// Of each snapshot.
        public var tags: [String: String]
        /// Does a snapshot get its volume's tags?
        public var copiesTags: Bool
        /// Where it is copied to.
        public var copies: [Copy]
        /// Of instances: tags whose values the run has.
        public var variableTags: [String: VariableTag] = [:]
        /// Of snapshots: with whom they are shared; nil: with nobody.
        public var sharing: Sharing?
        /// Of snapshots: where they are restored fast; nil: nowhere.
        public var fastRestore: FastRestore?
        /// Of volumes: what its retention lets go goes into the archive first, and is kept so long or so many there; nil: it goes.
        public var archive: Retention?
        /// Of snapshots: how hosts come to rest while they are cut; nil: they do not.
        public var quiesce: Quiesce?
        /// Of images: how many of the newest are not deprecated, or until which age; nil: none is.
        public var deprecation: Retention?
        /// Of volumes: are its snapshots told to be available from their cut on?
        public var hasInstantAccess = false

        /// Makes one.
        public init(
            _ name: String, _ when: Recurrence, keeping retention: Retention, tags: [String: String] = [:],
            copiesTags: Bool = false, copies: [Copy] = []
        ) {
            self.name = name
            self.when = when
            self.retention = retention
            self.tags = tags
            self.copiesTags = copiesTags
            self.copies = copies
        }

        /// Reads what is there; the rest is as the other initialiser has it.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            name = try fields.decode(String.self, forKey: .name)
            when = try fields.decode(Recurrence.self, forKey: .when)
            retention = try fields.decodeIfPresent(Retention.self, forKey: .retention) ?? .forever
            tags = try fields.decodeIfPresent([String: String].self, forKey: .tags) ?? [:]
            copiesTags = try fields.decodeIfPresent(Bool.self, forKey: .copiesTags) ?? false
            copies = try fields.decodeIfPresent([Copy].self, forKey: .copies) ?? []
            variableTags = try fields.decodeIfPresent([String: VariableTag].self, forKey: .variableTags) ?? [:]
            sharing = try fields.decodeIfPresent(Sharing.self, forKey: .sharing)
            fastRestore = try fields.decodeIfPresent(FastRestore.self, forKey: .fastRestore)
            archive = try fields.decodeIfPresent(Retention.self, forKey: .archive)
            deprecation = try fields.decodeIfPresent(Retention.self, forKey: .deprecation)
            hasInstantAccess = try fields.decodeIfPresent(Bool.self, forKey: .hasInstantAccess) ?? false
            quiesce = try fields.decodeIfPresent(Quiesce.self, forKey: .quiesce)
        }
    }

    /// Its owner's name for it, or nil.
    public var name: String?
    /// Its owner's words on it, or nil.
    public var description: String?
    /// Of what.
    public var targets: Targets
    /// When, and how long what was taken is kept.
    public var schedules: [Schedule]
    /// What a run makes.
    public var product = Product.snapshots
    /// Copies what others share, and takes nothing; nil: it has targets and schedules.
    public var reaction: Reaction?
    /// Does what it took go when its time is over, even if the policy is paused or deleted, and the last of a target that is gone?
    /// Only where all retention is by age.
    public var letsAllGo = false
    /// What the names of its snapshots begin with, before the time by the clock of its first schedule; nil: `auto`, and the time in
    /// UTC in another form.
    public var naming: String?
    /// What a dialect keeps with it for its own answers; nothing here depends on it.
    public var keepsakes: [String: String]?

    /// Makes one.
    public init(name: String? = nil, description: String? = nil, targets: Targets, schedules: [Schedule]) {
        self.name = name
        self.description = description
        self.targets = targets
        self.schedules = schedules
    }

    /// One that copies what others share.
    public init(name: String? = nil, description: String? = nil, reaction: Reaction) {
        self.init(name: name, description: description, targets: Targets(.volumes), schedules: [])
        self.reaction = reaction
    }

    /// Reads what is there; the rest is as the other initialisers have it.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        name = try fields.decodeIfPresent(String.self, forKey: .name)
        description = try fields.decodeIfPresent(String.self, forKey: .description)
        reaction = try fields.decodeIfPresent(Reaction.self, forKey: .reaction)
        if reaction == nil {
            targets = try fields.decode(Targets.self, forKey: .targets)
            schedules = try fields.decode([Schedule].self, forKey: .schedules)
        } else {
            targets = try fields.decodeIfPresent(Targets.self, forKey: .targets) ?? Targets(.volumes)
            schedules = try fields.decodeIfPresent([Schedule].self, forKey: .schedules) ?? []
        }
        product = try fields.decodeIfPresent(Product.self, forKey: .product) ?? .snapshots
        letsAllGo = try fields.decodeIfPresent(Bool.self, forKey: .letsAllGo) ?? false
        naming = try fields.decodeIfPresent(String.self, forKey: .naming)
        keepsakes = try fields.decodeIfPresent([String: String].self, forKey: .keepsakes)
    }
}
