extension Migration {
    /// 0047-snapshot-groups: what owners call the snapshots that they took together. A group's entry goes with the last of them; one
    /// from before has none.
    static let snapshotGroups = Migration(
        number: 47, name: "snapshot-groups",
        statements: [
            """
            CREATE TABLE snapshot_groups (
                id TEXT PRIMARY KEY,
                account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
                name TEXT,
                description TEXT
            ) @table
            """,
            "CREATE INDEX snapshot_groups_by_account ON snapshot_groups (account_id)",
        ])
}
