public import Blocks

extension CatalogSession {
    /// Records that a policy's snapshot is to be copied.
    public func insert(_ copy: PolicyCopyRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO policy_copies (snapshot_id, region, policy_id, copy_id)
            VALUES (\(copy.snapshotID), \(copy.region), \(copy.policyID), \(copy.copyID))
            """)
    }

    /// What one policy owes, by the age of the snapshots.
    public func owedCopies(ofPolicy id: String) throws(CatalogFailure) -> [PolicyCopyRecord] {
        try connection.query(
            """
            SELECT policy_copies.* FROM policy_copies JOIN snapshots ON snapshots.id = policy_copies.snapshot_id
            WHERE policy_id = \(id) AND copy_id IS NULL ORDER BY created_at, policy_copies.snapshot_id, region
            """
        ).records(PolicyCopyRecord.init)
    }

    /// Is a copy of the snapshot still owed?
    public func owesCopy(of snapshot: String) throws(CatalogFailure) -> Bool {
        try connection.query(
            "SELECT 1 FROM policy_copies WHERE snapshot_id = \(snapshot) AND copy_id IS NULL LIMIT 1"
        ).first != nil
    }

    /// When the copy under way was seen to have failed; nil: another one may be begun.
    public func setFailure(_ time: WallTime?, of owed: PolicyCopyRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            UPDATE policy_copies SET failed_at = \(time)
            WHERE snapshot_id = \(owed.snapshotID) AND region = \(owed.region)
            """)
    }

    /// The copy is stored.
    public func setCopy(_ copy: String, of owed: PolicyCopyRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            UPDATE policy_copies SET copy_id = \(copy)
            WHERE snapshot_id = \(owed.snapshotID) AND region = \(owed.region)
            """)
    }

    /// Nothing of a policy's is owed to any region any more but what `regions` are for.
    public func deleteOwedCopies(ofPolicy id: String, butTo regions: Set<String> = []) throws(CatalogFailure) {
        for owed in try owedCopies(ofPolicy: id) where !regions.contains(owed.region) { try deleteOwedCopy(owed) }
    }

    /// It is owed no more.
    public func deleteOwedCopy(_ owed: PolicyCopyRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            DELETE FROM policy_copies
            WHERE snapshot_id = \(owed.snapshotID) AND region = \(owed.region) AND copy_id IS NULL
            """)
    }
}
