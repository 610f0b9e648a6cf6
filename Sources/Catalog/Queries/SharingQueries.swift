extension CatalogSession {
    /// With whom a snapshot is shared: accounts' digits, or ``ShareRecord/everybody``; in order.
    public func shares(of snapshot: String) throws(CatalogFailure) -> [String] {
        var accounts: [String] = []
        for row in try connection.query(
            "SELECT account_id FROM shares WHERE snapshot_id = \(snapshot) ORDER BY account_id")
        {
            accounts.append(try row.text("account_id"))
        }
        return accounts
    }

    /// What an account may know of sharing, by snapshot: with whom its own are shared, and of others' whether they are shared
    /// with it or with everybody.
    public func shares(seenBy account: String) throws(CatalogFailure) -> [String: [String]] {
        let rows = try connection.query(
            """
            SELECT shares.snapshot_id, shares.account_id FROM shares JOIN snapshots ON snapshots.id = shares.snapshot_id
            WHERE snapshots.account_id = \(account) OR shares.account_id IN (\(account), \(ShareRecord.everybody))
            ORDER BY shares.account_id
            """)
        var shares: [String: [String]] = [:]
        for row in rows { shares[try row.text("snapshot_id"), default: []].append(try row.text("account_id")) }
        return shares
    }

    /// Shares it. No error if it is shared so already.
    public func share(_ snapshot: String, with account: String) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO shares (snapshot_id, account_id, owner_id)
            SELECT id, \(account), account_id FROM snapshots WHERE id = \(snapshot)
            ON CONFLICT (snapshot_id, account_id) DO NOTHING
            """)
    }

    /// Shares it no more. No error if it was not.
    public func unshare(_ snapshot: String, with account: String) throws(CatalogFailure) {
        try connection.execute("DELETE FROM shares WHERE snapshot_id = \(snapshot) AND account_id = \(account)")
    }

    /// Other accounts' snapshots that are shared with this one, or with everybody by an account that does not hide that, oldest
    /// first, deleted ones among them.
    public func snapshots(sharedWith account: String) throws(CatalogFailure) -> [SnapshotRecord] {
        try connection.query(
            """
            SELECT * FROM keyed_snapshots WHERE account_id <> \(account) AND state <> 'creating' AND (
                id IN (SELECT snapshot_id FROM shares WHERE account_id = \(account))
                OR id IN (SELECT snapshot_id FROM shares WHERE account_id = \(ShareRecord.everybody))
                    AND account_id NOT IN (\u{20}
            """ + Self.hiding + ")) ORDER BY created_at, id"
        ).records(SnapshotRecord.init)
    }

    /// The accounts that hide what everybody may use.
    static let hiding: SQL = """
        SELECT account_id FROM account_settings
        WHERE key = \(ShareRecord.publicAccess) AND value = \(ShareRecord.hidden)
        """

    /// Which of some accounts do.
    func hiding(of accounts: Set<String>) throws(CatalogFailure) -> Set<String> {
        var hiding: Set<String> = []
        for list in SQL.lists(of: accounts.sorted()) {
            for row in try connection.query(Self.hiding + " AND account_id IN " + list) {
                hiding.insert(try row.text("account_id"))
            }
        }
        return hiding
    }

    /// What an account has settled, or nil.
    public func setting(_ key: String, of account: String) throws(CatalogFailure) -> String? {
        try connection.query(
            "SELECT value FROM account_settings WHERE account_id = \(account) AND key = \(key)"
        ).first?.text("value")
    }

    /// Settles something for an account.
    public func set(_ key: String, of account: String, to value: String) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO account_settings (account_id, key, value) VALUES (\(account), \(key), \(value))
            ON CONFLICT (account_id, key) DO UPDATE SET value = excluded.value
            """)
    }
}

/// Words of the table of shares.
public enum ShareRecord {
    /// Stands for all accounts.
    public static let everybody = "all"
    /// The account setting that says what can be everybody's.
    public static let publicAccess = "public-access"
    /// Its value that hides what everybody may use.
    public static let hidden = "block-all-sharing"
}
