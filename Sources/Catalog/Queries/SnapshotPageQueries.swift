extension CatalogSession {
    /// One account's snapshots that are there for it, by id.
    ///
    /// - Parameters:
    ///   - ids: only these, at most a thousand; nil: all.
    ///   - volumes: only those taken of these, at most a thousand; no copies, which were taken of none. Nil: all.
    ///   - after: only those with later ids.
    ///   - limit: so many; nil: all.
    public func snapshots(
        of account: String, ids: [String]?, volumes: [String]?, after: String?, limit: Int?
    ) throws(CatalogFailure) -> [SnapshotRecord] {
        try page("account_id = \(account)", ids, volumes, after, limit)
    }

    /// The snapshots that are there, of those that a condition names.
    func page(
        _ whose: SQL, _ ids: [String]?, _ volumes: [String]?, _ after: String?, _ limit: Int?
    ) throws(CatalogFailure) -> [SnapshotRecord] {
        if ids?.isEmpty == true || volumes?.isEmpty == true { return [] }
        var sql: SQL = "SELECT * FROM keyed_snapshots WHERE " + whose
        sql = sql + " AND is_deleted = 0 AND bin_until IS NULL AND state <> 'creating'"
        if let ids { sql = sql + " AND id IN " + .list(ids) }
        if let volumes {
            sql = sql + " AND copy_source IS NULL AND written_timeout IS NULL AND volume_id IN " + .list(volumes)
        }
        if let after { sql = sql + " AND id > \(after)" }
        sql = sql + " ORDER BY id"
        if let limit { sql = sql + " LIMIT \(limit)" }
        return try connection.query(sql).records(SnapshotRecord.init)
    }

    /// What belongs to snapshots and stands beside their records, by snapshot.
    public func details(ofSnapshots ids: [String]) throws(CatalogFailure) -> SnapshotDetails {
        var details = SnapshotDetails()
        for list in SQL.lists(of: ids) { try add(list, to: &details) }
        return details
    }

    private func add(_ ids: SQL, to details: inout SnapshotDetails) throws(CatalogFailure) {
        for row in try connection.query("SELECT object_id, key, value FROM tags WHERE object_id IN " + ids) {
            details.tags[try row.text("object_id"), default: [:]][try row.text("key")] = try row.text("value")
        }
        for row in try connection.query(
            "SELECT snapshot_id, account_id FROM shares WHERE snapshot_id IN " + ids + " ORDER BY account_id")
        {
            details.shares[try row.text("snapshot_id"), default: []].append(try row.text("account_id"))
        }
        for row in try connection.query("SELECT * FROM damage WHERE snapshot_id IN " + ids) {
            let damage = try DamageRecord(row)
            details.damage[damage.snapshotID] = damage
        }
        for row in try connection.query("SELECT * FROM policy_snapshots WHERE snapshot_id IN " + ids) {
            let made = try PolicySnapshotRecord(row)
            details.policies[made.snapshotID] = made
        }
        for export in try snapshotExports(where: "WHERE snapshot_id IN " + ids) {
            details.exports[export.objectID] = export
        }
    }
}

/// What stands beside the records of snapshots, by snapshot; nothing where there is none.
public struct SnapshotDetails: Sendable {
    /// Their owners' tags by key.
    public var tags: [String: [String: String]] = [:]
    /// What one account wrote on those that others share with it, by key.
    public var shareeTags: [String: [String: String]] = [:]
    /// With whom they are shared: accounts, or ``ShareRecord/everybody``; in order.
    public var shares: [String: [String]] = [:]
    /// What of them cannot be read.
    public var damage: [String: DamageRecord] = [:]
    /// Which policies took them.
    public var policies: [String: PolicySnapshotRecord] = [:]
    /// Where they are exported.
    public var exports: [String: AttachmentRecord] = [:]
}
