internal import ControlPlane

/// A plan in Amazon's words.
extension DLMPlan {
    private static let days = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]

    static func type(_ plan: PolicyPlan) -> String {
        if plan.reaction != nil { return events }
        return plan.product == .images ? images : snapshots
    }

    static func kind(_ plan: PolicyPlan) -> String? {
        plan.reaction == nil ? plan.targets.kind == .volumes ? "VOLUME" : "INSTANCE" : nil
    }

    static func details(_ plan: PolicyPlan) -> DLMPolicyDetails {
        var details = DLMPolicyDetails()
        details.policyType = type(plan)
        if let known = DLMDefault(plan) {
            details.policyLanguage = "SIMPLIFIED"
            details.resourceType = kind(plan)
            known.write(to: &details)
            return details
        }
        details.policyLanguage = "STANDARD"
        if let reaction = plan.reaction {
            write(reaction, named: plan.keepsakes?[action] ?? "copy", to: &details)
            return details
        }
        details.resourceTypes = kind(plan).map { [$0] }
        details.resourceLocations = ["CLOUD"]
        details.targetTags = plan.targets.tags.map(tag)
        let noReboot = plan.keepsakes?[reboot].map { $0 == "true" }
        if plan.targets.excludesBootVolume || !plan.targets.excludedTags.isEmpty || noReboot != nil {
            let tags = plan.targets.excludedTags.map(tag)
            details.parameters = .init(
                excludeBootVolume: plan.product == .images ? nil : plan.targets.excludesBootVolume, noReboot: noReboot,
                excludeDataVolumeTags: tags.isEmpty ? nil : tags)
        }
        details.schedules = plan.schedules.map { words($0, plan.product, plan.keepsakes) }
        return details
    }

    private static func tag(_ tag: PolicyPlan.Tag) -> DLMPolicyDetails.Tag { .init(key: tag.key, value: tag.value) }

    private static func words(
        _ schedule: PolicyPlan.Schedule, _ product: PolicyPlan.Product, _ keepsakes: [String: String]?
    ) -> DLMPolicyDetails.Schedule {
        var words = DLMPolicyDetails.Schedule()
        words.name = schedule.name
        words.copyTags = schedule.copiesTags
        words.tagsToAdd = schedule.tags.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: $0.value) }
        if !schedule.variableTags.isEmpty {
            words.variableTags = schedule.variableTags.sorted { $0.key < $1.key }
                .map { .init(key: $0.key, value: word($0.value)) }
        }
        var create = rule(schedule.when)
        create.scripts = scripts(schedule, keepsakes)
        words.createRule = create
        words.retainRule = rule(schedule.retention)
        words.shareRules = schedule.sharing.map { sharing in
            let until = rule(sharing.retention)
            return [
                .init(
                    targetAccounts: sharing.accounts, unshareInterval: until?.interval,
                    unshareIntervalUnit: until?.intervalUnit)
            ]
        }
        words.fastRestoreRule = schedule.fastRestore.map { fast in
            let rule = rule(fast.retention), areIds = fast.zones.allSatisfy { $0.contains("-az") }
            return .init(
                count: rule?.count, interval: rule?.interval, intervalUnit: rule?.intervalUnit,
                availabilityZones: areIds ? nil : fast.zones, availabilityZoneIds: areIds ? fast.zones : nil)
        }
        words.archiveRule = schedule.archive.map { .init(retainRule: .init(retentionArchiveTier: rule($0))) }
        words.deprecateRule = schedule.deprecation.flatMap { deprecation in
            guard case .newest(let count) = deprecation, case .newest(let kept) = schedule.retention else {
                return rule(deprecation)
            }
            return .init(count: kept - count)
        }
        if !schedule.copies.isEmpty {
            words.crossRegionCopyRules = schedule.copies.map { copy in
                .init(
                    target: product == .images ? nil : copy.region,
                    targetRegion: product == .images ? copy.region : nil, encrypted: copy.isEncrypted,
                    cmkArn: copy.keyId, copyTags: copy.copiesTags, retainRule: rule(copy.retention),
                    deprecateRule: copy.deprecation.flatMap(rule))
            }
        }
        return words
    }

    private static func write(
        _ reaction: PolicyPlan.Reaction, named name: String, to details: inout DLMPolicyDetails
    ) {
        details.eventSource = .init(
            type: "MANAGED_CWE",
            parameters: .init(
                eventType: "shareSnapshot", snapshotOwner: reaction.owners, descriptionRegex: reaction.description))
        let copies = reaction.copies.map { copy in
            DLMPolicyDetails.ActionCopy(
                target: copy.region,
                encryptionConfiguration: .init(encrypted: copy.isEncrypted, cmkArn: copy.keyId),
                retainRule: rule(copy.retention))
        }
        details.actions = [.init(name: name, crossRegionCopy: copies)]
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
