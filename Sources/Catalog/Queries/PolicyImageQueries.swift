extension CatalogSession {
    /// Records that a policy made an image.
    public func insert(_ made: PolicyImageRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO policy_images
                (image_id, run_id, instance_id, policy_id, schedule, expires_at, cut_at, is_deprecated, is_released)
            VALUES (\(made.imageID), \(made.runID), \(made.instanceID), \(made.policyID),
                \(made.schedules.joined(separator: "\n")), \(made.expiresAt), \(made.cutAt), \(made.isDeprecated), 0)
            """)
    }

    /// Which policy made an image; nil: none.
    public func policyImage(_ id: String) throws(CatalogFailure) -> PolicyImageRecord? {
        try connection.query("SELECT * FROM policy_images WHERE image_id = \(id)").records(PolicyImageRecord.init).first
    }

    /// What one run made, also what was deregistered since.
    public func policyImages(ofRun id: String) throws(CatalogFailure) -> [PolicyImageRecord] {
        try connection.query("SELECT * FROM policy_images WHERE run_id = \(id) ORDER BY image_id")
            .records(PolicyImageRecord.init)
    }

    /// What one policy made and manages, with the images, oldest first: not what was deregistered or taken out of the bin.
    public func policyImages(
        ofPolicy id: String
    ) throws(CatalogFailure) -> [(made: PolicyImageRecord, image: ImageRecord)] {
        let rows = try connection.query(
            """
            SELECT images.* FROM images JOIN policy_images ON policy_images.image_id = images.id
            WHERE policy_images.policy_id = \(id) AND is_released = 0 AND state <> 'deregistered' AND bin_until IS NULL
            ORDER BY created_at, id
            """)
        let made = try connection.query("SELECT * FROM policy_images WHERE policy_id = \(id)")
            .records(PolicyImageRecord.init)
        let madeOf = Dictionary(made.map { ($0.imageID, $0) }) { first, _ in first }
        return try rows.records(ImageRecord.init).compactMap { image in
            madeOf[image.id].map { (made: $0, image: image) }
        }
    }

    /// Images that one policy let go and whose snapshots are to follow.
    public func doomedImages(ofPolicy id: String) throws(CatalogFailure) -> [PolicyImageRecord] {
        try connection.query("SELECT * FROM policy_images WHERE policy_id = \(id) AND doomed IS NOT NULL")
            .records(PolicyImageRecord.init)
    }

    /// The policies, some of which may be gone, that still have snapshots of images to delete.
    public func policiesWithDoomedImages() throws(CatalogFailure) -> [String] {
        var ids: [String] = []
        for row in try connection.query("SELECT DISTINCT policy_id FROM policy_images WHERE doomed IS NOT NULL") {
            ids.append(try row.text("policy_id"))
        }
        return ids
    }

    /// Says which snapshots are to follow an image; nil: none any more.
    public func setDoomed(_ snapshots: [String]?, ofImage id: String) throws(CatalogFailure) {
        try connection.execute(
            "UPDATE policy_images SET doomed = \(snapshots?.joined(separator: "\n")) WHERE image_id = \(id)")
    }

    /// The policy that made an image has deprecated it.
    public func setDeprecatedByPolicy(image id: String) throws(CatalogFailure) {
        try connection.execute("UPDATE policy_images SET is_deprecated = 1 WHERE image_id = \(id)")
    }

    /// The policy that made an image manages it no more, and no snapshots are to follow it. No error if none made it.
    public func releasePolicyImage(_ id: String) throws(CatalogFailure) {
        try connection.execute(
            "UPDATE policy_images SET is_released = 1, expires_at = NULL, doomed = NULL WHERE image_id = \(id)")
    }

    /// Forgets that a policy made an image that nobody was told of. No error if none did.
    public func deletePolicyImage(_ id: String) throws(CatalogFailure) {
        try connection.execute("DELETE FROM policy_images WHERE image_id = \(id)")
        try connection.execute("DELETE FROM policy_copies WHERE object_id = \(id)")
    }
}
