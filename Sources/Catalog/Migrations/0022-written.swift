extension Migration {
    /// 0022-written: snapshots that are written piece by piece, without a volume.
    ///
    /// `written_timeout` NULL: no such one. It is in milliseconds. `written_count` and `written_checksum` are what their owner said
    /// when all was written; while `written_count` is NULL pieces may come. Of such a snapshot `volume_id` names no volume, only
    /// the line of those that build on one another.
    static let written = Migration(
        number: 22, name: "written",
        statements: [
            "ALTER TABLE snapshots ADD COLUMN written_timeout @integer",
            "ALTER TABLE snapshots ADD COLUMN written_count @integer",
            "ALTER TABLE snapshots ADD COLUMN written_checksum TEXT",
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_snapshots",
            """
            CREATE VIEW keyed_snapshots AS
            SELECT snapshots.*, data_keys.key_id FROM snapshots LEFT JOIN data_keys ON data_keys.id = snapshots.data_key
            """,
        ])
}
