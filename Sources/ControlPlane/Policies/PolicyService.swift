internal import Blocks
internal import Catalog

/// The verbs on policies. Every error is a ``ServiceError``.
public struct PolicyService: Sendable {
    let house: Household
    let caller: Caller

    init(_ house: Household, _ caller: Caller) {
        self.house = house
        self.caller = caller
    }

    /// Makes a policy. Enabled, it runs when its schedules are due the next time.
    ///
    /// - Parameters:
    ///   - most: policies that the account may have then; nil: as many as its quota allows.
    ///   - resourceGroup: that it is to be in; nil: none.
    public func create(
        _ plan: PolicyPlan, isEnabled: Bool = true, tags: [String: String] = [:], atMost most: Int? = nil,
        resourceGroup: String? = nil
    ) async throws -> PolicyView {
        try await ServiceError.about(.policy) {
            try caller.mayChange(.policy)
            let now = house.clock.now()
            try await check(plan, at: now)
            try TagRules.check(tags)
            try TagRules.check(count: tags.count, of: "the policy")
            try ResourceGroupService.check(resourceGroup)
            let record = PolicyRecord(
                id: Identifier.policy.next(), account: caller.account, isEnabled: isEnabled, plan: try plan.text(),
                createdAt: now)
            try await house.catalog.change { session in
                try session.mustHave(account: record.account)
                let count = try session.policies(of: record.account).count + 1
                try Quota.policies.check(count, of: record.account, .policy, session)
                if let most, count > most {
                    throw ServiceError(
                        .limitExceeded, .policy, "there are \(most) policies: that is the most", quota: .policies)
                }
                try Self.mustBeOnlyOne(plan, in: record.account, session)
                try session.insert(record)
                try Self.schedule(record.id, plan, isEnabled: isEnabled, at: now, session)
                for (key, value) in tags { try session.setTag(key, to: value, on: record.id) }
                try session.place(record.id, of: record.account, in: resourceGroup)
            }
            house.scheduler.plan()
            house.announce(record.id)
            return try await views(of: [record])[0]
        }
    }

    /// One policy.
    public func show(_ id: String) async throws -> PolicyView {
        try await ServiceError.about(.policy) { try await views(of: [record(id)])[0] }
    }

    /// Every policy of the account, oldest first.
    public func list() async throws -> [PolicyView] {
        try await ServiceError.about(.policy) {
            try await views(of: house.catalog.change { [caller] in try $0.policies(of: caller.account) })
        }
    }

    /// The same without how their schedules stand, which others need not be told: costs what the policies are, whatever they took.
    public func outlines() async throws -> [PolicyView] {
        try await ServiceError.about(.policy) {
            try await house.catalog.change { [caller] session in
                let tags = try session.tags(ofAll: .policies, in: caller.account)
                return try session.policies(of: caller.account).map { Self.view($0, [], tags[$0.id]) }
            }
        }
    }

    /// Gives it another plan, pauses it or goes on with it: all that is said, in one transaction, or nothing.
    ///
    /// Schedules that stay as they were keep their next time; snapshots of those that go stay, unmanaged. Paused, it takes no
    /// snapshots and lets none go; when it goes on, what would have come meanwhile is not caught up.
    public func change(_ id: String, to plan: PolicyPlan? = nil, isEnabled: Bool? = nil) async throws -> PolicyView {
        try await ServiceError.about(.policy) {
            try await change(id, to: plan, isEnabled: isEnabled) { _ in }
        }
    }

    /// The same with a plan that was made out of the one it has.
    ///
    /// - Returns: nil: it has another one by now, and nothing is changed.
    public func change(
        _ id: String, from before: PolicyPlan, to plan: PolicyPlan, isEnabled: Bool? = nil
    ) async throws -> PolicyView? {
        struct HasAnother: Error {}
        return try await ServiceError.about(.policy) {
            do {
                return try await change(id, to: plan, isEnabled: isEnabled) { present in
                    guard present == before else { throw HasAnother() }
                }
            } catch is HasAnother { return nil }
        }
    }

    /// Gives it the plan that `body` makes out of the one it has; made again if somebody else changes it meanwhile.
    public func change(
        _ id: String, by body: @Sendable (PolicyPlan) throws -> PolicyPlan
    ) async throws -> PolicyView {
        while true {
            guard let before = try await show(id).plan else { throw Self.unreadable(id) }
            if let changed = try await change(id, from: before, to: body(before)) { return changed }
        }
    }

    /// Pauses it, or goes on with it.
    public func set(isEnabled: Bool, of id: String) async throws -> PolicyView {
        try await change(id, isEnabled: isEnabled)
    }

    private func change(
        _ id: String, to plan: PolicyPlan?, isEnabled: Bool?,
        provided condition: @escaping @Sendable (PolicyPlan?) throws -> Void
    ) async throws -> PolicyView {
        try caller.mayChange(.policy)
        let known = PolicyPlan.readable(try await record(id).plan)?.targets.ids ?? []
        if let plan { try await check(plan, at: house.clock.now(), knowing: known) }
        return try await rewrite(id) { record, session in
            let before = PolicyPlan.readable(record.plan)
            try condition(before)
            // What it makes, and whether the other plan makes the same, nobody knows.
            guard before != nil || plan == nil && isEnabled == false else { throw Self.unreadable(id) }
            if let isEnabled { record.isEnabled = isEnabled }
            guard let plan, let before else { return }
            guard before.product == plan.product, (before.reaction == nil) == (plan.reaction == nil),
                before.targets.lacking == nil && plan.targets.lacking == nil || before.targets.kind == plan.targets.kind
            else {
                throw ServiceError(.invalid, .policy, "what a policy makes cannot be changed: make another one")
            }
            try Self.mustBeOnlyOne(plan, in: record.account, besides: id, session)
            record.plan = try plan.text()
        }
    }

    /// Takes snapshots now, as if all its schedules were due, also while it is paused.
    public func run(_ id: String) async throws -> TaskView {
        try await ServiceError.about(.policy) {
            try caller.mayChange(.policy)
            _ = try await record(id)
            let task = try await house.catalog.change { [house] session in
                guard let policy = try session.policy(id) else { throw Self.noPolicy(id) }
                let names = try PolicyPlan(text: policy.plan).schedules.map(\.name)
                guard !names.isEmpty else {
                    throw ServiceError(
                        .wrongState, .policy, "the policy \(id) has no schedules: it waits for what is shared")
                }
                let order = RunPolicy.Order(
                    due: house.clock.now().milliseconds, schedules: names, isRequested: true)
                let task = try RunPolicy.task(order, of: policy, house)
                try session.insert(task)
                return task
            }
            Failpoint.hit("policy.requested")
            await RunPolicy(house: house).run(task)
            return try await TaskService(house, caller).show(task.id)
        }
    }

    /// Removes it. What it took stays, for its owner to delete; of one that lets all go, until its time is over. One whose plan
    /// cannot be read lets nothing go.
    public func delete(_ id: String) async throws {
        try await ServiceError.about(.policy) {
            try caller.mayChange(.policy)
            _ = try await record(id)
            try await house.lanes.run(LetGo.lane(of: id)) {
                try await house.catalog.change { session in
                    guard let record = try session.policy(id) else { return }
                    if PolicyPlan.readable(record.plan)?.letsAllGo == true {
                        try session.end(policy: id)
                    } else {
                        try session.deletePolicy(id)
                    }
                }
            }
            house.scheduler.look(at: id)
            house.announce(id)
        }
    }

    // MARK: Records

    func record(_ id: String) async throws -> PolicyRecord {
        try Identifier.policy.check(id, .policy)
        guard let record = try await house.catalog.change({ try $0.policy(id) }), record.account == caller.account
        else {
            throw Self.noPolicy(id)
        }
        return record
    }

    static func noPolicy(_ id: String) -> ServiceError {
        ServiceError(.missing, .policy, "there is no policy \(id)")
    }

    private static func unreadable(_ id: String) -> ServiceError {
        ServiceError(
            .wrongState, .policy,
            "the plan of \(id) cannot be read by this version: the policy can be paused and deleted, and nothing else")
    }

    /// - Parameter known: targets that were checked when they were named, and may be gone since.
    private func check(_ plan: PolicyPlan, at now: WallTime, knowing known: [String] = []) async throws {
        try plan.check(at: now)
        for zone in plan.schedules.flatMap({ $0.fastRestore?.zones ?? [] }) where house.region.zone(zone) == nil {
            throw ServiceError(
                .invalid, .policy, "there is no zone \(zone.quotable) in \(house.region.name) to restore fast in")
        }
        for region in plan.regions {
            guard region != house.region.name || plan.reaction != nil else {
                throw ServiceError(
                    .invalid, .policy, "a policy copies to other regions, and not to \(region), where it is")
            }
            guard house.neighbours[region] != nil else { throw Household.noRegion(region, house.neighbours) }
        }
        for id in plan.targets.ids where !known.contains(id) {
            switch plan.targets.kind {
            case .volumes: _ = try await house.volumeRecord(id, for: caller)
            case .instances: _ = try await InstanceService(house, caller).record(id)
            }
        }
    }

    /// There is one policy at most on whatever lacks a backup, of volumes and of instances.
    private static func mustBeOnlyOne(
        _ plan: PolicyPlan, in account: String, besides id: String? = nil, _ session: CatalogSession
    ) throws {
        guard plan.targets.lacking != nil else { return }
        for other in try session.policies(of: account) where other.id != id {
            guard let known = PolicyPlan.readable(other.plan), known.targets.lacking != nil,
                known.targets.kind == plan.targets.kind
            else { continue }
            throw ServiceError(
                .limitExceeded, .policy,
                "\(other.id) is on all \(plan.targets.kind.rawValue) that lack a backup already: one is the most")
        }
    }

    /// Changes a policy in its lane, and in those of others that are changed with it.
    func rewrite(
        _ id: String, with others: [String] = [],
        _ body: @escaping @Sendable (inout PolicyRecord, CatalogSession) throws -> Void
    ) async throws -> PolicyView {
        _ = try await record(id)
        let now = house.clock.now()
        let changed = try await house.lanes.run(([id] + others).map(LetGo.lane(of:))) {
            try await house.catalog.change { session in
                guard let before = try session.policy(id) else { throw Self.noPolicy(id) }
                var record = before
                try body(&record, session)
                record.modifiedAt = now
                try session.update(record)
                let old = before.isEnabled ? PolicyPlan.readable(before.plan) : nil
                guard let plan = PolicyPlan.readable(record.plan) else { return record }
                try Self.schedule(id, plan, instead: old, isEnabled: record.isEnabled, at: now, session)
                try session.deleteOwedCopies(ofPolicy: id, butTo: plan.regions)
                return record
            }
        }
        house.scheduler.plan()
        house.scheduler.look(at: id)
        house.announce(id)
        return try await views(of: [changed])[0]
    }

    /// - Parameter old: what ran until now; nil: nothing did.
    private static func schedule(
        _ id: String, _ plan: PolicyPlan, instead old: PolicyPlan? = nil, isEnabled: Bool, at now: WallTime,
        _ session: CatalogSession
    ) throws {
        let known = Dictionary(try session.schedules(ofPolicy: id).map { ($0.name, $0) }) { first, _ in first }
        try session.deleteSchedules(ofPolicy: id)
        for schedule in plan.schedules {
            let stays = old?.schedules.first { $0.name == schedule.name }?.when == schedule.when
            let next = stays ? known[schedule.name]?.nextAt : schedule.when.next(after: now)
            try session.put(
                PolicyScheduleRecord(
                    policyID: id, name: schedule.name, nextAt: isEnabled ? next : nil,
                    lastAt: known[schedule.name]?.lastAt))
        }
    }

    private func views(of records: [PolicyRecord]) async throws -> [PolicyView] {
        try await house.catalog.change { [caller] session in
            let tags = try session.tags(ofAll: .policies, in: caller.account)
            return try records.map { record in
                let known = try session.schedules(ofPolicy: record.id),
                    made = try session.keptCounts(ofPolicy: record.id)
                let standings = (PolicyPlan.readable(record.plan)?.schedules ?? []).map { schedule in
                    let times = known.first { $0.name == schedule.name }
                    return PolicyView.Standing(
                        schedule: schedule.name, nextAt: times?.nextAt, lastAt: times?.lastAt,
                        keptCount: made.reduce(0) { $0 + ($1.schedules.contains(schedule.name) ? $1.count : 0) })
                }
                return Self.view(record, standings, tags[record.id])
            }
        }
    }

    private static func view(
        _ record: PolicyRecord, _ standings: [PolicyView.Standing], _ tags: [String: String]?
    ) -> PolicyView {
        let plan = PolicyPlan.readable(record.plan)
        return PolicyView(
            id: record.id, ownerId: record.account, isEnabled: record.isEnabled, plan: plan, standings: standings,
            problem: plan == nil ? PolicyPlan.unreadable : record.problem, tags: tags, createdAt: record.createdAt,
            modifiedAt: record.modifiedAt)
    }
}
