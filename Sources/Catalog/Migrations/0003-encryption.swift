extension Migration {
    /// 0003-encryption: which data key a volume and its snapshots are encrypted with, and which key wraps that.
    ///
    /// `data_key` NULL: stored in the clear. Rotating a wrapping key changes one row of `data_keys` for each lineage.
    static let encryption = Migration(
        number: 3, name: "encryption",
        statements: [
            "CREATE TABLE data_keys (id TEXT PRIMARY KEY, key_id TEXT NOT NULL) @table",
            "ALTER TABLE volumes ADD COLUMN data_key TEXT",
            "ALTER TABLE snapshots ADD COLUMN data_key TEXT",
            """
            CREATE VIEW keyed_volumes AS
            SELECT volumes.*, data_keys.key_id FROM volumes LEFT JOIN data_keys ON data_keys.id = volumes.data_key
            """,
            """
            CREATE VIEW keyed_snapshots AS
            SELECT snapshots.*, data_keys.key_id FROM snapshots LEFT JOIN data_keys ON data_keys.id = snapshots.data_key
            """,
        ])
}
