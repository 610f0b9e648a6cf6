extension Migration {
    /// 0042-instant-access: snapshots that are told to be available from their cut on, whatever of them is stored.
    static let instantAccess = Migration(
        number: 42, name: "instant-access",
        statements: [
            "ALTER TABLE snapshots ADD COLUMN has_instant_access @integer NOT NULL DEFAULT 0",
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_snapshots",
            """
            CREATE VIEW keyed_snapshots AS
            SELECT snapshots.*, data_keys.key_id FROM snapshots LEFT JOIN data_keys ON data_keys.id = snapshots.data_key
            """,
        ])
}
