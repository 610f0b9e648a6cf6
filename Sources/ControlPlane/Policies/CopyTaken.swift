internal import Blocks
internal import Catalog

/// Begins the copies that a policy owes to other regions: of what it took and what is completed.
///
/// 1. With the snapshot's record: that a copy is owed to a region.                            (``RunPolicy``)
/// 2. Record the copy there, in one transaction with a mark that names the snapshot it is of. (``CopySnapshotTask``)
/// 3. Record here that it is under way.
///
/// A stop between 2 and 3 finds the mark, and only does 3: a snapshot has one mark in a region by the catalog's key. What is owed
/// stays: retention leaves a snapshot alone until its copies have begun, and from then on the copies hold what they read.
/// What cannot be begun now is tried again each minute, and the policy says why; paused, it copies nothing.
struct CopyTaken: Sendable {
    let house: Household

    /// How long what cannot be begun is left alone.
    private static let pause = Duration.seconds(60)

    /// What one policy owes.
    ///
    /// - Returns: when to try again; nil: when another of its snapshots is completed.
    func run(_ policy: String) async throws -> WallTime? {
        let found = try await house.catalog.change { session -> (PolicyRecord, [PolicyCopyRecord])? in
            guard let policy = try session.policy(policy), policy.isEnabled else { return nil }
            return (policy, try session.owedCopies(ofPolicy: policy.id))
        }
        guard let (record, owed) = found, !owed.isEmpty else { return nil }
        let plan = try PolicyPlan(text: record.plan)
        var again: WallTime?
        for one in owed {
            if Task.isCancelled { return again }
            do { try await copy(one, plan, record) } catch {
                let problem = ServiceError.from(error, .policy).message
                try await house.catalog.change {
                    try $0.setProblem("a copy to \(one.region): \(problem)", ofPolicy: policy)
                }
                again = house.clock.now() + Self.pause
            }
        }
        return again
    }

    private func copy(_ owed: PolicyCopyRecord, _ plan: PolicyPlan, _ policy: PolicyRecord) async throws {
        guard let target = house.neighbours[owed.region] else {
            throw Household.noRegion(owed.region, house.neighbours)
        }
        let found = try await house.catalog.change { session -> (PolicySnapshotRecord, SnapshotRecord)? in
            guard let made = try session.policySnapshot(owed.snapshotID),
                let snapshot = try session.snapshot(owed.snapshotID)
            else { return nil }
            return (made, snapshot)
        }
        let begun = try await target.catalog.change { try $0.policySnapshots(ofRun: owed.snapshotID).first?.snapshotID }
        if let begun { return try await house.catalog.change { try $0.setCopy(begun, of: owed) } }
        guard let (made, snapshot) = found, snapshot.isPresent, snapshot.state != .error else {
            return try await drop(owed)
        }
        guard snapshot.state == .completed else { return }
        let rules = plan.copies(to: owed.region, of: made.schedules)
        guard !rules.isEmpty else { return try await drop(owed) }

        var request = CopySnapshot(snapshot.id, from: house.region.name, name: snapshot.name)
        request.description = "Copied for policy: \(policy.id) schedule: \(rules[0].schedule)"
        if rules.contains(where: \.copy.copiesTags) {
            request.tags = try await house.catalog.change { try $0.tags(of: snapshot.id) }
        }
        if rules.contains(where: \.copy.isEncrypted) {
            request.encryption = VolumeEncryption(key: rules.compactMap(\.copy.keyId).first)
        }
        request.recording = { session, copy in
            var mark = PolicySnapshotRecord(
                snapshotID: copy.id, runID: snapshot.id, volumeID: snapshot.volumeID, policyID: policy.id,
                schedules: rules.map(\.schedule), targetID: made.targetID)
            mark.cutAt = snapshot.createdAt
            mark.expiresAt = rules.compactMap { $0.copy.retention.expiry(of: copy.createdAt) }.max()
            try session.insert(mark)
        }
        let caller = Caller(account: policy.account, principal: "policy", role: .operator)
        do {
            let copy = try await SnapshotService(target, caller).copy(request).id
            Failpoint.hit("policy.copied")
            try await house.catalog.change { try $0.setCopy(copy, of: owed) }
        } catch let error as ServiceError where error.code == .missing && error.noun == .snapshot {
            // Its owner deleted it meanwhile.
            try await drop(owed)
        }
    }

    private func drop(_ owed: PolicyCopyRecord) async throws {
        try await house.catalog.change { try $0.deleteOwedCopy(owed) }
    }
}
