extension Migration {
    /// 0014-bin: what is kept although its owner deleted it, and the rules that say so.
    ///
    /// What is in the bin has both times. `unlock_days` of a rule: it is locked, or was until `unlocks_at`.
    static let bin = Migration(
        number: 14, name: "bin",
        statements: [
            """
            CREATE TABLE bin_rules (
                id TEXT PRIMARY KEY,
                account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
                kind TEXT NOT NULL CHECK (kind IN ('snapshot', 'volume', 'image')),
                days @integer NOT NULL,
                description TEXT,
                unlock_days @integer,
                unlocks_at @integer,
                created_at @integer NOT NULL
            ) @table
            """,
            "CREATE INDEX bin_rules_by_account ON bin_rules (account_id, kind)",
            """
            CREATE TABLE bin_rule_tags (
                rule_id TEXT NOT NULL REFERENCES bin_rules (id) ON DELETE CASCADE,
                is_excluded @integer NOT NULL,
                position @integer NOT NULL,
                key TEXT NOT NULL,
                value TEXT,
                PRIMARY KEY (rule_id, is_excluded, position)
            ) @table
            """,
            "ALTER TABLE snapshots ADD COLUMN bin_since @integer",
            "ALTER TABLE snapshots ADD COLUMN bin_until @integer",
            "ALTER TABLE volumes ADD COLUMN bin_since @integer",
            "ALTER TABLE volumes ADD COLUMN bin_until @integer",
            "CREATE INDEX snapshots_by_bin ON snapshots (bin_until)",
            "CREATE INDEX volumes_by_bin ON volumes (bin_until)",
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_volumes",
            """
            CREATE VIEW keyed_volumes AS
            SELECT volumes.*, data_keys.key_id FROM volumes LEFT JOIN data_keys ON data_keys.id = volumes.data_key
            """,
            "DROP VIEW keyed_snapshots",
            """
            CREATE VIEW keyed_snapshots AS
            SELECT snapshots.*, data_keys.key_id FROM snapshots LEFT JOIN data_keys ON data_keys.id = snapshots.data_key
            """,
        ])
}
