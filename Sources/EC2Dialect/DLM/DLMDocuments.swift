/// Amazon's JSON of Data Lifecycle Manager, as far as it is supported. Names begin with a capital on the wire.
struct DLMPolicyDetails: Codable {
    struct Tag: Codable {
        var key: String
        var value: String
    }
    struct CreateRule: Codable {
        var interval: Int?
        var intervalUnit: String?
        var times: [String]?
        var cronExpression: String?
        var location: String?
        var scripts: Unsupported?
    }
    struct RetainRule: Codable {
        var count: Int?
        var interval: Int?
        var intervalUnit: String?
    }
    struct CopyRule: Codable {
        var target: String?
        var targetRegion: String?
        var encrypted: Bool?
        var cmkArn: String?
        var copyTags: Bool?
        var retainRule: RetainRule?
        var deprecateRule: Unsupported?
    }
    struct Schedule: Codable {
        var name: String?
        var copyTags: Bool?
        var tagsToAdd: [Tag]?
        var createRule: CreateRule?
        var retainRule: RetainRule?
        var variableTags: Unsupported?
        var fastRestoreRule: Unsupported?
        var crossRegionCopyRules: [CopyRule]?
        var shareRules: Unsupported?
        var deprecateRule: Unsupported?
        var archiveRule: Unsupported?

        var unsupported: [(String, Unsupported?)] {
            [
                ("VariableTags", variableTags), ("FastRestoreRule", fastRestoreRule),
                ("ShareRules", shareRules), ("DeprecateRule", deprecateRule),
                ("DeprecateRule", crossRegionCopyRules?.lazy.compactMap(\.deprecateRule).first),
                ("ArchiveRule", archiveRule), ("Scripts", createRule?.scripts),
            ]
        }
    }
    struct Parameters: Codable {
        var excludeBootVolume: Bool?
        var excludeDataVolumeTags: [Tag]?
    }
    var policyType: String?
    var policyLanguage: String?
    var resourceTypes: [String]?
    var resourceLocations: [String]?
    var targetTags: [Tag]?
    var schedules: [Schedule]?
    var parameters: Parameters?
    var eventSource: Unsupported?
    var actions: Unsupported?
    var createInterval: Unsupported?
    var retainInterval: Unsupported?
    var crossRegionCopyTargets: Unsupported?
    var exclusions: Unsupported?

    var unsupported: [(String, Unsupported?)] {
        [
            ("EventSource", eventSource), ("Actions", actions), ("CreateInterval", createInterval),
            ("RetainInterval", retainInterval), ("CrossRegionCopyTargets", crossRegionCopyTargets),
            ("Exclusions", exclusions),
        ]
    }
}

/// Something that is only known to be there. An empty list is nothing.
struct Unsupported: Codable {
    var isThere = true

    init(from decoder: any Decoder) throws {
        if let list = try? decoder.unkeyedContainer() { isThere = !list.isAtEnd }
    }
    func encode(to encoder: any Encoder) throws {}
}

/// What CreateLifecyclePolicy and UpdateLifecyclePolicy are given.
struct DLMPolicyRequest: Decodable {
    var executionRoleArn: String?
    var description: String?
    var state: String?
    var policyDetails: DLMPolicyDetails?
    var tags: [String: String]?
    var defaultPolicy: Unsupported?
}

/// What TagResource is given.
struct DLMTagRequest: Decodable {
    var tags: [String: String]
}
