extension Migration {
    /// 0008-sharing: who besides its owner may use a snapshot, and what each account has settled for itself.
    ///
    /// `account_id` of a share is twelve digits, or `all` for everybody; it need not be an account of this house (yet).
    static let sharing = Migration(
        number: 8, name: "sharing",
        statements: [
            """
            CREATE TABLE shares (
                snapshot_id TEXT NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
                account_id TEXT NOT NULL,
                PRIMARY KEY (snapshot_id, account_id)
            ) @table
            """,
            "CREATE INDEX shares_by_account ON shares (account_id)",
            """
            CREATE TABLE account_settings (
                account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
                key TEXT NOT NULL,
                value TEXT NOT NULL,
                PRIMARY KEY (account_id, key)
            ) @table
            """,
        ])
}
