extension Migration {
    /// 0023-tiers: snapshots that their owners put into the archive.
    ///
    /// One that never was there has no `tier_operation`. `restore_until`: until when it is out of the archive.
    static let tiers = Migration(
        number: 23, name: "tiers",
        statements: [
            """
            ALTER TABLE snapshots ADD COLUMN tier_operation TEXT
                CHECK (tier_operation IN ('archival', 'temporary-restore', 'permanent-restore'))
            """,
            "ALTER TABLE snapshots ADD COLUMN tier_began_at @integer",
            "ALTER TABLE snapshots ADD COLUMN archived_at @integer",
            "ALTER TABLE snapshots ADD COLUMN restore_until @integer",
            "CREATE INDEX snapshots_by_restore ON snapshots (restore_until)",
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_snapshots",
            """
            CREATE VIEW keyed_snapshots AS
            SELECT snapshots.*, data_keys.key_id FROM snapshots LEFT JOIN data_keys ON data_keys.id = snapshots.data_key
            """,
        ])
}
