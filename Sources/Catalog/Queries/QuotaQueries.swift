public import Blocks

extension CatalogSession {
    /// What was set for an account, by the name of the quota.
    public func quotas(of account: String) throws(CatalogFailure) -> [String: Int] {
        var quotas: [String: Int] = [:]
        for row in try connection.query("SELECT name, value FROM quotas WHERE account_id = \(account)") {
            quotas[try row.text("name")] = try row.integer("value")
        }
        return quotas
    }

    /// Sets one, or with nil takes back what was set.
    public func setQuota(_ name: String, to value: Int?, of account: String) throws(CatalogFailure) {
        guard let value else {
            try connection.execute("DELETE FROM quotas WHERE account_id = \(account) AND name = \(name)")
            return
        }
        try connection.execute(
            """
            INSERT INTO quotas (account_id, name, value) VALUES (\(account), \(name), \(value))
            ON CONFLICT (account_id, name) DO UPDATE SET value = excluded.value
            """)
    }

    /// How many snapshots an account has, those among them that only wait to be gone or are in the bin. From an index alone.
    public func snapshotCount(of account: String) throws(CatalogFailure) -> Int {
        try connection.query("SELECT COUNT(*) AS count FROM snapshots WHERE account_id = \(account)").first?
            .integer("count") ?? 0
    }

    /// How many of an account's snapshots are being made of its volumes, of all or of one of them.
    public func pendingSnapshotCount(of account: String, volume: String? = nil) throws(CatalogFailure) -> Int {
        var sql: SQL = """
            SELECT COUNT(*) AS count FROM snapshots
            WHERE account_id = \(account) AND state IN ('creating', 'pending') AND is_deleted = 0 AND copy_source IS NULL
                AND written_timeout IS NULL
            """
        if let volume { sql = sql + " AND volume_id = \(volume)" }
        return try connection.query(sql).first?.integer("count") ?? 0
    }

    /// How many of an account's snapshots of a volume are being made, of those that are not to be available before they are stored.
    public func unavailableSnapshotCount(of account: String, volume: String) throws(CatalogFailure) -> Int {
        try connection.query(
            """
            SELECT COUNT(*) AS count FROM snapshots
            WHERE account_id = \(account) AND volume_id = \(volume) AND state IN ('creating', 'pending')
                AND is_deleted = 0 AND has_instant_access = 0 AND copy_source IS NULL AND written_timeout IS NULL
            """
        ).first?.integer("count") ?? 0
    }

    /// What an account's volumes of one kind come to, of those for which a kind was asked, but for some of them.
    public func provisioned(
        of account: String, kind: String, besides volumes: [String]
    ) throws(CatalogFailure) -> (size: ByteCount, iops: Int) {
        let row = try connection.query(
            """
            SELECT COALESCE(SUM(size), 0) AS size, COALESCE(SUM(iops), 0) AS iops FROM volumes
            WHERE account_id = \(account) AND kind = \(kind) AND is_paced = 1 AND aside_of IS NULL
                AND state <> 'deleting' AND id NOT IN
            """ + " " + .list(volumes)
        ).first
        return (ByteCount(try row?.integer("size") ?? 0), try row?.integer("iops") ?? 0)
    }
}
