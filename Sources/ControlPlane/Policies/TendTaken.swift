internal import Blocks
internal import Catalog

/// Sees to what a policy settled for the snapshots it took, besides keeping them: it shares them no more when that time is over,
/// and has the newest or youngest of them restored fast.
///
/// What is to be done follows from the marks, the plan and the clock, so it may be asked at any time. Each thing is done once for
/// a snapshot, and not again when its owner has settled it otherwise: the mark says how far it is.
///
/// All of it is one transaction each: what is looked at, what is done, and the mark. So a stop at any point leaves it done or not.
struct TendTaken: Sendable {
    let house: Household

    /// One policy's.
    ///
    /// - Returns: when to look again; nil: when another of its snapshots is completed.
    func run(_ policy: String) async throws -> WallTime? {
        let now = house.clock.now()
        let asked = try await house.catalog.change { session -> (Standing, [Taken])? in
            guard let standing = try Standing(policy, session) else { return nil }
            return (standing, try standing.managed(session.policySnapshots(sharedByPolicy: policy), session))
        }
        guard let (standing, shared) = asked else { return nil }
        var times: [WallTime?] = []
        for (made, snapshot) in shared { times.append(try await unshare(made, snapshot, at: now)) }
        times.append(try await restoreFast(standing, at: now))
        return times.compactMap { $0 }.min()
    }

    /// A policy that is at work, and what it manages.
    private struct Standing: Sendable {
        let policy: PolicyRecord
        let plan: PolicyPlan
        private(set) var taken: [Taken] = []

        init?(_ id: String, _ session: CatalogSession) throws {
            guard let policy = try session.policy(id), policy.isEnabled, let plan = PolicyPlan.readable(policy.plan)
            else { return nil }
            self.policy = policy
            self.plan = plan
            taken = try managed(session.policySnapshots(ofPolicy: id), session)
        }

        func managed(_ taken: [Taken], _ session: CatalogSession) throws -> [Taken] {
            let targets = PolicyTargets(session: session, account: policy.account, targets: plan.targets)
            return try taken.filter { try targets.standing(of: $0.made.targetID) != .unmanaged }
        }
    }

    private typealias Taken = (made: PolicySnapshotRecord, snapshot: SnapshotRecord)

    /// - Returns: when the next is to be.
    private func unshare(_ made: PolicySnapshotRecord, _ snapshot: SnapshotRecord, at now: WallTime) async throws
        -> WallTime?
    {
        guard let end = made.sharedUntil, end <= now else { return made.sharedUntil }
        let isDone = try await house.catalog.change {
            try PolicySnapshotRecord.unshare(snapshot, dueAt: now, $0)
        }
        if isDone {
            Failpoint.hit("policy.unshared")
            house.announce(snapshot.id)
        }
        return made.sharedWith.map(\.end).filter { now < $0 }.min()
    }

    // MARK: Fast restores

    private func restoreFast(_ standing: Standing, at now: WallTime) async throws -> WallTime? {
        let (policy, plan, found) = (standing.policy, standing.plan, standing.taken)
        guard
            plan.schedules.contains(where: { $0.fastRestore != nil })
                || found.contains(where: { $0.made.fastZones?.isEmpty == false })
        else { return nil }
        let unknown = Set(plan.schedules.flatMap { $0.fastRestore?.zones ?? [] }).filter {
            house.region.zone($0) == nil
        }
        if let zone = unknown.min() {
            // As of a server that had more of them. The others are seen to all the same.
            let problem = "a fast restore: there is no zone \(zone.quotable) in \(house.region.name)"
            try await house.catalog.change { try $0.setProblem(problem, ofPolicy: policy.id) }
        }
        let (wanted, next) = Self.zones(of: found, plan, at: now, house.region)
        var again = next
        // What is over first: only so many may be fast.
        for (made, snapshot) in found {
            guard let zones = made.fastZones, zones.contains(where: { wanted[snapshot.id]?.contains($0) != true })
            else { continue }
            do {
                if try await settleFast(snapshot.id, of: policy.id, at: now) { Failpoint.hit("policy.no-more-fast") }
            } catch { again = try await note(error, policy, at: now, again) }
        }
        for (made, snapshot) in found where made.fastZones == nil && snapshot.state == .completed {
            do {
                if try await settleFast(snapshot.id, of: policy.id, at: now) { Failpoint.hit("policy.restored-fast") }
            } catch { again = try await note(error, policy, at: now, again) }
        }
        return again
    }

    /// Asks for what plan and marks want by now of one snapshot, or takes back what they do not, and marks that. What its owner has
    /// asked for already is theirs, and gets no mark.
    ///
    /// - Returns: false: nothing was asked for or taken back.
    private func settleFast(_ id: String, of policy: String, at now: WallTime) async throws -> Bool {
        let isDone = try await house.catalog.change { [house] session in
            guard let standing = try Standing(policy, session),
                let (made, snapshot) = standing.taken.first(where: { $0.snapshot.id == id }),
                snapshot.state == .completed
            else { return false }
            let account = standing.policy.account
            let wanted = Self.zones(of: standing.taken, standing.plan, at: now, house.region).zones[id] ?? []
            var own: [String] = [], isDone = false
            if let known = made.fastZones {
                for zone in known {
                    if wanted.contains(zone) {
                        own.append(zone)
                    } else if try house.takeBackFast(id, in: zone, by: account, session) != nil {
                        isDone = true
                    }
                }
            } else {
                for zone in wanted.sorted() where try house.askForFast(id, in: zone, by: account, session).isNew {
                    own.append(zone)
                    isDone = true
                }
            }
            try session.set(fastZones: own, ofPolicySnapshot: id)
            return isDone
        }
        if isDone {
            house.fast.lookSoon()
            house.announce(id)
        }
        return isDone
    }

    private func note(
        _ error: any Error, _ policy: PolicyRecord, at now: WallTime, _ again: WallTime?
    ) async throws -> WallTime {
        let problem = ServiceError.from(error, .policy).message
        try await house.catalog.change { try $0.setProblem("a fast restore: \(problem)", ofPolicy: policy.id) }
        return min(again ?? now + LetGo.pause, now + LetGo.pause)
    }

    /// In which zones each is to be restored fast by now, by what any of its schedules says; and when that changes by itself.
    private static func zones(
        of found: [Taken], _ plan: PolicyPlan, at now: WallTime, _ region: Region
    ) -> (zones: [String: Set<String>], again: WallTime?) {
        var wanted: [String: Set<String>] = [:]
        var ends: [WallTime] = []
        for schedule in plan.schedules {
            guard let rule = schedule.fastRestore else { continue }
            let zones = rule.zones.compactMap { region.zone($0)?.name }
            let own = found.filter {
                $0.made.schedules.contains(schedule.name) && $0.snapshot.state == .completed
                    && $0.snapshot.tier?.isArchived(at: now) != true
            }
            for members in Dictionary(grouping: own, by: \.made.volumeID).values {
                let sorted = members.sorted {
                    ($0.snapshot.createdAt, $0.snapshot.id) < ($1.snapshot.createdAt, $1.snapshot.id)
                }
                for (index, one) in sorted.enumerated() {
                    let isFast: Bool
                    switch rule.retention {
                    case .newest(let count): isFast = index >= sorted.count - count
                    case .age, .forever, .generations:
                        let end = rule.retention.expiry(of: one.snapshot.createdAt)
                        isFast = end.map { now < $0 } ?? true
                        if isFast, let end { ends.append(end) }
                    }
                    if isFast { wanted[one.snapshot.id, default: []].formUnion(zones) }
                }
            }
        }
        return (wanted, ends.min())
    }
}
