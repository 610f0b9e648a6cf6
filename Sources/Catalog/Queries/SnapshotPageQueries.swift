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

    /// Other accounts' snapshots that are there for this one because they are shared with it, or with everybody by an account
    /// that does not hide that; otherwise the same.
    ///
    /// - Parameters:
    ///   - owners: only these accounts', at most a thousand; nil: all.
    ///   - last: none with later ids.
    public func snapshots(
        sharedWith account: String, owners: [String]?, ids: [String]?, volumes: [String]?, after: String?,
        last: String?,
        limit: Int?
    ) throws(CatalogFailure) -> [SnapshotRecord] {
        // What is named is looked up, and whether it is shared with it. Else it is read in the order of what is shared.
        guard ids == nil, volumes == nil, owners == nil else {
            if owners?.isEmpty == true { return [] }
            var whose: SQL = "account_id <> \(account)"
            if let owners { whose = whose + " AND account_id IN " + .list(owners) }
            if let last { whose = whose + " AND id <= \(last)" }
            return try page(whose + " AND (" + Self.isShared(with: account) + ")", ids, volumes, after, limit)
        }
        // Each in its own order: a page of both is on the pages of each.
        let own = try shared(with: account, besides: account, after, last, limit)
        let everybodys = try shared(with: ShareRecord.everybody, besides: account, after, last, limit)
        let known = Set(own.map(\.id))
        let all = (own + everybodys.filter { !known.contains($0.id) }).sorted { $0.id < $1.id }
        return limit.map { Array(all.prefix($0)) } ?? all
    }

    private static func isShared(with account: String) -> SQL {
        """
        EXISTS (SELECT 1 FROM shares AS mine
            WHERE mine.snapshot_id = keyed_snapshots.id AND mine.account_id = \(account))
        OR EXISTS (SELECT 1 FROM shares AS everybodys
            WHERE everybodys.snapshot_id = keyed_snapshots.id AND everybodys.account_id = \(ShareRecord.everybody))
        AND NOT EXISTS (SELECT 1 FROM account_settings AS hiding
            WHERE hiding.account_id = keyed_snapshots.account_id AND hiding.key = \(ShareRecord.publicAccess)
                AND hiding.value = \(ShareRecord.hidden))
        """
    }

    /// What is shared with one audience, in the order of ids; not what the account has itself.
    private func shared(
        with audience: String, besides account: String, _ after: String?, _ last: String?, _ limit: Int?
    ) throws(CatalogFailure) -> [SnapshotRecord] {
        // CROSS: the shares come first, which are in order, and no database thinks otherwise.
        var sql: SQL = """
            SELECT snapshots.*, data_keys.key_id
            FROM shares CROSS JOIN snapshots LEFT JOIN data_keys ON data_keys.id = snapshots.data_key
            WHERE shares.account_id = \(audience) AND snapshots.id = shares.snapshot_id
                AND snapshots.account_id <> \(account) AND snapshots.is_deleted = 0 AND snapshots.bin_until IS NULL
                AND snapshots.state <> 'creating'
            """
        if audience == ShareRecord.everybody {
            sql =
                sql + """
                     AND NOT EXISTS (SELECT 1 FROM account_settings AS hiding
                        WHERE hiding.account_id = snapshots.account_id AND hiding.key = \(ShareRecord.publicAccess)
                            AND hiding.value = \(ShareRecord.hidden))
                    """
        }
        if let after { sql = sql + " AND shares.snapshot_id > \(after)" }
        if let last { sql = sql + " AND shares.snapshot_id <= \(last)" }
        sql = sql + " ORDER BY shares.snapshot_id"
        if let limit { sql = sql + " LIMIT \(limit)" }
        return try connection.query(sql).records(SnapshotRecord.init)
    }

    private func page(
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
