public import Blocks

extension CatalogSession {
    /// Adds a policy.
    public func insert(_ policy: PolicyRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO policies (id, account_id, is_enabled, plan, problem, created_at, modified_at)
            VALUES (\(policy.id), \(policy.account), \(policy.isEnabled), \(policy.plan), \(policy.problem),
                \(policy.createdAt), \(policy.modifiedAt))
            """)
    }

    /// Writes what can change of a policy that exists.
    ///
    /// - Returns: false if there is none.
    @discardableResult
    public func update(_ policy: PolicyRecord) throws(CatalogFailure) -> Bool {
        try connection.execute(
            """
            UPDATE policies SET is_enabled = \(policy.isEnabled), plan = \(policy.plan), problem = \(policy.problem),
                modified_at = \(policy.modifiedAt)
            WHERE id = \(policy.id)
            """) == 1
    }

    /// Keeps what went wrong in a policy's last run; nil: nothing did.
    public func setProblem(_ problem: String?, ofPolicy id: String) throws(CatalogFailure) {
        try connection.execute("UPDATE policies SET problem = \(problem) WHERE id = \(id)")
    }

    /// The policy, or nil.
    public func policy(_ id: String) throws(CatalogFailure) -> PolicyRecord? {
        try connection.query("SELECT * FROM policies WHERE id = \(id) AND is_deleted = 0").records(PolicyRecord.init)
            .first
    }

    /// A policy that its owner deleted and that still lets go of what it took; or nil.
    public func endingPolicy(_ id: String) throws(CatalogFailure) -> PolicyRecord? {
        try connection.query("SELECT * FROM policies WHERE id = \(id) AND is_deleted = 1").records(PolicyRecord.init)
            .first
    }

    /// Everybody's policies, paused and ending ones too, oldest first.
    public func policies() throws(CatalogFailure) -> [PolicyRecord] {
        try connection.query("SELECT * FROM policies ORDER BY created_at, id").records(PolicyRecord.init)
    }

    /// One account's policies, oldest first.
    public func policies(of account: String) throws(CatalogFailure) -> [PolicyRecord] {
        try connection.query(
            "SELECT * FROM policies WHERE account_id = \(account) AND is_deleted = 0 ORDER BY created_at, id"
        )
        .records(PolicyRecord.init)
    }

    /// Leaves of a policy only what lets go of what it took. For its owner it is gone. No error if there is none.
    public func end(policy id: String) throws(CatalogFailure) {
        try removeTags(of: id)
        try deleteOwedCopies(ofPolicy: id)
        try deleteSchedules(ofPolicy: id)
        try connection.execute("UPDATE policies SET is_enabled = 0, is_deleted = 1 WHERE id = \(id)")
    }

    /// Removes a policy and its tags. What it made stays. No error if there is none.
    public func deletePolicy(_ id: String) throws(CatalogFailure) {
        try removeTags(of: id)
        try deleteOwedCopies(ofPolicy: id)
        try connection.execute("DELETE FROM policies WHERE id = \(id)")
    }

    // MARK: Schedules

    /// Writes when one schedule runs.
    public func put(_ schedule: PolicyScheduleRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO policy_schedules (policy_id, name, next_at, last_at)
            VALUES (\(schedule.policyID), \(schedule.name), \(schedule.nextAt), \(schedule.lastAt))
            ON CONFLICT (policy_id, name) DO UPDATE SET next_at = excluded.next_at, last_at = excluded.last_at
            """)
    }

    /// A policy's schedules by name.
    public func schedules(ofPolicy id: String) throws(CatalogFailure) -> [PolicyScheduleRecord] {
        try connection.query("SELECT * FROM policy_schedules WHERE policy_id = \(id) ORDER BY name")
            .records(PolicyScheduleRecord.init)
    }

    /// Forgets a policy's schedules, for others to be put in their place.
    public func deleteSchedules(ofPolicy id: String) throws(CatalogFailure) {
        try connection.execute("DELETE FROM policy_schedules WHERE policy_id = \(id)")
    }

    /// The schedules of enabled policies that are due, earliest first.
    public func schedules(dueAt now: WallTime) throws(CatalogFailure) -> [PolicyScheduleRecord] {
        try connection.query(
            """
            SELECT policy_schedules.* FROM policy_schedules JOIN policies ON policies.id = policy_schedules.policy_id
            WHERE policies.is_enabled = 1 AND next_at <= \(now) ORDER BY next_at, policy_id, name
            """
        ).records(PolicyScheduleRecord.init)
    }

    /// When the next schedule of an enabled policy is due; nil: none is.
    public func nextPolicyTime() throws(CatalogFailure) -> WallTime? {
        let rows = try connection.query(
            """
            SELECT MIN(next_at) AS next_at FROM policy_schedules
            JOIN policies ON policies.id = policy_schedules.policy_id WHERE policies.is_enabled = 1
            """)
        return try rows.first?.optionalTime("next_at")
    }

    // MARK: Snapshots

    /// Records that a policy took a snapshot that is there.
    public func insert(_ made: PolicySnapshotRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO policy_snapshots
                (snapshot_id, run_id, volume_id, policy_id, schedule, target_id, expires_at, cut_at, shared_with,
                shared_until)
            VALUES (\(made.snapshotID), \(made.runID), \(made.volumeID), \(made.policyID),
                \(made.schedules.joined(separator: "\n")),
                \(made.targetID), \(made.expiresAt), \(made.cutAt),
                \(PolicyShare.column(made.sharedWith)), \(made.sharedUntil))
            """)
    }

    /// Which policy took a snapshot; nil: none.
    public func policySnapshot(_ id: String) throws(CatalogFailure) -> PolicySnapshotRecord? {
        let rows = try connection.query("SELECT * FROM policy_snapshots WHERE snapshot_id = \(id)")
        return try rows.records(PolicySnapshotRecord.init).first
    }

    /// What one run took, also what was deleted since and is not gone yet.
    public func policySnapshots(ofRun id: String) throws(CatalogFailure) -> [PolicySnapshotRecord] {
        try connection.query("SELECT * FROM policy_snapshots WHERE run_id = \(id) ORDER BY snapshot_id")
            .records(PolicySnapshotRecord.init)
    }

    /// What one policy took and manages, with the snapshots, oldest first: not what was deleted or taken out of the bin.
    public func policySnapshots(
        ofPolicy id: String
    ) throws(CatalogFailure) -> [(made: PolicySnapshotRecord, snapshot: SnapshotRecord)] {
        let rows = try connection.query(
            """
            SELECT keyed_snapshots.* FROM keyed_snapshots
            JOIN policy_snapshots ON policy_snapshots.snapshot_id = keyed_snapshots.id
            WHERE policy_snapshots.policy_id = \(id) AND is_released = 0 AND is_deleted = 0 AND bin_until IS NULL
                AND state <> 'creating'
            ORDER BY created_at, keyed_snapshots.id
            """)
        return try marked(rows.records(SnapshotRecord.init), ofPolicy: id)
    }

    /// Of that, what was taken of one volume: costs what there is of this.
    public func policySnapshots(
        ofPolicy id: String, volume: String
    ) throws(CatalogFailure) -> [(made: PolicySnapshotRecord, snapshot: SnapshotRecord)] {
        // By the volume's snapshots, each of which has one mark at most, and not by the policy's marks.
        let rows = try connection.query(
            """
            SELECT * FROM keyed_snapshots
            WHERE volume_id = \(volume) AND is_deleted = 0 AND bin_until IS NULL AND state <> 'creating'
                AND EXISTS (
                    SELECT 1 FROM policy_snapshots
                    WHERE snapshot_id = keyed_snapshots.id AND policy_id = \(id) AND is_released = 0)
            ORDER BY created_at, id
            """)
        var found: [(made: PolicySnapshotRecord, snapshot: SnapshotRecord)] = []
        for snapshot in try rows.records(SnapshotRecord.init) {
            if let made = try policySnapshot(snapshot.id) { found.append((made, snapshot)) }
        }
        return found
    }

    /// How many snapshots and images a policy made and manages, by the schedules for which they were made together.
    public func keptCounts(ofPolicy id: String) throws(CatalogFailure) -> [(schedules: [String], count: Int)] {
        let rows = try connection.query(
            """
            SELECT schedule, COUNT(*) AS count FROM policy_snapshots
            JOIN snapshots ON snapshots.id = policy_snapshots.snapshot_id
            WHERE policy_id = \(id) AND is_released = 0 AND is_deleted = 0 AND bin_until IS NULL AND state <> 'creating'
            GROUP BY schedule
            UNION ALL
            SELECT schedule, COUNT(*) AS count FROM policy_images JOIN images ON images.id = policy_images.image_id
            WHERE policy_id = \(id) AND is_released = 0 AND state <> 'deregistered' AND bin_until IS NULL
            GROUP BY schedule
            """
        )
        var counts: [(schedules: [String], count: Int)] = []
        for row in rows {
            let schedules = try row.text("schedule").split(separator: "\n").map(String.init)
            counts.append((schedules, Int(try row.integer("count"))))
        }
        return counts
    }

    /// What one policy took and still is to share no more, oldest first: also what it manages no more, and what is in the bin.
    public func policySnapshots(
        sharedByPolicy id: String
    ) throws(CatalogFailure) -> [(made: PolicySnapshotRecord, snapshot: SnapshotRecord)] {
        let rows = try connection.query(
            """
            SELECT keyed_snapshots.* FROM keyed_snapshots
            JOIN policy_snapshots ON policy_snapshots.snapshot_id = keyed_snapshots.id
            WHERE policy_snapshots.policy_id = \(id) AND shared_until IS NOT NULL AND is_deleted = 0
                AND state <> 'creating'
            ORDER BY created_at, keyed_snapshots.id
            """)
        return try marked(rows.records(SnapshotRecord.init), ofPolicy: id)
    }

    private func marked(
        _ snapshots: [SnapshotRecord], ofPolicy id: String
    ) throws(CatalogFailure) -> [(made: PolicySnapshotRecord, snapshot: SnapshotRecord)] {
        let made = try connection.query("SELECT * FROM policy_snapshots WHERE policy_id = \(id)")
            .records(PolicySnapshotRecord.init)
        let madeOf = Dictionary(made.map { ($0.snapshotID, $0) }) { first, _ in first }
        return snapshots.compactMap { snapshot in madeOf[snapshot.id].map { (made: $0, snapshot: snapshot) } }
    }

    /// Has the policy recorded a snapshot whose instant is not known yet?
    public func isTaking(policy id: String) throws(CatalogFailure) -> Bool {
        try connection.query(
            """
            SELECT 1 FROM snapshots JOIN policy_snapshots ON policy_snapshots.snapshot_id = snapshots.id
            WHERE policy_snapshots.policy_id = \(id) AND state = 'creating' LIMIT 1
            """
        ).first != nil
    }

    /// With whom a snapshot still is to be shared no more for its policy; none: that was done, or its owner has settled it
    /// otherwise.
    public func set(sharedWith shares: [PolicyShare], ofPolicySnapshot id: String) throws(CatalogFailure) {
        try connection.execute(
            """
            UPDATE policy_snapshots
            SET shared_with = \(PolicyShare.column(shares)), shared_until = \(shares.map(\.end).min())
            WHERE snapshot_id = \(id)
            """)
    }

    /// The zones that its policy asked a fast restore in; none: not any more.
    public func set(fastZones zones: [String], ofPolicySnapshot id: String) throws(CatalogFailure) {
        try connection.execute(
            "UPDATE policy_snapshots SET fast_zones = \(zones.joined(separator: "\n")) WHERE snapshot_id = \(id)")
    }

    /// Its policy put it into the archive.
    public func setArchived(at time: WallTime, policySnapshot id: String) throws(CatalogFailure) {
        try connection.execute("UPDATE policy_snapshots SET archived_at = \(time) WHERE snapshot_id = \(id)")
    }

    /// The policy that took a snapshot manages it no more. No error if none took it.
    public func releasePolicySnapshot(_ id: String) throws(CatalogFailure) {
        try connection.execute(
            "UPDATE policy_snapshots SET is_released = 1, expires_at = NULL WHERE snapshot_id = \(id)")
    }

    /// Forgets what policies took of snapshots that are gone, once their runs are forgotten too.
    public func deleteOldPolicySnapshots() throws(CatalogFailure) {
        try connection.execute(
            """
            DELETE FROM policy_snapshots WHERE snapshot_id NOT IN (SELECT id FROM snapshots)
            AND run_id NOT IN (SELECT id FROM tasks)
            """)
        try connection.execute(
            "DELETE FROM policy_images WHERE doomed IS NULL AND image_id NOT IN (SELECT id FROM images) "
                + "AND run_id NOT IN (SELECT id FROM tasks)")
        try connection.execute(
            """
            DELETE FROM policy_copies WHERE policy_id NOT IN (SELECT id FROM policies)
            OR object_id NOT IN (SELECT id FROM snapshots) AND object_id NOT IN (SELECT id FROM images)
                AND object_id NOT IN (SELECT snapshot_id FROM policy_snapshots)
                AND object_id NOT IN (SELECT image_id FROM policy_images)
            """)
    }

    /// Forgets that a policy took a snapshot that nobody was told of. No error if none did.
    public func deletePolicySnapshot(_ id: String) throws(CatalogFailure) {
        try connection.execute("DELETE FROM policy_snapshots WHERE snapshot_id = \(id)")
        try connection.execute("DELETE FROM policy_copies WHERE object_id = \(id)")
    }
}
