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

    /// The plan of a default policy that is changed: what the request does not say stays as it was, also what has no words here.
    ///
    /// - Returns: nil: the request says nothing of it.
    static func plan(_ request: DLMPolicyRequest, before: PolicyPlan) throws(DLMFailure) -> PolicyPlan? {
        guard before.targets.lacking != nil else {
            guard !DLMDefault(request).isGiven else {
                throw .invalid("CreateInterval and the like are for default policies.")
            }
            return nil
        }
        if let details = request.policyDetails { try mustBeSimplified(details) }
        let new = try said(by: request)
        return new.isGiven ? try new.changed(before) : nil
    }

    private func changed(_ before: PolicyPlan) throws(DLMFailure) -> PolicyPlan {
        var plan = before
        if let createInterval { plan.targets.lacking?.days = createInterval }
        if let exclusions {
            try check(exclusions, isOfImages: before.product == .images)
            plan.targets.lacking?.excludesBootVolumes = exclusions.excludeBootVolumes ?? false
            plan.targets.lacking?.excludedKinds = exclusions.excludeVolumeTypes ?? []
            plan.targets.lacking?.excludedTags = (exclusions.excludeTags ?? []).map(DLMPlan.tag)
        }
        if let extendDeletion { plan.letsAllGo = extendDeletion }
        if retainInterval != nil || copyTags != nil || crossRegionCopyTargets != nil {
            // Which of several it would be about, Amazon's words do not say.
            guard plan.schedules.count == 1 else {
                throw .unsupported("A change of a policy with \(plan.schedules.count) schedules in these words")
            }
            try change(&plan.schedules[0])
        }
        if createInterval != nil || retainInterval != nil {
            let days = plan.targets.lacking?.days ?? 1
            guard Self.createDays.contains(days) else { throw .invalid("CreateInterval must be 1 to 7 days.") }
            if let retainInterval {
                try Self.check(retainInterval, after: days)
            } else if case .age(let kept, .days) = plan.schedules.first?.retention, kept <= days {
                throw .invalid("CreateInterval must be less than the \(kept) days that are kept.")
            }
        }
        return plan
    }

    private func change(_ schedule: inout PolicyPlan.Schedule) throws(DLMFailure) {
        if let retainInterval {
            let old = schedule.retention
            schedule.retention = .age(amount: retainInterval, unit: .days)
            // Copies that were kept as long as what they are of still are.
            for index in schedule.copies.indices where schedule.copies[index].retention == old {
                schedule.copies[index].retention = schedule.retention
            }
        }
        if let copyTags {
            schedule.copiesTags = copyTags
            for index in schedule.copies.indices { schedule.copies[index].copiesTags = copyTags }
        }
        guard let crossRegionCopyTargets else { return }
        var copies: [PolicyPlan.Copy] = []
        for region in try regions(crossRegionCopyTargets) {
            copies.append(
                schedule.copies.first { $0.region == region }
                    ?? PolicyPlan.Copy(to: region, keeping: schedule.retention, copiesTags: schedule.copiesTags))
        }
        schedule.copies = copies
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
        try Self.check(retain, after: create)
        if let exclusions { try check(exclusions, isOfImages: isOfImages) }
        var targets = PolicyPlan.Targets(isOfImages ? .instances : .volumes)
        targets.lacking = PolicyPlan.Lacking(
            days: create, excludesBootVolumes: exclusions?.excludeBootVolumes ?? false,
            excludedKinds: exclusions?.excludeVolumeTypes ?? [],
            excludedTags: (exclusions?.excludeTags ?? []).map(DLMPlan.tag))
        let kept = Retention.age(amount: retain, unit: .days)
        let copies = try regions(crossRegionCopyTargets ?? []).map {
            PolicyPlan.Copy(to: $0, keeping: kept, copiesTags: copyTags ?? false)
        }
        let schedule = PolicyPlan.Schedule(
            Self.schedule, .every(hours: 24, from: TimeOfDay(minutes: 0)), keeping: kept, copiesTags: copyTags ?? false,
            copies: copies)
        var plan = PolicyPlan(targets: targets, schedules: [schedule])
        plan.product = isOfImages ? .images : .snapshots
        plan.letsAllGo = extendDeletion ?? false
        return plan
    }

    private static func check(_ retain: Int, after create: Int) throws(DLMFailure) {
        guard retainDays.contains(retain), retain > create else {
            throw .invalid("RetainInterval must be 2 to 14 days, and more than CreateInterval.")
        }
    }

    private func check(_ exclusions: DLMPolicyDetails.Exclusions, isOfImages: Bool) throws(DLMFailure) {
        guard !isOfImages || exclusions.excludeBootVolumes != true && (exclusions.excludeVolumeTypes ?? []).isEmpty
        else { throw .invalid("ExcludeBootVolumes and ExcludeVolumeTypes are for DefaultPolicy VOLUME.") }
    }

    private func regions(_ targets: [DLMPolicyDetails.CopyTarget]) throws(DLMFailure) -> [String] {
        var regions: [String] = []
        for target in targets {
            guard let region = target.targetRegion else {
                throw .invalid("TargetRegion is missing.", required: ["TargetRegion"])
            }
            regions.append(region)
        }
        return regions
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
