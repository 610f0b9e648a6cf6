internal import ControlPlane

/// What a default policy says, in the request or in its PolicyDetails: snapshots of volumes, or images of instances, that lack a
/// recent backup, every day at midnight UTC.
struct DLMDefault {
    private var createInterval: Int?
    private var retainInterval: Int?
    private var copyTags: Bool?
    private var extendDeletion: Bool?
    private var crossRegionCopyTargets: [DLMPolicyDetails.CopyTarget]?
    private var exclusions: DLMPolicyDetails.Exclusions?

    private static let kinds = ["VOLUME", "INSTANCE"]
    private static let schedule = "Default Schedule"
    private static let createDays = 1...7, retainDays = 2...14

    init(_ request: DLMPolicyRequest) {
        createInterval = request.createInterval
        retainInterval = request.retainInterval
        copyTags = request.copyTags
        extendDeletion = request.extendDeletion
        crossRegionCopyTargets = request.crossRegionCopyTargets
        exclusions = request.exclusions
    }

    init(_ details: DLMPolicyDetails) {
        createInterval = details.createInterval
        retainInterval = details.retainInterval
        copyTags = details.copyTags
        extendDeletion = details.extendDeletion
        crossRegionCopyTargets = details.crossRegionCopyTargets
        exclusions = details.exclusions
    }

    /// What a plan says; nil: it is none of a default policy.
    init?(_ plan: PolicyPlan) {
        guard let lacking = plan.targets.lacking, let schedule = plan.schedules.first else { return nil }
        createInterval = lacking.days
        if case .age(let amount, .days) = schedule.retention { retainInterval = amount }
        copyTags = schedule.copiesTags
        extendDeletion = plan.letsAllGo
        if !schedule.copies.isEmpty { crossRegionCopyTargets = schedule.copies.map { .init(targetRegion: $0.region) } }
        let tags = lacking.excludedTags.map { DLMPolicyDetails.Tag(key: $0.key, value: $0.value) }
        guard lacking.excludesBootVolumes || !lacking.excludedKinds.isEmpty || !tags.isEmpty else { return }
        exclusions = .init(
            excludeBootVolumes: plan.targets.kind == .volumes ? lacking.excludesBootVolumes : nil,
            excludeVolumeTypes: lacking.excludedKinds.isEmpty ? nil : lacking.excludedKinds,
            excludeTags: tags.isEmpty ? nil : tags)
    }

    /// Does it say anything?
    var isGiven: Bool {
        createInterval != nil || retainInterval != nil || copyTags != nil || extendDeletion != nil
            || crossRegionCopyTargets != nil || exclusions != nil
    }

    /// The plan of a new one; nil: the request is for another policy.
    static func plan(_ request: DLMPolicyRequest) throws(DLMFailure) -> PolicyPlan? {
        let details = request.policyDetails
        guard request.defaultPolicy != nil || details?.policyLanguage == "SIMPLIFIED" else {
            guard !DLMDefault(request).isGiven else {
                throw .invalid("DefaultPolicy is missing.", required: ["DefaultPolicy"])
            }
            return nil
        }
        guard let kind = request.defaultPolicy ?? details?.resourceType, kinds.contains(kind),
            details?.resourceType ?? kind == kind
        else { throw .invalid("DefaultPolicy must be one of VOLUME, INSTANCE.", required: ["DefaultPolicy"]) }
        if let details { try mustBeSimplified(details) }
        return try said(by: request).plan(isOfImages: kind == "INSTANCE")
    }

    /// The plan of a default policy that is changed: what the request does not say stays.
    static func plan(_ request: DLMPolicyRequest, before: PolicyPlan) throws(DLMFailure) -> PolicyPlan? {
        guard let known = DLMDefault(before) else {
            guard !DLMDefault(request).isGiven else {
                throw .invalid("CreateInterval and the like are for default policies.")
            }
            return nil
        }
        if let details = request.policyDetails { try mustBeSimplified(details) }
        let new = try said(by: request)
        var all = known
        all.createInterval = new.createInterval ?? known.createInterval
        all.retainInterval = new.retainInterval ?? known.retainInterval
        all.copyTags = new.copyTags ?? known.copyTags
        all.extendDeletion = new.extendDeletion ?? known.extendDeletion
        all.crossRegionCopyTargets = new.crossRegionCopyTargets ?? known.crossRegionCopyTargets
        all.exclusions = new.exclusions ?? known.exclusions
        return try all.plan(isOfImages: before.product == .images)
    }

    private static func said(by request: DLMPolicyRequest) throws(DLMFailure) -> DLMDefault {
        let outside = DLMDefault(request), inside = request.policyDetails.map { DLMDefault($0) }
        guard let inside, inside.isGiven else { return outside }
        guard !outside.isGiven else {
            throw .invalid(
                "The members of a default policy are given in the request or in PolicyDetails, not in both.",
                exclusive: ["PolicyDetails", "CreateInterval"])
        }
        return inside
    }

    private static func mustBeSimplified(_ details: DLMPolicyDetails) throws(DLMFailure) {
        guard details.targetTags == nil, details.schedules == nil, details.eventSource == nil, details.actions == nil,
            details.policyLanguage ?? "SIMPLIFIED" == "SIMPLIFIED"
        else {
            throw .invalid(
                "A default policy has no TargetTags, Schedules, EventSource or Actions.",
                exclusive: ["DefaultPolicy", "Schedules"])
        }
    }

    private func plan(isOfImages: Bool) throws(DLMFailure) -> PolicyPlan {
        let create = createInterval ?? 1, retain = retainInterval ?? 7
        guard Self.createDays.contains(create) else { throw .invalid("CreateInterval must be 1 to 7 days.") }
        guard Self.retainDays.contains(retain), retain > create else {
            throw .invalid("RetainInterval must be 2 to 14 days, and more than CreateInterval.")
        }
        guard !isOfImages || exclusions?.excludeBootVolumes != true && (exclusions?.excludeVolumeTypes ?? []).isEmpty
        else { throw .invalid("ExcludeBootVolumes and ExcludeVolumeTypes are for DefaultPolicy VOLUME.") }
        var targets = PolicyPlan.Targets(isOfImages ? .instances : .volumes)
        targets.lacking = PolicyPlan.Lacking(
            days: create, excludesBootVolumes: exclusions?.excludeBootVolumes ?? false,
            excludedKinds: exclusions?.excludeVolumeTypes ?? [],
            excludedTags: (exclusions?.excludeTags ?? []).map(DLMPlan.tag))
        let kept = Retention.age(amount: retain, unit: .days)
        var copies: [PolicyPlan.Copy] = []
        for target in crossRegionCopyTargets ?? [] {
            guard let region = target.targetRegion else {
                throw .invalid("TargetRegion is missing.", required: ["TargetRegion"])
            }
            copies.append(PolicyPlan.Copy(to: region, keeping: kept, copiesTags: copyTags ?? false))
        }
        let schedule = PolicyPlan.Schedule(
            Self.schedule, .every(hours: 24, from: TimeOfDay(minutes: 0)), keeping: kept, copiesTags: copyTags ?? false,
            copies: copies)
        var plan = PolicyPlan(targets: targets, schedules: [schedule])
        plan.product = isOfImages ? .images : .snapshots
        plan.letsAllGo = extendDeletion ?? false
        return plan
    }

    func write(to details: inout DLMPolicyDetails) {
        details.createInterval = createInterval
        details.retainInterval = retainInterval
        details.copyTags = copyTags
        details.extendDeletion = extendDeletion
        details.crossRegionCopyTargets = crossRegionCopyTargets
        details.exclusions = exclusions
    }
}
