extension Migration {
    /// 0034-shares-in-order: what is shared with an account, or with everybody, in the order of ids, and by whose it is, so that a
    /// page of it costs what is on it. An owner is for good, so it stands beside each share, too.
    static let sharesInOrder = Migration(
        number: 34, name: "shares-in-order",
        statements: [
            "ALTER TABLE shares ADD COLUMN owner_id TEXT NOT NULL DEFAULT ''",
            """
            UPDATE shares
            SET owner_id = (SELECT snapshots.account_id FROM snapshots WHERE snapshots.id = shares.snapshot_id)
            """,
            "DROP INDEX shares_by_account",
            "CREATE INDEX shares_by_account_and_snapshot ON shares (account_id, snapshot_id, owner_id)",
            "CREATE INDEX shares_by_account_and_owner ON shares (account_id, owner_id, snapshot_id)",
        ])
}
