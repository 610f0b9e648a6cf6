internal import Blocks
internal import Catalog

/// Deletes what a policy's retention does not keep any more, here and of its copies in other regions.
///
/// What may go follows from the catalogs alone, so it may be asked at any time and a stop loses nothing. Each deletion asks again
/// in the transaction that marks the snapshot: whether retention still lets it go, by the plan, the targets and the other
/// snapshots as they are then, and whether nobody uses it. The store is not waited for: a run that is due is not to wait with it.
///
/// A copy is in another catalog than its policy, which no transaction spans: whoever changes a policy does so in its lane, and a
/// copy's deletion is marked in it too. So none is marked by a plan that is no more; of the targets' tags what was so a moment
/// before counts.
struct LetGo: Sendable {
    let house: Household

    private struct Kept: Error {}

    /// How long what is surplus and in use is left alone.
    private static let pause = Duration.seconds(60)

    /// What orders a policy's changes with the deletion of its copies.
    static func lane(of policy: String) -> String { "plan \(policy)" }

    /// One policy's.
    ///
    /// - Returns: when to look again; nil: when another of its snapshots is completed.
    func run(_ policy: String) async throws -> WallTime? {
        let now = house.clock.now()
        let asked = try await house.catalog.change { session -> (Rules, Surplus)? in
            guard let rules = try Rules(policy, session) else { return nil }
            return (rules, try rules.surplus(at: now, session))
        }
        guard let (rules, first) = asked else { return nil }
        var found = first
        for id in found.ids {
            if Task.isCancelled { return found.again }
            let isDone = await delete(id, by: rules, in: house) { session in
                guard let rules = try Rules(policy, session), try rules.surplus(at: now, session).ids.contains(id),
                    try !session.owesCopy(of: id)
                else { throw Kept() }
            }
            if !isDone { found.look(at: now + Self.pause) }
        }
        for region in rules.plan.regions.sorted() {
            guard let away = house.neighbours[region] else { continue }
            if let time = try await letGoCopies(of: policy, in: away, at: now) { found.look(at: time) }
        }
        return found.again
    }

    private func letGoCopies(of policy: String, in away: Household, at now: WallTime) async throws -> WallTime? {
        let targets = try await away.catalog.change { session in
            Set(try session.policySnapshots(ofPolicy: policy).map(\.made.targetID))
        }
        if targets.isEmpty { return nil }
        @Sendable func present() async throws -> Rules? {
            try await house.catalog.change { try Rules(policy, copiesTo: away.region.name, targets, $0) }
        }
        guard let rules = try await present() else { return nil }
        var found = try await away.catalog.change { try rules.surplus(at: now, $0) }
        for id in found.ids {
            if Task.isCancelled { return found.again }
            let isDone = try await house.lanes.run(Self.lane(of: policy)) {
                guard let rules = try await present() else { return true }
                return await delete(id, by: rules, in: away) { session in
                    guard try rules.surplus(at: now, session).ids.contains(id) else { throw Kept() }
                }
            }
            if !isDone { found.look(at: now + Self.pause) }
        }
        return found.again
    }

    /// - Returns: false if it is in use, or locked, or kept after all.
    private func delete(
        _ id: String, by rules: Rules, in region: Household,
        provided condition: @escaping @Sendable (CatalogSession) throws -> Void
    ) async -> Bool {
        do {
            try await DeleteSnapshot(house: region).begin(id, waiting: false) { session in
                try condition(session)
                guard try session.snapshotExport(id) == nil, try session.volumes(hydratingFrom: id).isEmpty else {
                    throw Kept()
                }
            }
            Failpoint.hit("policy.let-go")
            // Right after: a kill between the two loses it.
            try await region.catalog.change { [now = region.clock.now()] session in
                try session.insert(
                    EventRecord.own("snapshot.delete", [id], because: rules.policy, of: rules.account, at: now))
            }
            return true
        } catch let error as ServiceError where error.code == .missing {
            return true
        } catch { return false }
    }
}

/// What may go, and when to look again.
struct Surplus: Sendable {
    var ids: [String] = []
    var again: WallTime?

    mutating func look(at time: WallTime) { again = min(time, again ?? time) }
}

extension LetGo {
    /// How long what a policy made in one region is kept.
    struct Rules: Sendable {
        let policy: String
        let plan: PolicyPlan
        /// By the schedules' names.
        private let retentions: [(schedule: String, retention: Retention, zone: ZoneOffset)]
        /// Of copies: as it was found in the policy's region.
        private let standings: [String: PolicyTargets.Standing]?
        let account: String

        /// Of its snapshots in its own region; nil: it is gone or paused, and keeps all.
        init?(_ id: String, _ session: CatalogSession) throws {
            guard let record = try session.policy(id), record.isEnabled else { return nil }
            policy = id
            account = record.account
            plan = try PolicyPlan(text: record.plan)
            retentions = plan.schedules.map { ($0.name, $0.retention, $0.when.zone) }
            standings = nil
        }

        /// Of its copies in another region.
        ///
        /// - Parameter session: of the policy's region.
        init?(_ id: String, copiesTo region: String, _ targets: Set<String>, _ session: CatalogSession) throws {
            guard let record = try session.policy(id), record.isEnabled else { return nil }
            policy = id
            account = record.account
            let plan = try PolicyPlan(text: record.plan)
            self.plan = plan
            retentions = plan.schedules.flatMap { schedule in
                schedule.copies.filter { $0.region == region }.map { (schedule.name, $0.retention, schedule.when.zone) }
            }
            let known = PolicyTargets(session: session, account: record.account, targets: plan.targets)
            standings = Dictionary(uniqueKeysWithValues: try targets.map { ($0, try known.standing(of: $0)) })
        }

        /// - Parameter session: of the region whose snapshots are meant.
        func surplus(at now: WallTime, _ session: CatalogSession) throws -> Surplus {
            let targets = PolicyTargets(session: session, account: account, targets: plan.targets)
            var surplus = Surplus()
            // Copies that failed are seen to by ``CopyTaken``.
            let made = try session.policySnapshots(ofPolicy: policy).filter {
                standings == nil || $0.snapshot.state != .error
            }
            for (group, members) in Dictionary(grouping: made, by: { [$0.made.volumeID, $0.made.targetID] }) {
                let standing = try standings.map { $0[group[1]] ?? .unmanaged } ?? targets.standing(of: group[1])
                if standing == .unmanaged { continue }
                let damaged = Set(try members.map(\.snapshot.id).filter { try session.damage(of: $0) != nil })
                // What several schedules took together goes when all of them that are still there let it go.
                var keeping: [String: Int] = [:]
                for (schedule, retention, zone) in retentions {
                    let own = members.filter { $0.made.schedules.contains(schedule) }
                        .map { Retention.Kept($0.made, $0.snapshot) }
                        .sorted { ($0.takenAt, $0.id) < ($1.takenAt, $1.id) }
                    for one in own { keeping[one.id, default: 0] += 1 }
                    let found = Self.surplus(of: own, damaged) {
                        retention.surplus(of: $0, at: now, in: zone, isTargetGone: standing == .gone)
                    }
                    for id in found.ids { keeping[id, default: 0] -= 1 }
                    if let time = found.again { surplus.look(at: time) }
                }
                surplus.ids += members.map(\.snapshot.id).filter { keeping[$0] == 0 }
            }
            return surplus
        }

        /// One schedule's of one volume. What is damaged replaces nothing, and goes when it would go in any case; where all
        /// are, all stay.
        private static func surplus(
            of all: [Retention.Kept], _ damaged: Set<String>,
            _ ask: ([Retention.Kept]) -> (surplus: [String], again: WallTime?)
        ) -> Surplus {
            let whole = all.filter { !damaged.contains($0.id) }
            var (ids, again) = ask(whole)
            if whole.count < all.count, !whole.isEmpty {
                let beside = ask(all)
                ids += beside.surplus.filter(damaged.contains)
                again = [again, beside.again].compactMap { $0 }.min()
            }
            return Surplus(ids: Array(Set(ids)), again: again)
        }
    }
}

extension Retention.Kept {
    init(_ made: PolicySnapshotRecord, _ snapshot: SnapshotRecord) {
        let state: State =
            switch snapshot.state {
            case .creating, .pending: .pending
            case .completed: .completed
            case .error: .failed
            }
        self.init(
            id: snapshot.id, takenAt: made.cutAt ?? snapshot.createdAt, state: state, expiresAt: made.expiresAt,
            begunAt: snapshot.createdAt)
    }
}
