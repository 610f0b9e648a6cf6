internal import Blocks
internal import Catalog

/// Sees to the copies that a policy owes to other regions: of what it took and what is completed; or, of a policy on what others
/// share with its account, of that.
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
/// in this order: a stop in between goes on. The note is about what failed or is gone; beside one that is neither, as after a stop
/// before it was taken away, it is taken away. Without a note, one that is gone was made, or its owner did not want it.
///
/// What cannot be begun is tried again each minute; the policy says why. What can never be copied, since it is damaged or its owner
/// has put it into the archive, is owed no more. Paused, a policy begins nothing; what was made is recorded all the same.
/// Each copy is begun by the plan as it is then; one that a change overtakes stays, for its owner to delete.
///
/// What is shared while its instant is not known yet stays owed until it is: then it is its account's to use, or was never there.
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
        var hasProblem = false
        let all = try await house.catalog.change { try $0.owedCopies(ofPolicy: policy) }
        for one in all {
            if Task.isCancelled { return again }
            do {
                // When what another policy's or nobody's is completed, nobody says.
                if try await see(to: one, of: policy) == .asksAgain { again = house.clock.now() + Self.pause }
            } catch {
                let problem = ServiceError.from(error, .policy).message
                try await house.catalog.change {
                    try $0.setProblem("a copy to \(one.region): \(problem)", ofPolicy: policy)
                }
                again = house.clock.now() + Self.pause
                hasProblem = true
            }
        }
        if !all.isEmpty, !hasProblem {
            // Of others the next run says whether there still is one.
            try await house.catalog.change { session in
                guard try session.schedules(ofPolicy: policy).isEmpty else { return }
                try session.setProblem(nil, ofPolicy: policy)
            }
        }
        return again
    }

    private enum Outcome { case settled, asksAgain }

    private func see(to owed: PolicyCopyRecord, of policy: String) async throws -> Outcome {
        guard let target = house.neighbours[owed.region] else {
            throw Household.noRegion(owed.region, house.neighbours)
        }
        let standing = try await standing(of: owed, in: target)
        if case .failed = standing {
        } else if owed.failedAt != nil {
            try await house.catalog.change { try $0.setFailure(nil, of: owed) }
        }
        switch standing {
        case .underWay: return .settled
        case .made(let copy): try await house.catalog.change { try $0.setCopy(copy, of: owed) }
        case .failed(let copy, let reason): return try await retry(owed, copy, reason, of: policy, in: target)
        case .owed: return try await begin(owed, of: policy, in: target)
        }
        return .settled
    }

    /// What a copy's mark calls its run. One that a policy took is copied by none but that one; what is shared, by several.
    private static func runs(of owed: PolicyCopyRecord) -> [String] {
        [owed.objectID, "\(owed.objectID) \(owed.policyID)"]
    }

    private enum Standing {
        case owed, underWay
        case made(String)
        case failed(String, reason: String?)
    }

    private func standing(of owed: PolicyCopyRecord, in target: Household) async throws -> Standing {
        try await target.catalog.change { session in
            let made = try Self.runs(of: owed).flatMap { try session.policySnapshots(ofRun: $0) }
            guard let copy = made.first(where: { $0.policyID == owed.policyID })?.snapshotID else { return .owed }
            let record = try session.snapshot(copy)
            guard let record, record.isPresent else {
                return owed.failedAt == nil ? .made(copy) : .failed(copy, reason: record?.reason)
            }
            switch record.state {
            case .error: return .failed(copy, reason: record.reason)
            case .creating, .pending: return .underWay
            case .completed: return .made(copy)
            }
        }
    }

    /// Of one that failed: another one, when an hour has passed.
    private func retry(
        _ owed: PolicyCopyRecord, _ copy: String, _ reason: String?, of policy: String, in target: Household
    ) async throws -> Outcome {
        let now = house.clock.now(), since = owed.failedAt ?? now
        if owed.failedAt == nil { try await house.catalog.change { try $0.setFailure(now, of: owed) } }
        guard since + Self.pauseAfterFailure <= now else {
            throw ServiceError(.unavailable, .snapshot, "\(copy) failed: \(reason ?? "its owner deleted it")")
        }
        let record = try await house.catalog.change { try $0.policy(policy) }
        guard let record, record.isEnabled else { return .settled }
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
        return try await begin(owed, of: policy, in: target)
    }

    private func begin(_ owed: PolicyCopyRecord, of policy: String, in target: Household) async throws -> Outcome {
        guard let source = try await house.catalog.change({ try Source(owed, $0) }) else { return try await drop(owed) }
        let (policy, snapshot, rules) = (source.policy, source.snapshot, source.rules)
        guard policy.isEnabled else { return .settled }
        guard snapshot.state == .completed else { return source.isOwn ? .settled : .asksAgain }
        guard !rules.isEmpty, try source.isWanted() else { return try await drop(owed) }
        let isDamaged = try await house.catalog.change { try $0.damage(of: snapshot.id) } != nil
        guard !isDamaged, snapshot.tier?.isArchived(at: house.clock.now()) != true else {
            _ = try await drop(owed)
            throw ServiceError(
                .wrongState, .snapshot,
                "\(snapshot.id) is \(isDamaged ? "damaged" : "in the archive") and is not copied")
        }

        var request = CopySnapshot(snapshot.id, from: house.region.name)
        request.description = "Copied for policy: \(policy.id) schedule: \(rules[0].schedule)"
        // Others' names and tags are theirs.
        request.name = source.isOwn ? snapshot.name : "shared-\(snapshot.id)"
        if source.isOwn, rules.contains(where: \.copy.copiesTags) {
            request.tags = try await house.catalog.change { try $0.tags(of: snapshot.id) }
        }
        if rules.contains(where: \.copy.isEncrypted) {
            request.encryption = VolumeEncryption(key: rules.compactMap(\.copy.keyId).first)
        }
        request.recording = { session, copy in
            var mark = PolicySnapshotRecord(
                snapshotID: copy.id, runID: Self.runs(of: owed)[source.isOwn ? 0 : 1], volumeID: snapshot.volumeID,
                policyID: policy.id, schedules: rules.map(\.schedule), targetID: source.target)
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
            // Its owner deleted it meanwhile, or shares it no more.
            return try await drop(owed)
        }
        return .settled
    }

    private func drop(_ owed: PolicyCopyRecord) async throws -> Outcome {
        try await house.catalog.change { try $0.deleteOwedCopy(owed) }
        return .settled
    }
}

/// What a copy is to be made of, and by which rules.
private struct Source: Sendable {
    let policy: PolicyRecord
    let snapshot: SnapshotRecord
    let rules: [(schedule: String, copy: PolicyPlan.Copy)]
    /// What the copies are counted by.
    let target: String
    /// Did the policy take it itself?
    let isOwn: Bool
    private let description: String?

    /// Nil: it is not there any more, or not for the policy's account.
    init?(_ owed: PolicyCopyRecord, _ session: CatalogSession) throws {
        guard let policy = try session.policy(owed.policyID), let snapshot = try session.snapshot(owed.objectID),
            snapshot.isPresent, snapshot.state != .error
        else { return nil }
        let plan = try PolicyPlan(text: policy.plan)
        self.policy = policy
        self.snapshot = snapshot
        if let reaction = plan.reaction {
            let caller = Caller(account: policy.account, principal: "policy", role: .operator)
            guard snapshot.account != policy.account,
                try snapshot.state == .creating || Household.mayUse(snapshot, caller, session)
            else { return nil }
            rules = reaction.owners.contains(snapshot.account) ? plan.copies(to: owed.region, of: []) : []
            target = snapshot.id
            isOwn = false
            description = reaction.description
        } else {
            guard let made = try session.policySnapshot(owed.objectID), made.policyID == policy.id else { return nil }
            rules = plan.copies(to: owed.region, of: made.schedules)
            target = made.targetID
            isOwn = true
            description = nil
        }
    }

    /// Has it a description that is looked for? Asked with no transaction open.
    func isWanted() throws -> Bool {
        guard let description else { return true }
        return try Pattern(description).isFound(in: snapshot.description ?? "")
    }
}
