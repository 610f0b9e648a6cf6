extension Migration {
    /// 0015-policies: rules by which snapshots are taken and let go.
    ///
    /// What a policy made stays when it goes, so `policy_snapshots` refers to it by name only. One run makes one snapshot of a
    /// volume: the key of that says so.
    static let policies = Migration(
        number: 15, name: "policies",
        statements: [
            """
            CREATE TABLE policies (
                id TEXT PRIMARY KEY,
                account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
                is_enabled @integer NOT NULL,
                plan TEXT NOT NULL,
                problem TEXT,
                created_at @integer NOT NULL,
                modified_at @integer NOT NULL
            ) @table
            """,
            "CREATE INDEX policies_by_account ON policies (account_id, created_at)",
            """
            CREATE TABLE policy_schedules (
                policy_id TEXT NOT NULL REFERENCES policies (id) ON DELETE CASCADE,
                name TEXT NOT NULL,
                next_at @integer,
                last_at @integer,
                PRIMARY KEY (policy_id, name)
            ) @table
            """,
            "CREATE INDEX policy_schedules_by_time ON policy_schedules (next_at)",
            """
            CREATE TABLE policy_snapshots (
                snapshot_id TEXT PRIMARY KEY REFERENCES snapshots (id) ON DELETE CASCADE,
                run_id TEXT NOT NULL,
                volume_id TEXT NOT NULL,
                policy_id TEXT NOT NULL,
                schedule TEXT NOT NULL,
                target_id TEXT NOT NULL,
                expires_at @integer,
                UNIQUE (run_id, volume_id)
            ) @table
            """,
            "CREATE INDEX policy_snapshots_by_policy ON policy_snapshots (policy_id)",
        ])
}
