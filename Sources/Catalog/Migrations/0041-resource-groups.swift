extension Migration {
    /// 0041-resource-groups: under which names accounts gather their objects. An object's entry goes when it goes.
    static let resourceGroups = Migration(
        number: 41, name: "resource-groups",
        statements: [
            """
            CREATE TABLE resource_groups (
                object_id TEXT PRIMARY KEY,
                account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
                resource_group TEXT NOT NULL
            ) @table
            """,
            "CREATE INDEX resource_groups_by_account ON resource_groups (account_id)",
            // A group's tags go with the last of its snapshots.
            "CREATE INDEX snapshots_by_group ON snapshots (group_id)",
        ])
}
