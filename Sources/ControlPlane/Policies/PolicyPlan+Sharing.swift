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
    /// Settles when it is to be shared no more: of accounts that one rule shares with for ever, never; of the others, when the last
    /// rule ends.
    mutating func note(_ rules: [PolicyPlan.Sharing], of snapshot: SnapshotRecord) {
        let ends = rules.map { (accounts: $0.accounts, end: $0.retention.expiry(of: snapshot.createdAt)) }
        let forEver = Set(ends.filter { $0.end == nil }.flatMap(\.accounts))
        sharedUntil = ends.compactMap(\.end).max()
        sharedWith = Set(ends.flatMap(\.accounts)).subtracting(forEver).subtracting([snapshot.account]).sorted()
        if sharedWith.isEmpty { sharedUntil = nil }
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
                // One that cannot be read, as of a newer version, stops no sharing.
                guard let plan = try? PolicyPlan(text: policy.plan), let reaction = plan.reaction,
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
