extension Migration {
    /// 0020-runs: what a run of a policy took stays known as long as the run does, also when the snapshot is gone: else a run that
    /// is tried again would take it once more.
    static let runs = Migration(
        number: 20, name: "runs",
        statements: [
            """
            CREATE TABLE taken_by_policies (
                snapshot_id TEXT PRIMARY KEY,
                run_id TEXT NOT NULL,
                volume_id TEXT NOT NULL,
                policy_id TEXT NOT NULL,
                schedule TEXT NOT NULL,
                target_id TEXT NOT NULL,
                expires_at @integer,
                is_released @integer NOT NULL DEFAULT 0,
                UNIQUE (run_id, volume_id)
            ) @table
            """,
            """
            INSERT INTO taken_by_policies
            SELECT snapshot_id, run_id, volume_id, policy_id, schedule, target_id, expires_at, is_released
            FROM policy_snapshots
            """,
            "DROP TABLE policy_snapshots",
            "ALTER TABLE taken_by_policies RENAME TO policy_snapshots",
            "CREATE INDEX policy_snapshots_by_policy ON policy_snapshots (policy_id)",
        ])
}
