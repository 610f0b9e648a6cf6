internal import Blocks

/// Some hours on some days of the week, by the clock of Beijing: when the policies of clouds run that volumes are put under one by
/// one, or that are on the instances with some tags. Each such cloud has its own words for it.
public struct HoursOfDays: Equatable, Sendable {
    /// 0 to 23, each once, in order.
    public var hours: [Int]
    /// 1, Monday, to 7, each once, in order.
    public var days: [Int]

    private static let zone = ZoneOffset(minutes: 480)
    private static let schedule = "auto"

    /// Those; none of either makes a plan that is refused.
    public init(hours: [Int], days: [Int]) {
        self.hours = Set(hours).sorted()
        self.days = Set(days).sorted()
    }

    /// When a plan runs; nil: it is more than this can say.
    ///
    /// - Parameter isOfInstances: of one that is on the instances with some tags; else on volumes.
    public init?(_ plan: PolicyPlan, ofInstances isOfInstances: Bool = false) {
        guard isOfInstances ? plan.targets.areTaggedInstances : plan.targets.areNamedVolumes,
            plan.product == .snapshots, plan.schedules.count == 1, let schedule = plan.schedules.first,
            case .weekly(let weekdays, let times, let zone) = schedule.when, zone == Self.zone,
            times.allSatisfy({ $0.minutes % 60 == 0 })
        else { return nil }
        self.init(hours: times.map { $0.minutes / 60 }, days: weekdays.map { $0.number + 1 })
    }

    /// The plan of a policy that runs then, on volumes.
    public func plan(
        named name: String?, on volumes: [String], keeping retention: Retention, copies: [PolicyPlan.Copy] = []
    ) -> PolicyPlan {
        var targets = PolicyPlan.Targets(.volumes, ids: volumes)
        targets.mayBeNone = true
        return plan(named: name, on: targets, keeping: retention, copies: copies)
    }

    /// The plan of a policy that runs then, on the instances that have any of some tags.
    public func plan(
        named name: String?, onInstancesWith tags: [PolicyPlan.Tag], keeping retention: Retention,
        copies: [PolicyPlan.Copy] = []
    ) -> PolicyPlan {
        plan(named: name, on: PolicyPlan.Targets(.instances, tags: tags), keeping: retention, copies: copies)
    }

    private func plan(
        named name: String?, on targets: PolicyPlan.Targets, keeping retention: Retention, copies: [PolicyPlan.Copy]
    ) -> PolicyPlan {
        let when = Recurrence.weekly(
            days: days.map { Weekday.allCases[$0 - 1] }, at: hours.map { TimeOfDay(minutes: $0 * 60) }, zone: Self.zone)
        return PolicyPlan(
            name: name, targets: targets,
            schedules: [PolicyPlan.Schedule(Self.schedule, when, keeping: retention, copies: copies)])
    }
}

extension PolicyPlan.Targets {
    /// Volumes that are put under the policy one by one?
    fileprivate var areNamedVolumes: Bool { mayBeNone && kind == .volumes && tags.isEmpty }

    /// All volumes of the instances that have any of some tags?
    fileprivate var areTaggedInstances: Bool {
        kind == .instances && !tags.isEmpty && ids.isEmpty && !excludesBootVolume && excludedTags.isEmpty
            && lacking == nil && !mayBeNone
    }
}
