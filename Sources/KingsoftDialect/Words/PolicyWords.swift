internal import Blocks
internal import ControlPlane

/// Automatic snapshot policies in Kingsoft's words: some hours on some days of the week, by the clock of Beijing.
struct PolicyWords {
    /// Automatic snapshots of a volume that one without a retention time keeps: the newest takes the oldest one's place.
    private static let keptMax = 7

    let name: String
    /// 0 to 23.
    var hours: [Int]
    /// 1, Monday, to 7.
    var days: [Int]
    /// Days; 0: no time is set.
    var retention: Int
    /// Of its snapshots: see ``SnapshotTypes``.
    var isLocal: Bool

    /// What a request asks for; what it does not say is as it was.
    init(_ parameters: KingsoftParameters, of old: PolicyWords? = nil) throws(KingsoftFailure) {
        guard let name = parameters["AutoSnapshotPolicyName"] ?? old?.name else {
            throw .required("AutoSnapshotPolicyName")
        }
        self.name = try Names.wide("AutoSnapshotPolicyName", name, lengths: 2...64)
        hours = try Self.numbers("AutoSnapshotTime", parameters, in: 0...23) ?? old?.hours ?? []
        days = try Self.numbers("AutoSnapshotDate", parameters, in: 1...7) ?? old?.days ?? []
        if hours.isEmpty { throw .required("AutoSnapshotTime") }
        if days.isEmpty { throw .required("AutoSnapshotDate") }
        retention = try parameters.number("RetentionTime", in: 0...9999) ?? old?.retention ?? 0
        isLocal = try SnapshotTypes.isLocal("SnapshotType", parameters) ?? old?.isLocal ?? false
    }

    private static func numbers(
        _ name: String, _ parameters: KingsoftParameters, in range: ClosedRange<Int>
    ) throws(KingsoftFailure) -> [Int]? {
        let texts = parameters.list(name)
        guard !texts.isEmpty else { return nil }
        var numbers: Set<Int> = []
        for text in texts {
            guard let number = Int(text), range.contains(number) else {
                throw .wrong(name, "It is \(text.shortened); \(range.lowerBound) to \(range.upperBound) are allowed.")
            }
            numbers.insert(number)
        }
        return numbers.sorted()
    }

    /// Nil: the policy has more in it than this cloud has words for.
    init?(_ plan: PolicyPlan) {
        guard let when = HoursOfDays(plan), plan.schedules[0].copies.isEmpty else { return nil }
        name = plan.name ?? ""
        hours = when.hours
        days = when.days
        switch plan.schedules[0].retention {
        case .age(let amount, .days): retention = amount
        case .newest(Self.keptMax): retention = 0
        // Said here, any change would make it another one.
        default: return nil
        }
        isLocal = plan.schedules[0].hasInstantAccess
    }

    /// `auto-<20 letters or digits of its name>`, before the time: what names of snapshots may have in this cloud.
    private var naming: String {
        let letters = String(name.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }.prefix(20))
        return letters.isEmpty ? "auto" : "auto-" + letters
    }

    /// The plan of it, on volumes.
    func plan(on volumes: [String]) -> PolicyPlan {
        let kept = retention == 0 ? Retention.newest(count: Self.keptMax) : .age(amount: retention, unit: .days)
        var plan = HoursOfDays(hours: hours, days: days).plan(named: name, on: volumes, keeping: kept)
        plan.schedules[0].hasInstantAccess = isLocal
        plan.naming = naming
        return plan
    }

    /// As lists have it: numbers as texts, since that is what clients read.
    func fields(_ policy: PolicyView, _ uuid: String, volumes: Int) -> KingsoftFields {
        .with { fields in
            fields.add("AutoSnapshotPolicyId", uuid)
            fields.add("AutoSnapshotPolicyName", name)
            fields.add("AutoSnapshotTime", .texts(hours.map(String.init)))
            fields.add("AutoSnapshotDate", .texts(days.map(String.init)))
            fields.add("AttachLocalVolumeNum", 0)
            fields.add("AttachEBSVolumeNum", volumes)
            fields.add("CreationDate", KingsoftTime.text(policy.createdAt))
            fields.add("RetentionTime", retention)
            fields.add("SnapshotType", SnapshotTypes.policyWord(isLocal))
        }
    }
}
