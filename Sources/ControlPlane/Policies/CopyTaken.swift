internal import Blocks
internal import Catalog

/// Begins the copies that a policy owes to other regions: of what it took and what is completed.
///
/// 1. With the snapshot's record: that a copy is owed to a region.                            (``RunPolicy``)
/// 2. Record the copy there, in one transaction with a mark that names the snapshot it is of. (``CopySnapshotTask``)
/// 3. When it is stored, record here that it is made.
///
/// A stop between 2 and 3 finds the mark and makes nothing again: a snapshot has one mark in a region by the catalog's key. What
/// is owed stays: retention leaves a snapshot alone until its copies are stored, since one that waits for its turn holds nothing
/// yet. What cannot be begun is tried again each minute, and what failed each hour; the policy says why. Paused, it copies
/// nothing. Each copy is begun by the plan as it is then; one that a change overtakes stays, for its owner to delete.
struct CopyTaken: Sendable {
    let house: Household

    /// How long what cannot be begun is left alone.
    private static let pause = Duration.seconds(60)
    /// How long a copy that failed is left to be looked at.
    private static let pauseAfterFailure = Duration.seconds(3600)

    /// What one policy owes.
    ///
    /// - Returns: when to try again; nil: when another of its snapshots is completed.
    func run(_ policy: String) async throws -> WallTime? {
        var again: WallTime?
        for one in try await house.catalog.change({ try $0.owedCopies(ofPolicy: policy) }) {
            if Task.isCancelled { return again }
            let record = try await house.catalog.change { try $0.policy(policy) }
            guard let record, record.isEnabled else { return nil }
            do { try await copy(one, try PolicyPlan(text: record.plan), record) } catch {
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
        guard try await isToBegin(owed, in: target) else { return }
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
            _ = try await SnapshotService(target, caller).copy(request)
            Failpoint.hit("policy.copied")
        } catch let error as ServiceError where error.code == .missing && error.noun == .snapshot {
            // Its owner deleted it meanwhile.
            try await drop(owed)
        }
    }

    /// False: it is under way, or made; then that is recorded. One that failed is taken away after a while, for another to be begun.
    private func isToBegin(_ owed: PolicyCopyRecord, in target: Household) async throws -> Bool {
        let now = house.clock.now()
        let found = try await target.catalog.change { session -> (String, SnapshotRecord?)? in
            guard let mark = try session.policySnapshots(ofRun: owed.snapshotID).first else { return nil }
            return (mark.snapshotID, try session.snapshot(mark.snapshotID))
        }
        guard let (id, copy) = found else { return true }
        // Deleted by its owner: made all the same.
        guard let copy, copy.isPresent, copy.state != .completed else {
            try await house.catalog.change { try $0.setCopy(id, of: owed) }
            return false
        }
        guard copy.state == .error else { return false }
        guard copy.createdAt + Self.pauseAfterFailure <= now else {
            throw ServiceError(.unavailable, .snapshot, "\(id) failed: \(copy.reason ?? "unknown")")
        }
        try await target.catalog.change { try $0.deletePolicySnapshot(id) }
        try await DeleteSnapshot(house: target).begin(id, waiting: false)
        return true
    }

    private func drop(_ owed: PolicyCopyRecord) async throws {
        try await house.catalog.change { try $0.deleteOwedCopy(owed) }
    }
}
