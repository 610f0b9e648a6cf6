extension Migration {
    /// 0043-consistency: what a snapshot's content is sure to be, besides what a disk is after a loss of power.
    ///
    /// `consistency` NULL: nothing; `fileSystem`, `application`.
    static let consistency = Migration(
        number: 43, name: "consistency",
        statements: [
            "ALTER TABLE snapshots ADD COLUMN consistency TEXT",
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_snapshots",
            """
            CREATE VIEW keyed_snapshots AS
            SELECT snapshots.*, data_keys.key_id FROM snapshots LEFT JOIN data_keys ON data_keys.id = snapshots.data_key
            """,
        ])
}
