internal import Blocks
internal import ControlPlane

/// Automatic snapshot policies in Alibaba's words: some hours on some days of the week, in UTC+8.
struct PolicyWords {
    private static let nameMarks: Set<Unicode.Scalar> = [":", "_", "-"]
    private static let daysAllowed = 1...65_536

    let name: String?
    let when: HoursOfDays
    /// Days; nil: for ever.
    let retention: Int?
    /// To one region at most.
    let copy: PolicyPlan.Copy?
    /// It is on the instances that have any of these; none: on disks that are named.
    let tags: [PolicyPlan.Tag]

    private static let byDisk = "AssociatedWithDisk", byTag = "AssociatedWithInstanceTag"
    private static let tagsAllowed = 1...5

    /// What a request asks for; what it does not say is as it was.
    init(_ call: ECSCall, of old: PolicyWords? = nil) throws(ECSFailure) {
        let parameters = call.parameters
        name = try Self.name(parameters) ?? old?.name
        when = HoursOfDays(
            hours: try Self.numbers("timePoints", 0...23, parameters) ?? old?.when.hours ?? [],
            days: try Self.numbers("repeatWeekdays", 1...7, parameters) ?? old?.when.days ?? [])
        if when.days.isEmpty { throw .missing("repeatWeekdays") }
        if when.hours.isEmpty { throw .missing("timePoints") }
        if let text = parameters.policy("retentionDays") {
            retention = try Self.days(text, orElse: .policyParameter("RetentionDays"))
        } else if let old {
            retention = old.retention
        } else {
            throw .missing("retentionDays")
        }
        tags = try Self.tags(parameters, of: old?.tags ?? [])
        copy = try Self.copy(call, of: old?.copy)
    }

    private static func name(_ parameters: ECSParameters) throws(ECSFailure) -> String? {
        guard let text = parameters.policy("autoSnapshotPolicyName") else { return nil }
        // Nor may it have a full stop, which other names may.
        guard Names.isName(text), !text.contains(".") else {
            throw ECSFailure(
                400, "InvalidSnapshotPolicyName.Malformed", "The specified autoSnapshotPolicyName is wrongly formed.")
        }
        return text
    }

    private static func numbers(
        _ name: String, _ range: ClosedRange<Int>, _ parameters: ECSParameters
    ) throws(ECSFailure) -> [Int]? {
        guard let text = parameters.policy(name) else { return nil }
        let failure = ECSFailure.policyParameter(name == "timePoints" ? "TimePoints" : "RepeatWeekDays")
        guard let items = JSONTexts.read(text), !items.isEmpty else { throw failure }
        let numbers = items.compactMap { Int($0) }.filter { range.contains($0) }
        guard numbers.count == items.count, Set(numbers).count == numbers.count else { throw failure }
        return numbers
    }

    /// -1 is for ever.
    private static func days(_ text: String, orElse failure: ECSFailure) throws(ECSFailure) -> Int? {
        guard let days = Int(text), days == -1 || daysAllowed.contains(days) else { throw failure }
        return days == -1 ? nil : days
    }

    /// A tag without a value would be any value's, which a policy cannot say: better refused than one that leaves out what somebody
    /// counts on.
    private static func tags(
        _ parameters: ECSParameters, of old: [PolicyPlan.Tag]
    ) throws(ECSFailure) -> [PolicyPlan.Tag] {
        let numbers = parameters.numbers("TargetTags")
        switch parameters.policy("associationType") ?? (old.isEmpty ? byDisk : byTag) {
        case byDisk:
            guard numbers.isEmpty else { throw .parameter("TargetTags") }
            return []
        case byTag:
            var tags: [PolicyPlan.Tag] = []
            for number in numbers {
                guard let key = parameters["TargetTags.\(number).Key"], Tags.isText(key, 1...128),
                    let value = parameters.raw("TargetTags.\(number).Value"), Tags.isText(value, 0...128)
                else { throw .parameter("TargetTags") }
                tags.append(PolicyPlan.Tag(key: key, value: value))
            }
            if tags.isEmpty { tags = old }
            guard tagsAllowed.contains(tags.count), Set(tags).count == tags.count else {
                throw .parameter("TargetTags")
            }
            return tags
        default: throw .parameter("AssociationType")
        }
    }

    // MARK: Copies

    private static func copy(
        _ call: ECSCall, of old: PolicyPlan.Copy?
    ) throws(ECSFailure) -> PolicyPlan.Copy? {
        let parameters = call.parameters
        let badDays = ECSFailure(
            403, "InvalidParameter.CopiedSnapshotsRetentionDays",
            "The specified CopiedSnapshotsRetentionDays is invalid.")
        let days = try parameters.policy("copiedSnapshotsRetentionDays").map { (text) throws(ECSFailure) in
            try Self.days(text, orElse: badDays)
        }
        let region = try Self.region(call)
        let isEncrypted = try parameters.flag("CopyEncryptionConfiguration.Encrypted")
        let inLowerCase = try parameters.flag("enableCrossRegionCopy")
        let inUpperCase = try parameters.flag("EnableCrossRegionCopy")
        guard inUpperCase ?? inLowerCase ?? (old != nil) else { return nil }
        guard let region = region ?? old?.region else { throw targets }
        var copy = old ?? PolicyPlan.Copy(to: region, keeping: .forever)
        copy.region = region
        if let days { copy.retention = Self.retention(days) }
        if let isEncrypted {
            copy.isEncrypted = isEncrypted
            copy.keyId = isEncrypted ? parameters["CopyEncryptionConfiguration.KMSKeyId"] : nil
        }
        return copy
    }

    private static let targets = ECSFailure(
        403, "InvalidParameter.TargetCopyRegions", "The specified TargetCopyRegions is invalid.")

    private static func region(_ call: ECSCall) throws(ECSFailure) -> String? {
        guard let text = call.parameters.policy("targetCopyRegions") else { return nil }
        guard let names = JSONTexts.read(text), names.count == 1, names[0] != call.region.name,
            call.regions.contains(where: { $0.name == names[0] })
        else { throw targets }
        return names[0]
    }

    private static func retention(_ days: Int?) -> Retention {
        days.map { .age(amount: $0, unit: .days) } ?? .forever
    }

    // MARK: Plans

    /// Nil: the policy has more in it than this cloud has words for.
    init?(_ plan: PolicyPlan) {
        guard let when = HoursOfDays(plan) ?? HoursOfDays(plan, ofInstances: true), let schedule = plan.schedules.first,
            schedule.copies.count <= 1, !schedule.hasInstantAccess, schedule.quiesce == nil,
            let retention = Self.days(schedule.retention),
            schedule.copies.allSatisfy({ Self.days($0.retention) != nil })
        else { return nil }
        self.when = when
        self.retention = retention
        name = plan.name
        copy = schedule.copies.first
        tags = plan.targets.tags
    }

    /// Days, or none where it is for ever; nil: neither.
    private static func days(_ retention: Retention) -> Int?? {
        switch retention {
        case .forever: .some(nil)
        case .age(let days, .days) where daysAllowed.contains(days): .some(days)
        default: nil
        }
    }

    /// The plan of it, on volumes if it is not on instances.
    func plan(on volumes: [String]) -> PolicyPlan {
        let kept = Self.retention(retention), copies = copy.map { [$0] } ?? []
        guard tags.isEmpty else {
            return when.plan(named: name, onInstancesWith: tags, keeping: kept, copies: copies)
        }
        return when.plan(named: name, on: volumes, keeping: kept, copies: copies)
    }

    /// An item of `AutoSnapshotPolicies.AutoSnapshotPolicy`.
    ///
    /// - Parameters:
    ///   - disks: that are under it.
    ///   - group: the resource group that it is in.
    func write(_ policy: PolicyView, disks: Int, in group: String, _ call: ECSCall) -> ECSValue {
        var fields = ECSFields()
        fields.add("AutoSnapshotPolicyId", ECSID.name(policy.id, .policy) ?? policy.id)
        fields.add("AutoSnapshotPolicyName", name ?? "")
        fields.add("RegionId", call.region.name)
        fields.add("Status", policy.isEnabled ? "Normal" : "Expire")
        fields.add("TimePoints", Self.texts(when.hours))
        fields.add("RepeatWeekdays", Self.texts(when.days))
        fields.add("RetentionDays", retention ?? -1)
        fields.add("DiskNums", disks)
        fields.add("VolumeNums", 0)
        fields.add("CreationTime", policy.createdAt.ecs)
        fields.add("EnableCrossRegionCopy", copy != nil)
        fields.add("TargetCopyRegions", copy.map { ECSJSON.text(.array([.text($0.region)])) } ?? "")
        if let copy {
            fields.add("CopiedSnapshotsRetentionDays", Self.days(copy.retention).flatMap { $0 } ?? -1)
            fields.add(
                "CopyEncryptionConfiguration",
                ECSFields.of {
                    $0.add("Encrypted", copy.isEncrypted)
                    $0.add("KMSKeyId", copy.keyId)
                }.value)
        }
        fields.add("AssociationType", tags.isEmpty ? Self.byDisk : Self.byTag)
        fields.add(
            "TargetTags", listOf: "TargetTag",
            tags.map { tag in
                ECSFields.of {
                    $0.add("TagKey", tag.key)
                    $0.add("TagValue", tag.value)
                }.value
            })
        fields.add("ResourceGroupId", group)
        fields.add("Type", "Custom")
        Tags.write(policy.tags, into: &fields)
        return fields.value
    }

    /// A JSON array of texts in one value, as requests have it.
    private static func texts(_ numbers: [Int]) -> String {
        ECSJSON.text(.array(numbers.map { .text(String($0)) }))
    }
}

extension ECSFailure {
    static func policyParameter(_ name: String) -> ECSFailure {
        ECSFailure(403, "ParameterInvalid", "The specified \(name) parameter is invalid.")
    }
    static let noPolicy = ECSFailure(
        404, "ParameterInvalid", "The specified automatic snapshot policy does not exist.")
}

extension ECSParameters {
    /// A parameter of the actions on policies, whose names begin in lower case; in upper case it is taken, too.
    func policy(_ name: String) -> String? { self[name] ?? self[name.prefix(1).uppercased() + name.dropFirst()] }

    func neededPolicy(_ name: String) throws(ECSFailure) -> String {
        guard let value = policy(name) else { throw .missing(name) }
        return value
    }
}
