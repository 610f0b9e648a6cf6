internal import Blocks
internal import Catalog

/// Sees to what a policy settled for the snapshots it took, besides keeping them: it shares them no more when that time is over,
/// and has the newest or youngest of them restored fast.
///
/// What is to be done follows from the marks, the plan and the clock, so it may be asked at any time. Each thing is done once for
/// a snapshot, and not again when its owner has settled it otherwise: the mark says how far it is.
///
/// * Sharing ends in one transaction with the mark.
/// * A fast restore is asked for, or taken back, by the verb that anybody has, and marked afterwards. A stop between the two asks
///   again, which is harmless: what is there stays, and what is not there is not missed.
struct TendTaken: Sendable {
    let house: Household

    /// One policy's.
    ///
    /// - Returns: when to look again; nil: when another of its snapshots is completed.
    func run(_ policy: String) async throws -> WallTime? {
        let now = house.clock.now()
        let asked = try await house.catalog.change { session -> (PolicyRecord, [Taken], [Taken])? in
            guard let record = try session.policy(policy), record.isEnabled else { return nil }
            let targets = PolicyTargets(
                session: session, account: record.account, targets: try PolicyPlan(text: record.plan).targets)
            func managed(_ taken: [Taken]) throws -> [Taken] {
                try taken.filter { try targets.standing(of: $0.made.targetID) != .unmanaged }
            }
            return (
                record, try managed(session.policySnapshots(ofPolicy: policy)),
                try managed(session.policySnapshots(sharedByPolicy: policy))
            )
        }
        guard let (record, found, shared) = asked else { return nil }
        let plan = try PolicyPlan(text: record.plan)
        var times: [WallTime?] = []
        for (made, snapshot) in shared { times.append(try await unshare(made, snapshot, at: now)) }
        times.append(try await restoreFast(found, plan, of: record, at: now))
        return times.compactMap { $0 }.min()
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

    private func restoreFast(
        _ found: [Taken], _ plan: PolicyPlan, of policy: PolicyRecord, at now: WallTime
    ) async throws -> WallTime? {
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
        let service = SnapshotService(house, Caller(account: policy.account, principal: "policy", role: .operator))
        var again = next
        // What is over first: only so many may be fast.
        for (made, snapshot) in found {
            guard let zones = made.fastZones, !zones.isEmpty else { continue }
            let left = zones.filter { wanted[snapshot.id]?.contains($0) == true }
            if left == zones { continue }
            do {
                for zone in Set(zones).subtracting(left).sorted() { try await takeBack(snapshot.id, zone, service) }
                Failpoint.hit("policy.no-more-fast")
                try await house.catalog.change { try $0.set(fastZones: left, ofPolicySnapshot: snapshot.id) }
            } catch { again = try await note(error, policy, at: now, again) }
        }
        for (made, snapshot) in found where made.fastZones == nil && snapshot.state == .completed {
            let zones = (wanted[snapshot.id] ?? []).sorted()
            do {
                for zone in zones { _ = try await service.restoreFast(snapshot.id, in: zone) }
                if !zones.isEmpty { Failpoint.hit("policy.restored-fast") }
                try await house.catalog.change { try $0.set(fastZones: zones, ofPolicySnapshot: snapshot.id) }
            } catch { again = try await note(error, policy, at: now, again) }
        }
        return again
    }

    /// Its owner may have done so before, or deleted it.
    private func takeBack(_ id: String, _ zone: String, _ service: SnapshotService) async throws {
        do { _ = try await service.restoreNoMoreFast(id, in: zone) } catch let error as ServiceError {
            guard error.code == .wrongState || error.code == .missing else { throw error }
        }
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
