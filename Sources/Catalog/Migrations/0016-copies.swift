extension Migration {
    /// 0016-copies: snapshots that are copies of others, and how far those under way are.
    ///
    /// `copy_source` NULL: no copy. Of a copy `volume_id` is that of its source once that is known, so that a volume's copies
    /// are one lineage in each region. `copy_key` is the wrapping key that was asked for, `copy_placed` says that it is settled
    /// what the copy builds on. `copy_packs` has what was stored of a
    /// copy under way; runs of blocks are text, `start+count` each, with spaces between.
    static let copies = Migration(
        number: 16, name: "copies",
        statements: [
            "ALTER TABLE snapshots ADD COLUMN copy_region TEXT",
            "ALTER TABLE snapshots ADD COLUMN copy_source TEXT",
            "ALTER TABLE snapshots ADD COLUMN copy_encrypted @integer NOT NULL DEFAULT 0",
            "ALTER TABLE snapshots ADD COLUMN copy_key TEXT",
            "ALTER TABLE snapshots ADD COLUMN copy_placed @integer NOT NULL DEFAULT 0",
            "CREATE INDEX snapshots_by_copy_source ON snapshots (copy_source)",
            """
            CREATE TABLE copy_packs (
                snapshot_id TEXT NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
                number @integer NOT NULL,
                runs TEXT NOT NULL,
                PRIMARY KEY (snapshot_id, number)
            ) @table
            """,
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_snapshots",
            """
            CREATE VIEW keyed_snapshots AS
            SELECT snapshots.*, data_keys.key_id FROM snapshots LEFT JOIN data_keys ON data_keys.id = snapshots.data_key
            """,
        ])
}
