internal import Blocks
internal import Catalog

extension PolicyPlan.Sharing {
    /// Shares what a run takes, in the transaction that records it: so it is shared with all of them, or not there at all.
    ///
    /// - Returns: the policies of those accounts that are to copy it.
    static func share(
        _ snapshot: SnapshotRecord, by rules: [PolicyPlan.Sharing], _ session: CatalogSession
    ) throws -> [String] {
        let accounts = Set(rules.flatMap(\.accounts)).subtracting([snapshot.account]).sorted()
            .prefix(Limits.sharesMax)
        for account in accounts { try session.share(snapshot.id, with: account) }
        return try PolicyPlan.Reaction.note(snapshot, sharedWith: Array(accounts), session)
    }
}

extension PolicySnapshotRecord {
    /// Settles when it is to be shared no more, with each account: never, if one rule shares with it for ever; else when the last
    /// of the rules ends that share with it.
    mutating func note(_ rules: [PolicyPlan.Sharing], of snapshot: SnapshotRecord) {
        var ends: [String: WallTime] = [:], forEver: Set<String> = [snapshot.account]
        for rule in rules {
            guard let end = rule.retention.expiry(of: snapshot.createdAt) else {
                forEver.formUnion(rule.accounts)
                continue
            }
            for account in rule.accounts { ends[account] = max(end, ends[account] ?? end) }
        }
        sharedWith = ends.filter { !forEver.contains($0.key) }.sorted { $0.key < $1.key }
            .map { PolicyShare(with: $0.key, until: $0.value) }
    }

    /// Shares it no more with those whose time is over, in one transaction with the mark: so once, and not again when its owner
    /// shares it anew.
    ///
    /// - Returns: false: there are none.
    static func unshare(_ snapshot: SnapshotRecord, dueAt now: WallTime, _ session: CatalogSession) throws -> Bool {
        guard let made = try session.policySnapshot(snapshot.id) else { return false }
        let over = made.sharedWith.filter { $0.end <= now }
        if over.isEmpty { return false }
        for share in over { try session.unshare(snapshot.id, with: share.account) }
        try session.set(sharedWith: made.sharedWith.filter { now < $0.end }, ofPolicySnapshot: snapshot.id)
        try session.insert(
            EventRecord.own("snapshot.unshare", [snapshot.id], because: made.policyID, of: snapshot.account, at: now))
        return true
    }
}

extension PolicySnapshotRecord {
    /// What its owner settles with an account is no more the policy's to end.
    static func leave(_ accounts: Set<String>, toTheOwnerOf snapshot: String, _ session: CatalogSession) throws {
        guard let made = try session.policySnapshot(snapshot) else { return }
        let left = made.sharedWith.filter { !accounts.contains($0.account) }
        if left != made.sharedWith { try session.set(sharedWith: left, ofPolicySnapshot: snapshot) }
    }

    /// Likewise of a fast restore in a zone, which the policy asked for.
    static func leave(fastIn zone: String, toTheOwnerOf snapshot: String, _ session: CatalogSession) throws {
        guard let made = try session.policySnapshot(snapshot), let zones = made.fastZones, zones.contains(zone) else {
            return
        }
        try session.set(fastZones: zones.filter { $0 != zone }, ofPolicySnapshot: snapshot)
    }
}

extension PolicyPlan.Reaction {
    /// Notes what policies of accounts owe, in the transaction that shares a snapshot with those. Whether its description is one
    /// that is looked for is asked later, with no transaction open (``CopyTaken``): a pattern may take its time.
    ///
    /// What was copied for a policy once is not copied again when it is shared again.
    ///
    /// - Returns: those policies.
    static func note(
        _ snapshot: SnapshotRecord, sharedWith accounts: [String], _ session: CatalogSession
    ) throws -> [String] {
        var concerned: [String] = []
        for account in accounts {
            for policy in try session.policies(of: account) where policy.isEnabled {
                // One that cannot be read stops no sharing.
                guard let plan = PolicyPlan.readable(policy.plan), let reaction = plan.reaction,
                    reaction.owners.contains(snapshot.account)
                else { continue }
                for region in plan.regions {
                    try session.insert(PolicyCopyRecord(of: snapshot.id, to: region, by: policy.id))
                }
                concerned.append(policy.id)
            }
        }
        return concerned
    }
}
