extension Migration {
    /// 0029-fast: the local copies of snapshots that are restored fast, when that was given up, and which volumes had it.
    static let fast = Migration(
        number: 29, name: "fast",
        statements: [
            """
            CREATE TABLE fast_copies (
                snapshot_id TEXT PRIMARY KEY REFERENCES snapshots (id) ON DELETE CASCADE,
                began_at @integer NOT NULL,
                completed_at @integer
            ) @table
            """,
            "ALTER TABLE fast_restores ADD COLUMN disabling_at @integer",
            "ALTER TABLE fast_restores ADD COLUMN disabled_at @integer",
            "ALTER TABLE volumes ADD COLUMN is_fast_restored @integer NOT NULL DEFAULT 0",
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_volumes",
            """
            CREATE VIEW keyed_volumes AS
            SELECT volumes.*, data_keys.key_id FROM volumes LEFT JOIN data_keys ON data_keys.id = volumes.data_key
            """,
        ])
}
