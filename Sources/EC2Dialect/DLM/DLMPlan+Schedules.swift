internal import ControlPlane

extension DLMPlan {
    static func plan(_ schedule: DLMPolicyDetails.Schedule, _ index: Int) throws(DLMFailure) -> PolicyPlan.Schedule {
        guard let create = schedule.createRule else {
            throw .invalid("CreateRule is missing.", required: ["CreateRule"])
        }
        guard let retain = schedule.retainRule else {
            throw .invalid("RetainRule is missing.", required: ["RetainRule"])
        }
        var tags: [String: String] = [:]
        for tag in (schedule.tagsToAdd ?? []) + (schedule.variableTags ?? []) {
            guard !tag.key.hasPrefix("aws:") else { throw .invalid("Tag keys starting with 'aws:' are reserved.") }
        }
        for tag in schedule.tagsToAdd ?? [] { tags[tag.key] = tag.value }
        var plan = PolicyPlan.Schedule(
            schedule.name ?? "Schedule \(index + 1)", try recurrence(create), keeping: try retention(retain),
            tags: tags, copiesTags: schedule.copyTags ?? false, copies: try copies(schedule.crossRegionCopyRules ?? []))
        plan.variableTags = try variableTags(schedule.variableTags ?? [])
        plan.sharing = try sharing(schedule.shareRules ?? [])
        plan.fastRestore = try schedule.fastRestoreRule.map(fastRestore)
        plan.archive = try schedule.archiveRule.map(archive)
        plan.quiesce = try quiesce(create)
        plan.deprecation = try schedule.deprecateRule.map { (rule) throws(DLMFailure) in
            try deprecation(rule, of: retain)
        }
        return plan
    }

    private static let variables: [String: PolicyPlan.VariableTag] = [
        "$(instance-id)": .instance, "$(timestamp)": .time,
    ]

    private static func variableTags(
        _ tags: [DLMPolicyDetails.Tag]
    ) throws(DLMFailure) -> [String: PolicyPlan.VariableTag] {
        var found: [String: PolicyPlan.VariableTag] = [:]
        for tag in tags {
            guard let variable = variables[tag.value] else {
                throw .invalid("The value of a variable tag must be one of $(instance-id), $(timestamp).")
            }
            found[tag.key] = variable
        }
        return found
    }

    static func word(_ variable: PolicyPlan.VariableTag) -> String { "$(\(variable.rawValue))" }

    private static func sharing(_ rules: [DLMPolicyDetails.ShareRule]) throws(DLMFailure) -> PolicyPlan.Sharing? {
        guard rules.count <= 1 else { throw .invalid("ShareRules must have one rule at most.") }
        guard let rule = rules.first else { return nil }
        guard let accounts = rule.targetAccounts, !accounts.isEmpty else {
            throw .invalid("TargetAccounts is missing.", required: ["TargetAccounts"])
        }
        guard (rule.unshareInterval == nil) == (rule.unshareIntervalUnit == nil) else {
            throw .invalid(
                "UnshareInterval and UnshareIntervalUnit go together.",
                required: ["UnshareInterval", "UnshareIntervalUnit"])
        }
        guard let amount = rule.unshareInterval else { return PolicyPlan.Sharing(with: accounts) }
        return PolicyPlan.Sharing(
            with: accounts,
            keeping: try retention(.init(interval: amount, intervalUnit: rule.unshareIntervalUnit)))
    }

    private static func fastRestore(
        _ rule: DLMPolicyDetails.FastRestoreRule
    ) throws(DLMFailure) -> PolicyPlan.FastRestore {
        guard rule.availabilityZones == nil || rule.availabilityZoneIds == nil else {
            throw .invalid(
                "AvailabilityZones and AvailabilityZoneIds are mutually exclusive.",
                exclusive: ["AvailabilityZones", "AvailabilityZoneIds"])
        }
        guard let zones = rule.availabilityZones ?? rule.availabilityZoneIds, !zones.isEmpty else {
            throw .invalid("FastRestoreRule needs AvailabilityZones.", required: ["AvailabilityZones"])
        }
        return PolicyPlan.FastRestore(
            in: zones,
            keeping: try retention(
                .init(count: rule.count, interval: rule.interval, intervalUnit: rule.intervalUnit)))
    }

    private static func archive(_ rule: DLMPolicyDetails.ArchiveRule) throws(DLMFailure) -> Retention {
        guard let tier = rule.retainRule?.retentionArchiveTier else {
            throw .invalid(
                "ArchiveRule needs RetainRule with RetentionArchiveTier.",
                required: ["RetainRule", "RetentionArchiveTier"])
        }
        return try retention(tier)
    }

    /// Amazon counts the oldest of those that are kept, the plan the newest that are not deprecated.
    private static func deprecation(
        _ rule: DLMPolicyDetails.RetainRule, of retain: DLMPolicyDetails.RetainRule
    ) throws(DLMFailure) -> Retention {
        guard rule.count != nil else { return try retention(rule) }
        guard let kept = retain.count, let count = rule.count, rule.interval == nil, (1...max(1, kept)).contains(count)
        else { throw .invalid("DeprecateRule must count 1 or more, and no more than RetainRule.") }
        return .newest(count: kept - count)
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
            var copy = PolicyPlan.Copy(
                to: region, keeping: try rule.retainRule.map(age) ?? .forever, isEncrypted: isEncrypted,
                keyId: rule.cmkArn, copiesTags: rule.copyTags ?? false)
            copy.deprecation = try rule.deprecateRule.map(age)
            copies.append(copy)
        }
        return copies
    }

    /// Amazon keeps copies by age only.
    static func age(_ rule: DLMPolicyDetails.RetainRule) throws(DLMFailure) -> Retention {
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

    static func retention(_ rule: DLMPolicyDetails.RetainRule) throws(DLMFailure) -> Retention {
        switch (rule.count, rule.interval) {
        case (let count?, nil): return .newest(count: count)
        case (nil, let amount?):
            guard let unit = Retention.Unit(rawValue: (rule.intervalUnit ?? "").lowercased()) else {
                throw .invalid("IntervalUnit must be one of DAYS, WEEKS, MONTHS, YEARS.", required: ["IntervalUnit"])
            }
            // A hundred years, as of the other units; other clouds take more days than that.
            guard unit != .days || amount <= 36_500 else { throw .invalid("Interval must be at most 36500 days.") }
            return .age(amount: amount, unit: unit)
        case (nil, nil): throw .invalid("RetainRule needs Count or Interval.", required: ["Count"])
        case (_?, _?): throw .invalid("Count and Interval are mutually exclusive.", exclusive: ["Count", "Interval"])
        }
    }
}
