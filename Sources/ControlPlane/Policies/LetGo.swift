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
        for (group, members) in Dictionary(grouping: made, by: { [$0.made.volumeID, $0.made.targetID] }) {
            let standing = try targets.standing(of: group[1])
            if standing == .unmanaged { continue }
            let damaged = Set(try members.map(\.snapshot.id).filter { try session.damage(of: $0) != nil })
            // What several schedules took together goes when all of them that are still there let it go.
            var keeping: [String: Int] = [:]
            for schedule in plan.schedules {
                let own = members.filter { $0.made.schedules.contains(schedule.name) }
                    .map { Retention.Kept($0.made, $0.snapshot) }
                for one in own { keeping[one.id, default: 0] += 1 }
                let found = Self.surplus(of: own, damaged, schedule, at: now, isTargetGone: standing == .gone)
                for id in found.surplus { keeping[id, default: 0] -= 1 }
                again = [again, found.again].compactMap { $0 }.min()
            }
            surplus += members.map(\.snapshot.id).filter { keeping[$0] == 0 }
        }
        return (surplus, again)
    }

    /// One schedule's of one volume. What is damaged replaces nothing, and goes when it would go in any case; where all are, all stay.
    private static func surplus(
        of all: [Retention.Kept], _ damaged: Set<String>, _ schedule: PolicyPlan.Schedule, at now: WallTime,
        isTargetGone: Bool
    ) -> (surplus: Set<String>, again: WallTime?) {
        func ask(_ some: [Retention.Kept]) -> (surplus: [String], again: WallTime?) {
            schedule.retention.surplus(of: some, at: now, in: schedule.when.zone, isTargetGone: isTargetGone)
        }
        let whole = all.filter { !damaged.contains($0.id) }
        var (surplus, again) = ask(whole)
        if whole.count < all.count, !whole.isEmpty {
            let beside = ask(all)
            surplus += beside.surplus.filter(damaged.contains)
            again = [again, beside.again].compactMap { $0 }.min()
        }
        return (Set(surplus), again)
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
