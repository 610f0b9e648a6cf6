extension Migration {
    /// 0035-releases: snapshots that are deleted by themselves at a time.
    ///
    /// `release_at` NULL: never.
    static let releases = Migration(
        number: 35, name: "releases",
        statements: [
            "ALTER TABLE snapshots ADD COLUMN release_at @integer",
            "CREATE INDEX snapshots_by_release ON snapshots (release_at, id)",
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_snapshots",
            """
            CREATE VIEW keyed_snapshots AS
            SELECT snapshots.*, data_keys.key_id FROM snapshots LEFT JOIN data_keys ON data_keys.id = snapshots.data_key
            """,
        ])
}
