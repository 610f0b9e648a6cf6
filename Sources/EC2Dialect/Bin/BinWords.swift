internal import Blocks
internal import ControlPlane
internal import FoundationEssentials

/// The JSON of the Recycle Bin. Its names begin with a capital, which ``DirectRequest/document(_:)`` and ``DirectAnswer/json(_:status:)`` see to.
enum BinWords {
    struct Period: Codable {
        var retentionPeriodValue: Int
        var retentionPeriodUnit: String

        init(days: Int) {
            retentionPeriodValue = days
            retentionPeriodUnit = "DAYS"
        }
        func days() throws -> Int { try BinWords.days(retentionPeriodValue, retentionPeriodUnit) }
    }
    struct Delay: Codable {
        var unlockDelayValue: Int
        var unlockDelayUnit: String
    }
    struct LockConfiguration: Codable {
        var unlockDelay: Delay

        init(days: Int) { unlockDelay = Delay(unlockDelayValue: days, unlockDelayUnit: "DAYS") }
        func days() throws -> Int { try BinWords.days(unlockDelay.unlockDelayValue, unlockDelay.unlockDelayUnit) }
    }
    struct ResourceTag: Codable {
        var resourceTagKey: String
        var resourceTagValue: String?

        init(_ tag: BinTag) {
            resourceTagKey = tag.key
            resourceTagValue = tag.value
        }
        var tag: BinTag { BinTag(key: resourceTagKey, value: resourceTagValue) }
    }
    struct Tag: Codable {
        var key: String
        var value: String
    }
    struct TagList: Codable {
        var tags: [Tag]
    }

    // MARK: What comes in

    struct NewRule: Decodable {
        var retentionPeriod: Period
        var resourceType: String
        var description: String?
        var tags: [Tag]?
        var resourceTags: [ResourceTag]?
        var excludeResourceTags: [ResourceTag]?
        var lockConfiguration: LockConfiguration?

        func request() throws -> NewBinRule {
            var request = NewBinRule(resourceType: try BinWords.type(resourceType), days: try retentionPeriod.days())
            request.description = description
            request.resourceTags = (resourceTags ?? []).map(\.tag)
            request.excludeTags = (excludeResourceTags ?? []).map(\.tag)
            request.tags = try BinWords.checked(tags ?? [])
            request.unlockDelayDays = try lockConfiguration?.days()
            return request
        }
    }
    struct ChangedRule: Decodable {
        var retentionPeriod: Period?
        var resourceType: String?
        var description: String?
        var resourceTags: [ResourceTag]?
        var excludeResourceTags: [ResourceTag]?

        func change() throws -> BinRuleChange {
            var change = BinRuleChange()
            change.days = try retentionPeriod?.days()
            change.description = description
            change.resourceTags = resourceTags?.map(\.tag)
            change.excludeTags = excludeResourceTags?.map(\.tag)
            return change
        }
    }
    struct LockedRule: Decodable {
        var lockConfiguration: LockConfiguration
    }
    struct ListedRules: Decodable {
        var resourceType: String
        var resourceTags: [ResourceTag]?
        var excludeResourceTags: [ResourceTag]?
        var lockState: String?
        var maxResults: Int?
        var nextToken: String?
    }

    // MARK: What goes out

    struct Rule: Encodable {
        var identifier: String
        var retentionPeriod: Period
        var description: String
        var tags: [Tag]?
        var resourceType: String
        var resourceTags: [ResourceTag]
        var excludeResourceTags: [ResourceTag]
        var status = "available"
        var lockConfiguration: LockConfiguration?
        var lockState: String
        var lockEndTime: Double?
        var ruleArn: String

        init(_ rule: BinRuleView, arn: String, tags: [Tag]?) {
            identifier = rule.id
            retentionPeriod = Period(days: rule.days)
            description = rule.description ?? ""
            self.tags = tags
            resourceType = BinWords.word(rule.resourceType)
            resourceTags = rule.resourceTags.map { ResourceTag($0) }
            excludeResourceTags = rule.excludeTags.map { ResourceTag($0) }
            lockConfiguration = rule.unlockDelayDays.map { LockConfiguration(days: $0) }
            lockState = BinWords.word(rule.lockState)
            lockEndTime = rule.unlocksAt.map { Double($0.milliseconds) / 1000 }
            ruleArn = arn
        }
    }
    struct RuleSummary: Encodable {
        var identifier: String
        var description: String
        var retentionPeriod: Period
        var lockState: String
        var ruleArn: String

        init(_ rule: BinRuleView, arn: String) {
            identifier = rule.id
            description = rule.description ?? ""
            retentionPeriod = Period(days: rule.days)
            lockState = BinWords.word(rule.lockState)
            ruleArn = arn
        }
    }
    struct RuleList: Encodable {
        var rules: [RuleSummary]
        var nextToken: String?
    }

    // MARK: Words

    static func type(_ word: String) throws -> BinRuleView.ResourceType {
        switch word {
        case "EBS_SNAPSHOT": .snapshot
        case "EBS_VOLUME": .volume
        case "EC2_IMAGE": .image
        default:
            throw DirectFailure.badValue(
                "The resource type '\(word.prefix(64))' is not one of EBS_SNAPSHOT, EC2_IMAGE, EBS_VOLUME.")
        }
    }
    static func word(_ type: BinRuleView.ResourceType) -> String {
        switch type {
        case .snapshot: "EBS_SNAPSHOT"
        case .volume: "EBS_VOLUME"
        case .image: "EC2_IMAGE"
        }
    }

    static func lockState(_ word: String) throws -> BinRuleView.LockState {
        switch word {
        case "locked": .locked
        case "pending_unlock": .pendingUnlock
        case "unlocked": .unlocked
        default:
            throw DirectFailure.badValue(
                "The lock state '\(word.prefix(64))' is not one of locked, pending_unlock, unlocked.")
        }
    }
    static func word(_ state: BinRuleView.LockState) -> String {
        switch state {
        case .locked: "locked"
        case .pendingUnlock: "pending_unlock"
        case .unlocked: "unlocked"
        }
    }

    private static func days(_ value: Int, _ unit: String) throws -> Int {
        guard unit == "DAYS" else { throw DirectFailure.badValue("The unit '\(unit.prefix(64))' is not DAYS.") }
        return value
    }

    /// A rule's own tags by key.
    static func checked(_ tags: [Tag]) throws -> [String: String] {
        var byKey: [String: String] = [:]
        for tag in tags {
            guard !tag.key.lowercased().hasPrefix("aws:") else {
                throw DirectFailure.badValue("Tag keys starting with 'aws:' are reserved for internal use.")
            }
            guard byKey.updateValue(tag.value, forKey: tag.key) == nil else {
                throw DirectFailure.badValue("The tag key '\(tag.key.prefix(128))' is given twice.")
            }
        }
        return byKey
    }
}
