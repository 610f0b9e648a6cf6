/// Amazon's JSON of Data Lifecycle Manager, as far as it is supported. Names begin with a capital on the wire.
struct DLMPolicyDetails: Codable {
    struct Tag: Codable {
        var key: String
        var value: String
    }
    struct Parameters: Codable {
        var excludeBootVolume: Bool?
        var noReboot: Bool?
        var excludeDataVolumeTags: [Tag]?
    }
    var policyType: String?
    var policyLanguage: String?
    var resourceTypes: [String]?
    var resourceLocations: [String]?
    var targetTags: [Tag]?
    var schedules: [Schedule]?
    var parameters: Parameters?

    // Policies on events.
    var eventSource: EventSource?
    var actions: [Action]?

    // Default policies.
    var resourceType: String?
    var createInterval: Int?
    var retainInterval: Int?
    var copyTags: Bool?
    var extendDeletion: Bool?
    var crossRegionCopyTargets: [CopyTarget]?
    var exclusions: Exclusions?
}

extension DLMPolicyDetails {
    struct CreateRule: Codable {
        var interval: Int?
        var intervalUnit: String?
        var times: [String]?
        var cronExpression: String?
        var location: String?
        var scripts: [Script]?
    }
    struct Script: Codable {
        var stages: [String]?
        var executionHandlerService: String?
        var executionHandler: String?
        var executeOperationOnScriptFailure: Bool?
        var executionTimeout: Int?
        var maximumRetryCount: Int?
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
        var deprecateRule: RetainRule?
    }
    struct FastRestoreRule: Codable {
        var count: Int?
        var interval: Int?
        var intervalUnit: String?
        var availabilityZones: [String]?
        var availabilityZoneIds: [String]?
    }
    struct ShareRule: Codable {
        var targetAccounts: [String]?
        var unshareInterval: Int?
        var unshareIntervalUnit: String?
    }
    struct ArchiveRule: Codable {
        struct Retain: Codable {
            var retentionArchiveTier: RetainRule?
        }
        var retainRule: Retain?
    }
    struct Schedule: Codable {
        var name: String?
        var copyTags: Bool?
        var tagsToAdd: [Tag]?
        var createRule: CreateRule?
        var retainRule: RetainRule?
        var variableTags: [Tag]?
        var fastRestoreRule: FastRestoreRule?
        var crossRegionCopyRules: [CopyRule]?
        var shareRules: [ShareRule]?
        var deprecateRule: RetainRule?
        var archiveRule: ArchiveRule?
    }
}

extension DLMPolicyDetails {
    struct EventSource: Codable {
        struct Parameters: Codable {
            var eventType: String?
            var snapshotOwner: [String]?
            var descriptionRegex: String?
        }
        var type: String?
        var parameters: Parameters?
    }
    struct Action: Codable {
        var name: String?
        var crossRegionCopy: [ActionCopy]?
    }
    struct ActionCopy: Codable {
        struct Encryption: Codable {
            var encrypted: Bool?
            var cmkArn: String?
        }
        var target: String?
        var encryptionConfiguration: Encryption?
        var retainRule: RetainRule?
    }
    struct CopyTarget: Codable {
        var targetRegion: String?
    }
    struct Exclusions: Codable {
        var excludeBootVolumes: Bool?
        var excludeVolumeTypes: [String]?
        var excludeTags: [Tag]?
    }
}

/// What CreateLifecyclePolicy and UpdateLifecyclePolicy are given.
struct DLMPolicyRequest: Decodable {
    var executionRoleArn: String?
    var description: String?
    var state: String?
    var policyDetails: DLMPolicyDetails?
    var tags: [String: String]?
    var defaultPolicy: String?
    var createInterval: Int?
    var retainInterval: Int?
    var copyTags: Bool?
    var extendDeletion: Bool?
    var crossRegionCopyTargets: [DLMPolicyDetails.CopyTarget]?
    var exclusions: DLMPolicyDetails.Exclusions?

    /// Does it enable or disable a policy, and nothing else?
    var saysOnlyState: Bool {
        state != nil && executionRoleArn == nil && description == nil && policyDetails == nil
            && !DLMDefault(self).isGiven
    }
}

/// What TagResource is given.
struct DLMTagRequest: Decodable {
    var tags: [String: String]
}
