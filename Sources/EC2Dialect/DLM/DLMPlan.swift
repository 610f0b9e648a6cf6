internal import ControlPlane

/// Amazon's words for a policy's plan, and the plan for Amazon's words. What only the control plane knows (days of the week by
/// another zone's clock, retention by generations, targets by id) has no words there and is left out.
enum DLMPlan {
    static let role = "dlm.ExecutionRoleArn"
    static let action = "dlm.ActionName"
    static let reboot = "dlm.NoReboot"

    static let snapshots = "EBS_SNAPSHOT_MANAGEMENT"
    static let images = "IMAGE_MANAGEMENT"
    static let events = "EVENT_BASED_POLICY"

    /// Of a policy that is no default one.
    static func plan(_ details: DLMPolicyDetails) throws(DLMFailure) -> PolicyPlan {
        let type = details.policyType ?? snapshots
        guard [snapshots, images, events].contains(type) else {
            throw .invalid("PolicyType must be one of \(snapshots), \(images), \(events).", required: ["PolicyType"])
        }
        let location = details.resourceLocations?.first ?? "CLOUD"
        guard location == "CLOUD" else { throw .unsupported("ResourceLocations \(location.prefix(64))") }
        guard details.policyLanguage ?? "STANDARD" == "STANDARD" else {
            throw .invalid("PolicyLanguage SIMPLIFIED is for default policies.", required: ["DefaultPolicy"])
        }
        guard !DLMDefault(details).isGiven else {
            throw .invalid("CreateInterval and the like are for default policies.", required: ["DefaultPolicy"])
        }
        if type == events { return try reaction(details) }
        guard details.eventSource == nil, details.actions == nil else {
            throw .invalid("EventSource and Actions are for PolicyType \(events).")
        }
        return try scheduled(details, isOfImages: type == images)
    }

    private static func scheduled(
        _ details: DLMPolicyDetails, isOfImages: Bool
    ) throws(DLMFailure) -> PolicyPlan {
        guard let kinds = details.resourceTypes ?? (isOfImages ? ["INSTANCE"] : nil), kinds.count == 1,
            ["VOLUME", "INSTANCE"].contains(kinds[0]), !isOfImages || kinds[0] == "INSTANCE"
        else {
            throw .invalid(
                "ResourceTypes must be one of \(isOfImages ? "INSTANCE" : "VOLUME, INSTANCE").",
                required: ["ResourceTypes"])
        }
        guard let tags = details.targetTags, !tags.isEmpty else {
            throw .invalid("TargetTags must have 1 to 50 tags.", required: ["TargetTags"])
        }
        guard let schedules = details.schedules, (1...4).contains(schedules.count) else {
            throw .invalid("Schedules must have 1 to 4 schedules.", required: ["Schedules"])
        }
        var targets = PolicyPlan.Targets(kinds[0] == "VOLUME" ? .volumes : .instances, tags: tags.map(tag))
        targets.excludesBootVolume = details.parameters?.excludeBootVolume ?? false
        targets.excludedTags = (details.parameters?.excludeDataVolumeTags ?? []).map(tag)
        var plans: [PolicyPlan.Schedule] = []
        for (index, schedule) in schedules.enumerated() { plans.append(try plan(schedule, index)) }
        var plan = PolicyPlan(targets: targets, schedules: plans)
        if isOfImages { plan.product = .images }
        guard targets.kind == .instances && !isOfImages || !plans.contains(where: { $0.quiesce != nil }) else {
            throw .invalid("Scripts are for policies on snapshots of instances.")
        }
        for (given, schedule) in zip(schedules, plans) {
            let kept = keepsakes(given.createRule, ofSchedule: schedule.name)
            if !kept.isEmpty { plan.keepsakes = (plan.keepsakes ?? [:]).merging(kept) { _, new in new } }
        }
        if let noReboot = details.parameters?.noReboot {
            guard isOfImages else { throw .invalid("NoReboot is for PolicyType \(images).") }
            plan.keepsakes = (plan.keepsakes ?? [:]).merging([reboot: noReboot ? "true" : "false"]) { _, new in new }
        }
        return plan
    }

    static func tag(_ tag: DLMPolicyDetails.Tag) -> PolicyPlan.Tag { .init(key: tag.key, value: tag.value) }

    // MARK: Events

    private static func reaction(_ details: DLMPolicyDetails) throws(DLMFailure) -> PolicyPlan {
        guard details.resourceTypes == nil, details.targetTags == nil, details.schedules == nil else {
            throw .invalid("ResourceTypes, TargetTags and Schedules are not for PolicyType \(events).")
        }
        guard let source = details.eventSource, source.type == "MANAGED_CWE" else {
            throw .invalid("EventSource must have the Type MANAGED_CWE.", required: ["EventSource"])
        }
        guard let parameters = source.parameters, parameters.eventType == "shareSnapshot",
            let owners = parameters.snapshotOwner, let pattern = parameters.descriptionRegex
        else {
            throw .invalid(
                "The EventSource's Parameters must have EventType shareSnapshot, SnapshotOwner and DescriptionRegex.",
                required: ["EventType", "SnapshotOwner", "DescriptionRegex"])
        }
        guard let actions = details.actions, actions.count == 1, let name = actions[0].name,
            let rules = actions[0].crossRegionCopy
        else {
            throw .invalid(
                "Actions must have one action with Name and CrossRegionCopy.", required: ["Actions"])
        }
        guard (1...120).contains(name.utf8.count), name.utf8.allSatisfy(isPlain) else {
            throw .invalid("The action's Name must have 1 to 120 of the characters 0-9, A-Z, a-z, space, _ and -.")
        }
        var copies: [PolicyPlan.Copy] = []
        for rule in rules {
            guard let region = rule.target, let isEncrypted = rule.encryptionConfiguration?.encrypted else {
                throw .invalid(
                    "CrossRegionCopy needs Target and EncryptionConfiguration with Encrypted.",
                    required: ["Target", "EncryptionConfiguration"])
            }
            let key = rule.encryptionConfiguration?.cmkArn
            guard isEncrypted || key == nil else { throw .invalid("CmkArn is only for encrypted copies.") }
            copies.append(
                PolicyPlan.Copy(
                    to: region, keeping: try rule.retainRule.map(age) ?? .forever, isEncrypted: isEncrypted, keyId: key)
            )
        }
        var plan = PolicyPlan(reaction: .init(to: owners, describedBy: pattern, copies: copies))
        plan.keepsakes = [action: name]
        return plan
    }

    /// Of Amazon's names and descriptions.
    static func isPlain(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            || [32, 45, 95].contains(byte)
    }
}
