public import Blocks

extension CatalogSession {
    /// Records that a policy is to copy something. No error if that is known.
    public func insert(_ copy: PolicyCopyRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO policy_copies (object_id, region, policy_id, copy_id)
            VALUES (\(copy.objectID), \(copy.region), \(copy.policyID), \(copy.copyID))
            ON CONFLICT (object_id, region, policy_id) DO NOTHING
            """)
    }

    /// The snapshots that one policy owes copies of, by their age.
    public func owedCopies(ofPolicy id: String) throws(CatalogFailure) -> [PolicyCopyRecord] {
        try connection.query(
            """
            SELECT policy_copies.* FROM policy_copies JOIN snapshots ON snapshots.id = policy_copies.object_id
            WHERE policy_id = \(id) AND copy_id IS NULL ORDER BY created_at, policy_copies.object_id, region
            """
        ).records(PolicyCopyRecord.init)
    }

    /// The images that one policy owes copies of, by their age.
    public func owedImageCopies(ofPolicy id: String) throws(CatalogFailure) -> [PolicyCopyRecord] {
        try connection.query(
            """
            SELECT policy_copies.* FROM policy_copies JOIN images ON images.id = policy_copies.object_id
            WHERE policy_id = \(id) AND copy_id IS NULL ORDER BY created_at, policy_copies.object_id, region
            """
        ).records(PolicyCopyRecord.init)
    }

    /// Does the policy still owe a copy of the snapshot or image? What others owe of it is no matter of its owner's.
    public func owesCopy(of object: String, byPolicy id: String) throws(CatalogFailure) -> Bool {
        try connection.query(
            """
            SELECT 1 FROM policy_copies
            WHERE object_id = \(object) AND policy_id = \(id) AND copy_id IS NULL LIMIT 1
            """
        ).first != nil
    }

    /// When the copy under way was seen to have failed; nil: another one may be begun.
    public func setFailure(_ time: WallTime?, of owed: PolicyCopyRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            UPDATE policy_copies SET failed_at = \(time)
            WHERE object_id = \(owed.objectID) AND region = \(owed.region) AND policy_id = \(owed.policyID)
            """)
    }

    /// The copy is stored.
    public func setCopy(_ copy: String, of owed: PolicyCopyRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            UPDATE policy_copies SET copy_id = \(copy), failed_at = NULL
            WHERE object_id = \(owed.objectID) AND region = \(owed.region) AND policy_id = \(owed.policyID)
            """)
    }

    /// Nothing of a policy's is owed to any region any more but what `regions` are for.
    public func deleteOwedCopies(ofPolicy id: String, butTo regions: Set<String> = []) throws(CatalogFailure) {
        let owed = try connection.query("SELECT * FROM policy_copies WHERE policy_id = \(id) AND copy_id IS NULL")
            .records(PolicyCopyRecord.init)
        for one in owed where !regions.contains(one.region) { try deleteOwedCopy(one) }
    }

    /// It is owed no more.
    public func deleteOwedCopy(_ owed: PolicyCopyRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            DELETE FROM policy_copies
            WHERE object_id = \(owed.objectID) AND region = \(owed.region) AND policy_id = \(owed.policyID)
                AND copy_id IS NULL
            """)
    }
}
