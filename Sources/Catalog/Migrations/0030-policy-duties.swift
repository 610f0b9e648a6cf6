extension Migration {
    /// 0030-policy-duties: what else a policy settled for what it took; what it made images of; and copies owed by several policies
    /// of one thing, as when one that takes snapshots shares them and another account's copies what is shared.
    ///
    /// `is_deleted`: its owner deleted it, and it is there only to let the last of what it took go. `fast_zones`: NULL, nothing
    /// is done yet; the zones that it asked for; or nothing, it is over. `doomed`: snapshots of an image that it let go, which
    /// are to follow.
    static let policyDuties = Migration(
        number: 30, name: "policy-duties",
        statements: [
            "ALTER TABLE policies ADD COLUMN is_deleted @integer NOT NULL DEFAULT 0",
            "ALTER TABLE policy_snapshots ADD COLUMN shared_with TEXT",
            "ALTER TABLE policy_snapshots ADD COLUMN shared_until @integer",
            "ALTER TABLE policy_snapshots ADD COLUMN fast_zones TEXT",
            "ALTER TABLE policy_snapshots ADD COLUMN archived_at @integer",
            """
            CREATE TABLE policy_images (
                image_id TEXT PRIMARY KEY,
                run_id TEXT NOT NULL,
                instance_id TEXT NOT NULL,
                policy_id TEXT NOT NULL,
                schedule TEXT NOT NULL,
                expires_at @integer,
                cut_at @integer,
                is_deprecated @integer NOT NULL,
                is_released @integer NOT NULL,
                doomed TEXT,
                UNIQUE (run_id, instance_id)
            ) @table
            """,
            "CREATE INDEX policy_images_by_policy ON policy_images (policy_id)",
            """
            CREATE TABLE copies_of_policies (
                object_id TEXT NOT NULL,
                region TEXT NOT NULL,
                policy_id TEXT NOT NULL,
                copy_id TEXT,
                failed_at @integer,
                PRIMARY KEY (object_id, region, policy_id)
            ) @table
            """,
            """
            INSERT INTO copies_of_policies (object_id, region, policy_id, copy_id, failed_at)
            SELECT snapshot_id, region, policy_id, copy_id, failed_at FROM policy_copies
            """,
            "DROP TABLE policy_copies",
            "ALTER TABLE copies_of_policies RENAME TO policy_copies",
            "CREATE INDEX policy_copies_owed ON policy_copies (policy_id) WHERE copy_id IS NULL",
        ])
}
