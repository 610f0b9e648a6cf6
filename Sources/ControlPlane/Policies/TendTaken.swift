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

        /// - Parameter volume: with what was taken of this one alone; nil: of all.
        init?(_ id: String, of volume: String? = nil, _ session: CatalogSession) throws {
            guard let policy = try session.policy(id), policy.isEnabled, let plan = PolicyPlan.readable(policy.plan)
            else { return nil }
            self.policy = policy
            self.plan = plan
            taken = try managed(
                volume.map { try session.policySnapshots(ofPolicy: id, volume: $0) }
                    ?? session.policySnapshots(ofPolicy: id), session)
        }

        func managed(_ taken: [Taken], _ session: CatalogSession) throws -> [Taken] {
            let targets = PolicyTargets(session: session, account: policy.account, targets: plan.targets)
            // Many of one target: it is asked about once.
            var standings: [String: PolicyTargets.Standing] = [:]
            for target in Set(taken.map(\.made.targetID)) { standings[target] = try targets.standing(of: target) }
            return taken.filter { standings[$0.made.targetID] != .unmanaged }
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
                if try await settleFast(made, at: now) { Failpoint.hit("policy.no-more-fast") }
            } catch { again = try await note(error, policy, at: now, again) }
        }
        let open = found.filter { $0.made.fastZones == nil && $0.snapshot.state == .completed }
        try await settleUnwanted(open.map(\.snapshot.id).filter { wanted[$0] == nil }, of: policy.id, at: now)
        for (made, snapshot) in open where wanted[snapshot.id] != nil {
            do {
                if try await settleFast(made, at: now) { Failpoint.hit("policy.restored-fast") }
            } catch { again = try await note(error, policy, at: now, again) }
        }
        return again
    }

    /// Asks for what plan and marks want by now of one snapshot, or takes back what they do not, and marks that. What its owner has
    /// asked for already is theirs, and gets no mark.
    ///
    /// - Returns: false: nothing was asked for or taken back.
    private func settleFast(_ known: PolicySnapshotRecord, at now: WallTime) async throws -> Bool {
        let id = known.snapshotID
        let isDone = try await house.catalog.change { [house] session in
            // What is wanted of it depends on those of its volume alone.
            guard let standing = try Standing(known.policyID, of: known.volumeID, session),
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

    /// Marks those of which nothing is wanted: nothing is asked for or taken back. They are most of what a policy takes, so many of them
    /// go in one transaction, which looks at all once.
    private func settleUnwanted(_ ids: [String], of policy: String, at now: WallTime) async throws {
        for start in stride(from: 0, to: ids.count, by: Self.settledAtOnce) {
            let part = Set(ids[start..<min(start + Self.settledAtOnce, ids.count)])
            try await house.catalog.change { [house] session in
                guard let standing = try Standing(policy, session) else { return }
                let wanted = Self.zones(of: standing.taken, standing.plan, at: now, house.region).zones
                for (made, snapshot) in standing.taken where part.contains(snapshot.id) {
                    guard made.fastZones == nil, snapshot.state == .completed, wanted[snapshot.id] == nil else {
                        continue
                    }
                    try session.set(fastZones: [], ofPolicySnapshot: snapshot.id)
                }
            }
        }
    }
    private static let settledAtOnce = 1000

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
