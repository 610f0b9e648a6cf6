internal import Blocks
internal import Catalog

/// Sees to the copies that a policy owes to other regions: of what it took and what is completed.
///
/// 1. With the snapshot's record: that a copy is owed to a region.                            (``RunPolicy``)
/// 2. Record the copy there, in one transaction with a mark that names the snapshot it is of. (``CopySnapshotTask``)
/// 3. When it is stored, record here that it is made.
///
/// A stop between 2 and 3 finds the mark and makes nothing again: a snapshot has one mark in a region by the catalog's key. What
/// is owed stays: retention leaves a snapshot alone until its copies are stored, since one that waits for its turn holds nothing
/// yet, and leaves alone what failed.
///
/// A copy that failed is noted here, looked at by whoever likes for an hour, then deleted, its mark removed and the note taken away,
/// in this order: a stop in between goes on, since what the note is about is not made, there or not. Without a note, one that is
/// gone was made, or its owner did not want it.
///
/// What cannot be begun is tried again each minute; the policy says why. What can never be copied, since it is damaged or its owner
/// has put it into the archive, is owed no more. Paused, a policy begins nothing; what was made is recorded all the same.
/// Each copy is begun by the plan as it is then; one that a change overtakes stays, for its owner to delete.
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
            do { try await see(to: one, of: policy) } catch {
                let problem = ServiceError.from(error, .policy).message
                try await house.catalog.change {
                    try $0.setProblem("a copy to \(one.region): \(problem)", ofPolicy: policy)
                }
                again = house.clock.now() + Self.pause
            }
        }
        return again
    }

    private func see(to owed: PolicyCopyRecord, of policy: String) async throws {
        guard let target = house.neighbours[owed.region] else {
            throw Household.noRegion(owed.region, house.neighbours)
        }
        switch try await standing(of: owed, in: target) {
        case .underWay: return
        case .made(let copy): try await house.catalog.change { try $0.setCopy(copy, of: owed) }
        case .failed(let copy, let reason): try await retry(owed, copy, reason, of: policy, in: target)
        case .owed: try await begin(owed, of: policy, in: target)
        }
    }

    private enum Standing {
        case owed, underWay
        case made(String)
        case failed(String, reason: String?)
    }

    private func standing(of owed: PolicyCopyRecord, in target: Household) async throws -> Standing {
        try await target.catalog.change { session in
            guard let copy = try session.policySnapshots(ofRun: owed.snapshotID).first?.snapshotID else { return .owed }
            let record = try session.snapshot(copy)
            if owed.failedAt != nil || record?.state == .error && record?.isPresent == true {
                return .failed(copy, reason: record?.reason)
            }
            return record?.isPresent == true && record?.state == .pending ? .underWay : .made(copy)
        }
    }

    /// Of one that failed: another one, when an hour has passed.
    private func retry(
        _ owed: PolicyCopyRecord, _ copy: String, _ reason: String?, of policy: String, in target: Household
    ) async throws {
        let now = house.clock.now(), since = owed.failedAt ?? now
        if owed.failedAt == nil { try await house.catalog.change { try $0.setFailure(now, of: owed) } }
        guard since + Self.pauseAfterFailure <= now else {
            throw ServiceError(.unavailable, .snapshot, "\(copy) failed: \(reason ?? "its owner deleted it")")
        }
        let record = try await house.catalog.change { try $0.policy(policy) }
        guard let record, record.isEnabled else { return }
        do { try await DeleteSnapshot(house: target).begin(copy, waiting: false) } catch let error as ServiceError {
            // Its owner was first.
            guard error.code == .missing else { throw error }
        }
        Failpoint.hit("policy.copy.deleted")
        try await target.catalog.change { session in
            try session.deletePolicySnapshot(copy)
            try session.insert(EventRecord.own("snapshot.delete", [copy], because: policy, of: record.account, at: now))
        }
        try await house.catalog.change { try $0.setFailure(nil, of: owed) }
        try await begin(owed, of: policy, in: target)
    }

    private func begin(_ owed: PolicyCopyRecord, of policy: String, in target: Household) async throws {
        let found = try await house.catalog.change { session -> (PolicyRecord, PolicySnapshotRecord, SnapshotRecord)? in
            guard let policy = try session.policy(policy), let made = try session.policySnapshot(owed.snapshotID),
                let snapshot = try session.snapshot(owed.snapshotID)
            else { return nil }
            return (policy, made, snapshot)
        }
        guard let (policy, made, snapshot) = found, snapshot.isPresent, snapshot.state != .error else {
            return try await drop(owed)
        }
        guard policy.isEnabled, snapshot.state == .completed else { return }
        let rules = try PolicyPlan(text: policy.plan).copies(to: owed.region, of: made.schedules)
        guard !rules.isEmpty else { return try await drop(owed) }
        let isDamaged = try await house.catalog.change { try $0.damage(of: snapshot.id) } != nil
        guard !isDamaged, snapshot.tier?.isArchived(at: house.clock.now()) != true else {
            try await drop(owed)
            throw ServiceError(
                .wrongState, .snapshot,
                "\(snapshot.id) is \(isDamaged ? "damaged" : "in the archive") and is not copied")
        }

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
            try session.insert(
                EventRecord.own(
                    "snapshot.copy", [snapshot.id, copy.id], because: policy.id, of: policy.account, at: copy.createdAt)
            )
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

    private func drop(_ owed: PolicyCopyRecord) async throws {
        try await house.catalog.change { try $0.deleteOwedCopy(owed) }
    }
}
