extension Migration {
    /// 0039-tombstones: whose the snapshots were that are deleted, for ever: an id is never given twice, and who deletes once more
    /// what was theirs is told so.
    static let tombstones = Migration(
        number: 39, name: "tombstones",
        statements: [
            "CREATE TABLE deleted_snapshots (id TEXT PRIMARY KEY, account_id TEXT NOT NULL) @table",
            "CREATE INDEX deleted_snapshots_by_account ON deleted_snapshots (account_id)",
            "INSERT INTO deleted_snapshots (id, account_id) SELECT id, account_id FROM snapshots WHERE is_deleted = 1",
        ])
}
