internal import ControlPlane

/// Amazon's words for a policy's plan, and the plan for Amazon's words. What only the control plane knows (days of the week by
/// another zone's clock, retention by generations, targets by id) has no words there and is left out.
enum DLMPlan {
    static let role = "dlm.ExecutionRoleArn"
    private static let days = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]

    static func plan(_ details: DLMPolicyDetails) throws(DLMFailure) -> PolicyPlan {
        for (name, value) in details.unsupported where value?.isThere == true { throw .unsupported(name) }
        let type = details.policyType ?? "EBS_SNAPSHOT_MANAGEMENT"
        guard type == "EBS_SNAPSHOT_MANAGEMENT" else { throw .unsupported("PolicyType \(type.prefix(64))") }
        let location = details.resourceLocations?.first ?? "CLOUD"
        guard location == "CLOUD" else { throw .unsupported("ResourceLocations \(location.prefix(64))") }
        guard details.policyLanguage ?? "STANDARD" == "STANDARD" else {
            throw .unsupported("PolicyLanguage SIMPLIFIED")
        }
        guard let kinds = details.resourceTypes, kinds.count == 1, ["VOLUME", "INSTANCE"].contains(kinds[0]) else {
            throw .invalid("ResourceTypes must be one of VOLUME, INSTANCE.", required: ["ResourceTypes"])
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
        return PolicyPlan(targets: targets, schedules: plans)
    }

    private static func tag(_ tag: DLMPolicyDetails.Tag) -> PolicyPlan.Tag { .init(key: tag.key, value: tag.value) }

    private static func plan(
        _ schedule: DLMPolicyDetails.Schedule, _ index: Int
    ) throws(DLMFailure) -> PolicyPlan.Schedule {
        for (name, value) in schedule.unsupported where value?.isThere == true { throw .unsupported(name) }
        guard let create = schedule.createRule else {
            throw .invalid("CreateRule is missing.", required: ["CreateRule"])
        }
        guard let retain = schedule.retainRule else {
            throw .invalid("RetainRule is missing.", required: ["RetainRule"])
        }
        var tags: [String: String] = [:]
        for tag in schedule.tagsToAdd ?? [] {
            guard !tag.key.hasPrefix("aws:") else { throw .invalid("Tag keys starting with 'aws:' are reserved.") }
            tags[tag.key] = tag.value
        }
        return PolicyPlan.Schedule(
            schedule.name ?? "Schedule \(index + 1)", try recurrence(create), keeping: try retention(retain),
            tags: tags,
            copiesTags: schedule.copyTags ?? false, copies: try copies(schedule.crossRegionCopyRules ?? []))
    }

    private static func copies(_ rules: [DLMPolicyDetails.CopyRule]) throws(DLMFailure) -> [PolicyPlan.Copy] {
        var copies: [PolicyPlan.Copy] = []
        for rule in rules {
            guard let region = rule.target ?? rule.targetRegion else {
                throw .invalid("Target is missing.", required: ["Target"])
            }
            guard rule.target == nil || rule.targetRegion == nil else {
                throw .invalid(
                    "Target and TargetRegion are mutually exclusive.", exclusive: ["Target", "TargetRegion"])
            }
            guard let isEncrypted = rule.encrypted else {
                throw .invalid("Encrypted is missing.", required: ["Encrypted"])
            }
            guard isEncrypted || rule.cmkArn == nil else { throw .invalid("CmkArn is only for encrypted copies.") }
            copies.append(
                PolicyPlan.Copy(
                    to: region, keeping: try rule.retainRule.map(age) ?? .forever, isEncrypted: isEncrypted,
                    keyId: rule.cmkArn, copiesTags: rule.copyTags ?? false))
        }
        return copies
    }

    /// Amazon keeps copies by age only.
    private static func age(_ rule: DLMPolicyDetails.RetainRule) throws(DLMFailure) -> Retention {
        guard rule.count == nil else {
            throw .invalid("The RetainRule of a copy needs Interval.", required: ["Interval"])
        }
        return try retention(rule)
    }

    private static func recurrence(_ rule: DLMPolicyDetails.CreateRule) throws(DLMFailure) -> Recurrence {
        guard rule.location ?? "CLOUD" == "CLOUD" else {
            throw .unsupported("Location \(rule.location?.prefix(64) ?? "")")
        }
        switch (rule.interval, rule.cronExpression) {
        case (let hours?, nil):
            guard rule.intervalUnit == "HOURS" else {
                throw .invalid("IntervalUnit must be HOURS.", required: ["IntervalUnit"])
            }
            guard let start = TimeOfDay(rule.times?.first ?? "00:00"), rule.times?.count ?? 1 == 1 else {
                throw .invalid("Times must be one time as hh:mm.")
            }
            return .every(hours: hours, from: start)
        case (nil, let expression?): return .cron(expression: expression, zone: nil)
        case (nil, nil): throw .invalid("CreateRule needs Interval or CronExpression.", required: ["Interval"])
        case (_?, _?):
            throw .invalid(
                "Interval and CronExpression are mutually exclusive.", exclusive: ["Interval", "CronExpression"])
        }
    }

    private static func retention(_ rule: DLMPolicyDetails.RetainRule) throws(DLMFailure) -> Retention {
        switch (rule.count, rule.interval) {
        case (let count?, nil): return .newest(count: count)
        case (nil, let amount?):
            guard let unit = Retention.Unit(rawValue: (rule.intervalUnit ?? "").lowercased()) else {
                throw .invalid("IntervalUnit must be one of DAYS, WEEKS, MONTHS, YEARS.", required: ["IntervalUnit"])
            }
            return .age(amount: amount, unit: unit)
        case (nil, nil): throw .invalid("RetainRule needs Count or Interval.", required: ["Count"])
        case (_?, _?): throw .invalid("Count and Interval are mutually exclusive.", exclusive: ["Count", "Interval"])
        }
    }

    // MARK: Back

    static func details(_ plan: PolicyPlan) -> DLMPolicyDetails {
        var details = DLMPolicyDetails()
        details.policyType = "EBS_SNAPSHOT_MANAGEMENT"
        details.policyLanguage = "STANDARD"
        details.resourceTypes = [plan.targets.kind == .volumes ? "VOLUME" : "INSTANCE"]
        details.resourceLocations = ["CLOUD"]
        details.targetTags = plan.targets.tags.map { .init(key: $0.key, value: $0.value) }
        if plan.targets.excludesBootVolume || !plan.targets.excludedTags.isEmpty {
            let tags = plan.targets.excludedTags.map { DLMPolicyDetails.Tag(key: $0.key, value: $0.value) }
            details.parameters = .init(
                excludeBootVolume: plan.targets.excludesBootVolume, excludeDataVolumeTags: tags.isEmpty ? nil : tags)
        }
        details.schedules = plan.schedules.map { schedule in
            var words = DLMPolicyDetails.Schedule()
            words.name = schedule.name
            words.copyTags = schedule.copiesTags
            words.tagsToAdd = schedule.tags.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: $0.value) }
            words.createRule = rule(schedule.when)
            words.retainRule = rule(schedule.retention)
            if !schedule.copies.isEmpty {
                words.crossRegionCopyRules = schedule.copies.map { copy in
                    .init(
                        target: copy.region, encrypted: copy.isEncrypted, cmkArn: copy.keyId, copyTags: copy.copiesTags,
                        retainRule: rule(copy.retention))
                }
            }
            return words
        }
        return details
    }

    private static func rule(_ when: Recurrence) -> DLMPolicyDetails.CreateRule {
        switch when {
        case .every(let hours, let start): return .init(interval: hours, intervalUnit: "HOURS", times: [start.text])
        case .cron(let expression, _): return .init(cronExpression: expression)
        case .weekly(let weekdays, let times, _):
            let names = Weekday.allCases.enumerated().filter { weekdays.contains($0.element) }.map { days[$0.offset] }
            let minutes = Set(times.map { $0.minutes % 60 }), hours = Set(times.map { $0.minutes / 60 }).sorted()
            guard minutes.count == 1, let minute = minutes.first else { return .init() }
            let list = hours.map(String.init).joined(separator: ",")
            return .init(cronExpression: "cron(\(minute) \(list) ? * \(names.joined(separator: ",")) *)")
        }
    }

    private static func rule(_ retention: Retention) -> DLMPolicyDetails.RetainRule? {
        switch retention {
        case .newest(let count): .init(count: count)
        case .age(let amount, let unit): .init(interval: amount, intervalUnit: unit.rawValue.uppercased())
        case .generations, .forever: nil
        }
    }
}
