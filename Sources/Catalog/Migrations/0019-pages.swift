extension Migration {
    /// 0019-pages: an account's or a volume's snapshots in the order of their ids, so that a page costs what is on it.
    static let pages = Migration(
        number: 19, name: "pages",
        statements: [
            "CREATE INDEX snapshots_by_account_and_id ON snapshots (account_id, id)",
            "CREATE INDEX snapshots_by_volume_and_id ON snapshots (volume_id, id)",
        ])
}
