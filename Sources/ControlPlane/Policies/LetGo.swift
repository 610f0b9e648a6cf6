internal import Blocks
internal import Catalog

/// Deletes what a policy's retention does not keep any more.
///
/// What may go follows from the catalog alone, so it may be asked at any time and a stop loses nothing. Each deletion asks again
/// in the transaction that marks the snapshot: whether retention still lets it go, by the plan, the targets and the other
/// snapshots as they are then, and whether nobody uses it. The store is not waited for: a run that is due is not to wait with it.
struct LetGo: Sendable {
    let house: Household

    private struct Kept: Error {}

    /// How long what is surplus and in use is left alone.
    private static let pause = Duration.seconds(60)

    /// One policy's.
    ///
    /// - Returns: when to look again; nil: when another of its snapshots is completed.
    func run(_ policy: String) async throws -> WallTime? {
        let now = house.clock.now()
        var (surplus, again) = try await house.catalog.change { try Self.surplus(of: policy, at: now, $0) }
        for id in surplus {
            if Task.isCancelled { return again }
            do {
                try await DeleteSnapshot(house: house).begin(id, waiting: false) { session in
                    guard try Self.surplus(of: policy, at: now, session).0.contains(id),
                        try session.snapshotExport(id) == nil, try session.volumes(hydratingFrom: id).isEmpty
                    else { throw Kept() }
                }
                Failpoint.hit("policy.let-go")
            } catch let error as ServiceError where error.code == .missing {
                continue
            } catch {
                // In use, or locked.
                let later = now + Self.pause
                again = again.map { min($0, later) } ?? later
            }
        }
        return again
    }

    private static func surplus(
        of id: String, at now: WallTime, _ session: CatalogSession
    ) throws -> ([String], WallTime?) {
        guard let policy = try session.policy(id), policy.isEnabled else { return ([], nil) }
        let plan = try PolicyPlan(text: policy.plan)
        let targets = PolicyTargets(session: session, account: policy.account, targets: plan.targets)
        var surplus: [String] = [], again: WallTime?
        let made = try session.policySnapshots(ofPolicy: id)
        for (group, members) in Dictionary(
            grouping: made, by: { [$0.made.volumeID, $0.made.schedule, $0.made.targetID] })
        {
            guard let schedule = plan.schedules.first(where: { $0.name == group[1] }) else { continue }
            let standing = try targets.standing(of: group[2])
            if standing == .unmanaged { continue }
            func ask(_ members: [Retention.Kept]) -> (surplus: [String], again: WallTime?) {
                schedule.retention.surplus(
                    of: members, at: now, in: schedule.when.zone, isTargetGone: standing == .gone)
            }
            // What is damaged replaces nothing, and goes when it would go in any case; the last of all stays.
            let kept = members.map { Retention.Kept($0.made, $0.snapshot) }
            let damaged = Set(try kept.map(\.id).filter { try session.damage(of: $0) != nil })
            let good = ask(kept.filter { !damaged.contains($0.id) })
            surplus += good.surplus
            again = [again, good.again].compactMap { $0 }.min()
            if !damaged.isEmpty, damaged.count < kept.count {
                let all = ask(kept)
                surplus += all.surplus.filter(damaged.contains)
                again = [again, all.again].compactMap { $0 }.min()
            }
        }
        return (surplus, again)
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
        self.init(id: snapshot.id, takenAt: snapshot.createdAt, state: state, expiresAt: made.expiresAt)
    }
}
