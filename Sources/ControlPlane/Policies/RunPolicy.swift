internal import Blocks
internal import Catalog
internal import FoundationEssentials

/// Takes the snapshots of one run of a policy.
///
/// 1. Record the run, a task, in the transaction that moves its schedules' next time on.  (``Scheduler``)
/// 2. For each target: record its snapshots with the run's id, cut, record `pending`.      (``TakeSnapshot``)
///    Or likewise of an instance: its image and that one's snapshots.                        (``MakeImage``)
/// 3. Record what went wrong; the task is done.
///
/// A stop before 1 leaves the time due, and the next start plans it; after 1 the task is there, and the next start goes on
/// with 2. What 2 records is of one transaction with the snapshot, and one run has one snapshot of a volume by the catalog's
/// key: so a repetition takes what is missing and nothing again, and a volume that several of its instances have is cut with the
/// first of them alone. A snapshot that a stop caught before its cut was known is undone with its mark, and taken anew.
struct RunPolicy: Sendable {
    let house: Household

    /// What a run is about.
    struct Order: Codable, Sendable {
        /// For which time.
        var due: Int64
        /// The schedules that were due together.
        var schedules: [String]
        /// Did somebody ask for it? Then it is no matter whether the policy is paused.
        var isRequested = false
    }

    struct Gone: Error {}

    /// For how long what cannot be cut now is tried again.
    private static let patience = Duration.seconds(3600)

    /// The task of a run, to be inserted in the transaction that settles it.
    static func task(_ order: Order, of policy: PolicyRecord, _ house: Household) throws -> TaskRecord {
        house.newTask(
            .runPolicy, about: policy.id, of: policy.account,
            argument: String(decoding: try JSONEncoder().encode(order), as: UTF8.self))
    }

    /// Steps 2 and 3, or what is left of them.
    func run(_ task: TaskRecord) async { _ = await house.runner.start(task) { try await attempt(task) } }

    /// The same, with nobody waiting for it: hosts may take minutes to come to rest.
    func runAside(_ task: TaskRecord) { house.runner.startAside(task) { try await attempt(task) } }

    private func attempt(_ task: TaskRecord) async throws -> Attempt {
        let order = try JSONDecoder().decode(Order.self, from: Data((task.argument ?? "").utf8))
        let due = WallTime(milliseconds: order.due)
        let found = try await house.catalog.change { session -> (PolicyRecord, [PolicyTargets.Target], [String])? in
            guard let policy = try Self.policy(task.subjectID, order, session) else { return nil }
            // Tries of one run come one after another: what is half made is left of one that could not undo it.
            for made in try session.policySnapshots(ofRun: task.id)
            where try session.snapshot(made.snapshotID)?.state == .creating {
                try session.deletePolicySnapshot(made.snapshotID)
            }
            try Self.dropUnborn(imagesOfRun: task.id, session)
            let targets = PolicyTargets(
                session: session, account: policy.account, targets: try PolicyPlan(text: policy.plan).targets)
            let done = try session.policySnapshots(ofRun: task.id).map(\.volumeID)
            return (policy, try targets.all(at: due), try done + session.policyImages(ofRun: task.id).map(\.instanceID))
        }
        guard let (policy, targets, before) = found else { return .done }
        let plan = try PolicyPlan(text: policy.plan)
        let schedules = plan.schedules.filter { order.schedules.contains($0.name) }
        guard !schedules.isEmpty else { return .done }
        var problems: [ServiceError] = []
        var done = Set(before)
        for target in targets {
            do {
                switch plan.product {
                case .snapshots:
                    let volumes = target.volumes.filter { !done.contains($0) }
                    if !volumes.isEmpty { try await take(volumes, of: target.id, plan, schedules, order, task) }
                    // What several instances have was taken with the first of them; if that failed, the next one tries.
                    done.formUnion(volumes)
                case .images:
                    if !done.contains(target.id) { try await makeImage(of: target.id, schedules, order, task) }
                }
            } catch is Gone { return .done } catch {
                problems.append(ServiceError.from(error, .policy))
            }
        }
        // What mends itself is tried for a while; the next run takes the rest.
        if let again = problems.first(where: { $0.code == .unavailable }),
            house.clock.now() - task.createdAt < Self.patience
        {
            throw again
        }
        let problem = problems.first.map {
            "\($0.message)\(problems.count > 1 ? " (and \(problems.count - 1) more)" : "")"
        }
        try await house.catalog.change { try $0.setProblem(problem, ofPolicy: task.subjectID) }
        house.scheduler.look(at: task.subjectID)
        return .done
    }

    static func policy(_ id: String, _ order: Order, _ session: CatalogSession) throws -> PolicyRecord? {
        guard let policy = try session.policy(id), policy.isEnabled || order.isRequested else { return nil }
        return policy
    }

    private func take(
        _ volumes: [String], of target: String, _ plan: PolicyPlan, _ schedules: [PolicyPlan.Schedule], _ order: Order,
        _ task: TaskRecord
    ) async throws {
        let policy = task.subjectID, run = task.id
        let name = plan.snapshotName(at: WallTime(milliseconds: order.due))
        var wanted = TakeSnapshot.Order(volumes: volumes, name: name)
        wanted.description = "Created for policy: \(policy) schedule: \(schedules[0].name)"
        wanted.quiesce = Quiesce.joined(schedules.compactMap(\.quiesce))
        wanted.group = volumes.count > 1 ? Identifier.group.next() : nil
        wanted.hasInstantAccess = schedules.contains(where: \.hasInstantAccess)
        let tags = PolicyPlan.tags(of: schedules, for: target, at: order.due)
        wanted.tags = tags
        if schedules.contains(where: \.copiesTags) { wanted.tagsByVolume = try await copied(volumes, beside: tags) }
        let now = house.clock.now()
        let sharing = schedules.compactMap(\.sharing)
        let concerned = Guarded<Set<String>>([])
        wanted.recording = { session, snapshots in
            // Paused or deleted since: then nothing is cut any more.
            guard let owner = try Self.policy(policy, order, session) else { throw Gone() }
            try session.insert(
                EventRecord.own(
                    "snapshot.create", snapshots.map(\.id), because: policy, of: owner.account, at: now))
            for snapshot in snapshots {
                var made = PolicySnapshotRecord(
                    snapshotID: snapshot.id, runID: run, volumeID: snapshot.volumeID, policyID: policy,
                    schedules: schedules.map(\.name), targetID: target)
                made.expiresAt = Self.expiry(of: snapshot, schedules)
                made.note(sharing, of: snapshot)
                try session.insert(made)
                let told = try PolicyPlan.Sharing.share(snapshot, by: sharing, session)
                concerned.withLock { $0.formUnion(told) }
                for region in Set(schedules.flatMap(\.copies).map(\.region)) {
                    try session.insert(PolicyCopyRecord(of: snapshot.id, to: region, by: policy))
                }
            }
        }
        _ = try await TakeSnapshot(house: house).begin(wanted)
        for other in concerned.withLock({ $0 }) { house.scheduler.look(at: other) }
        Failpoint.hit("policy.taken")
    }

    /// What goes into the archive first goes nowhere at a time that is known.
    private static func expiry(of snapshot: SnapshotRecord, _ schedules: [PolicyPlan.Schedule]) -> WallTime? {
        guard schedules.allSatisfy({ $0.archive == nil }) else { return nil }
        return schedules.compactMap { $0.retention.expiry(of: snapshot.createdAt) }.max()
    }

    /// The volumes' tags, as far as there is room beside those of the schedule, which count where both have a key.
    private func copied(_ volumes: [String], beside own: [String: String]) async throws -> [String: [String: String]] {
        try await house.catalog.change { session in
            var copied: [String: [String: String]] = [:]
            for volume in volumes {
                let tags = try session.tags(of: volume).filter { own[$0.key] == nil }.sorted { $0.key < $1.key }
                let kept = tags.prefix(TagRules.countMax - own.count).map { ($0.key, $0.value) }
                copied[volume] = Dictionary(kept) { first, _ in first }
            }
            return copied
        }
    }
}
