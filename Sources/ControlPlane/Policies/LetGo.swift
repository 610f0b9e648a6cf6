internal import Blocks
internal import Catalog

/// Deletes what a policy's retention does not keep any more.
///
/// What may go follows from the catalog alone, so it may be asked at any time and a stop loses nothing. Each deletion asks again
/// in the transaction that marks the snapshot: whether the policy is still there and enabled, and nobody uses the snapshot.
/// Between the two only more can have become surplus, since what is completed stays so, unless its owner deletes it: then one
/// fewer is kept, which was the owner's wish.
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
            do {
                try await DeleteSnapshot(house: house).begin(id) { session in
                    guard try session.policy(policy)?.isEnabled == true, try session.snapshotExport(id) == nil,
                        try session.volumes(hydratingFrom: id).isEmpty
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
            let found = schedule.retention.surplus(
                of: members.map { Retention.Kept($0.made, $0.snapshot) }, at: now, in: schedule.when.zone,
                isTargetGone: standing == .gone)
            surplus += found.surplus
            again = [again, found.again].compactMap { $0 }.min()
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
