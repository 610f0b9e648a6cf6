internal import Blocks
internal import Catalog

/// Deletes what a policy's retention does not keep any more, here and of its copies in other regions; or puts it into the archive,
/// where a schedule says so; and deprecates images.
///
/// What may go follows from the catalogs alone, so it may be asked at any time and a stop loses nothing. Each deletion asks again
/// in the transaction that marks the snapshot: whether retention still lets it go, by the plan, the targets and the other
/// snapshots as they are then, and whether nobody uses it. The store is not waited for: a run that is due is not to wait with it.
///
/// A copy is in another catalog than its policy, which no transaction spans: whoever changes a policy does so in its lane, and a
/// copy's deletion is marked in it too. So none is marked by a plan that is no more; of the targets' tags what was so a moment
/// before counts.
///
/// A policy that its owner deleted, and that lets all go, stays as a record that nobody sees until nothing of it is left anywhere.
struct LetGo: Sendable {
    let house: Household

    struct Kept: Error {}

    /// How long what is surplus and in use is left alone.
    static let pause = Duration.seconds(60)

    /// What orders a policy's changes with the deletion of its copies.
    static func lane(of policy: String) -> String { "plan \(policy)" }

    /// One policy's.
    ///
    /// - Returns: when to look again; nil: when another of its snapshots is completed.
    func run(_ policy: String) async throws -> WallTime? {
        let now = house.clock.now()
        var found = Surplus()
        // A region that cannot be asked now keeps what is there, and stops no other.
        for region in house.neighbours.all {
            do {
                if let time = try await deleteDoomed(of: policy, in: region) { found.look(at: time) }
            } catch { found.look(at: now + Self.pause) }
        }
        let asked = try await house.catalog.change { session -> (Rules, Surplus)? in
            guard let rules = try Rules(policy, session) else { return nil }
            return (rules, try rules.surplus(at: now, session))
        }
        guard let (rules, first) = asked else { return found.again }
        if let time = first.again { found.look(at: time) }
        var hasArchived = false
        for id in first.ids + first.toArchive {
            if Task.isCancelled { return found.again }
            let isToArchive = first.toArchive.contains(id)
            let condition: Condition = { session in
                guard let rules = try Rules(policy, session), try !session.owesCopy(of: id, byPolicy: policy) else {
                    throw Kept()
                }
                let present = try rules.surplus(at: now, session)
                guard (isToArchive ? present.toArchive : present.ids).contains(id) else { throw Kept() }
            }
            let isDone =
                await isToArchive
                ? archive(id, of: policy, provided: condition)
                : end(id, by: rules, in: house, provided: condition)
            if !isDone { found.look(at: now + Self.pause) }
            hasArchived = hasArchived || isDone && isToArchive
        }
        try await deprecate(first.toDeprecate, of: policy)
        for region in rules.plan.regions.sorted() {
            guard let away = house.neighbours[region] else { continue }
            do {
                if let time = try await letGoCopies(of: policy, in: away, at: now) { found.look(at: time) }
            } catch { found.look(at: now + Self.pause) }
        }
        do {
            if try await !forget(policy, rules.plan) { found.look(at: now + Self.pause) }
        } catch { found.look(at: now + Self.pause) }
        // What came into the archive may push something out of it. This ends: what is in the archive is not archived again.
        if hasArchived, let time = try await run(policy) { found.look(at: time) }
        return found.again
    }

    private func letGoCopies(of policy: String, in away: Household, at now: WallTime) async throws -> WallTime? {
        let targets = try await away.catalog.change { session in
            Set(
                try session.policySnapshots(ofPolicy: policy).map(\.made.targetID)
                    + session.policyImages(ofPolicy: policy).map(\.made.instanceID))
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
                return await end(id, by: rules, in: away) { session in
                    guard try rules.surplus(at: now, session).ids.contains(id) else { throw Kept() }
                }
            }
            if !isDone { found.look(at: now + Self.pause) }
        }
        return found.again
    }

    typealias Condition = @Sendable (CatalogSession) throws -> Void

    private func end(
        _ id: String, by rules: Rules, in region: Household, provided condition: @escaping Condition
    ) async -> Bool {
        switch rules.plan.product {
        case .snapshots: await delete(id, by: rules, in: region, provided: condition)
        case .images: await deregister(id, by: rules, in: region, provided: condition)
        }
    }

    /// - Returns: false if it is in use, or locked, or kept after all.
    private func delete(
        _ id: String, by rules: Rules, in region: Household, provided condition: @escaping Condition
    ) async -> Bool {
        do {
            try await DeleteSnapshot(house: region).begin(id, waiting: false) { session in
                try condition(session)
                try Self.mustBeUnused(id, session)
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

    static func mustBeUnused(_ snapshot: String, _ session: CatalogSession) throws {
        guard try session.snapshotExport(snapshot) == nil, try session.volumes(hydratingFrom: snapshot).isEmpty else {
            throw Kept()
        }
    }

    /// The mark, that the policy did it, and what goes with it are one transaction: whether somebody else archived a snapshot is
    /// never in doubt.
    ///
    /// - Returns: false if that cannot be now; the policy says why.
    private func archive(_ id: String, of policy: String, provided condition: @escaping Condition) async -> Bool {
        let now = house.clock.now()
        do {
            try await PutAway(house: house).run(id) { snapshot, session in
                try condition(session)
                try Self.mustBeUnused(id, session)
                try SnapshotService.mustBeArchivable(snapshot, at: now, session)
                try session.setArchived(at: now, policySnapshot: id)
                try session.set(fastZones: [], ofPolicySnapshot: id)
                try session.insert(
                    EventRecord.own("snapshot.archive", [id], because: policy, of: snapshot.account, at: now))
                return TierRecord(archivedAt: now)
            }
            Failpoint.hit("policy.archived")
            return true
        } catch is Kept {
            return false
        } catch let error as ServiceError where error.code == .missing {
            return true
        } catch {
            let problem = ServiceError.from(error, .policy).message
            try? await house.catalog.change { try $0.setProblem(problem, ofPolicy: policy) }
            return false
        }
    }

    /// Removes what is left of a deleted policy, when nothing of what it took is left to be let go. What its owner archived is theirs.
    ///
    /// What it makes just now is waited for: a run that its owner's deletion met records nothing more, but has cut, or will undo,
    /// what it recorded before.
    ///
    /// - Returns: false: it makes something just now.
    private func forget(_ policy: String, _ plan: PolicyPlan) async throws -> Bool {
        let isMaking = try await house.catalog.change { session -> Bool? in
            guard try session.endingPolicy(policy) != nil else { return nil }
            return try session.isTaking(policy: policy) || !session.unfinishedTasks(ofSubject: policy).isEmpty
        }
        guard let isMaking else { return true }
        if isMaking { return false }
        for region in [house] + plan.regions.compactMap({ house.neighbours[$0] }) {
            let isLeft = try await region.catalog.change { session in
                try session.policySnapshots(ofPolicy: policy).contains { !Rules.isOwners($0.made, $0.snapshot) }
                    || !session.policyImages(ofPolicy: policy).isEmpty
            }
            if isLeft { return true }
        }
        try await house.catalog.change { session in
            guard try session.endingPolicy(policy) != nil else { return }
            try session.deletePolicy(policy)
        }
        return true
    }
}

/// What may go, and when to look again.
struct Surplus: Sendable {
    var ids: [String] = []
    /// What is to go into the archive.
    var toArchive: [String] = []
    /// Images that are to be deprecated.
    var toDeprecate: [String] = []
    var again: WallTime?

    mutating func look(at time: WallTime) { again = min(time, again ?? time) }
}
