extension Migration {
    /// 0034-shares-in-order: what is shared with an account, or with everybody, in the order of ids, so that a page of it costs
    /// what is on it.
    static let sharesInOrder = Migration(
        number: 34, name: "shares-in-order",
        statements: [
            "DROP INDEX shares_by_account",
            "CREATE INDEX shares_by_account_and_snapshot ON shares (account_id, snapshot_id)",
        ])
}
