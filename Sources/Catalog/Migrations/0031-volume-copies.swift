extension Migration {
    /// 0031-volume-copies: which volume another one was copied from. It outlives that one, so it is a name only.
    static let volumeCopies = Migration(
        number: 31, name: "volume-copies",
        statements: [
            "ALTER TABLE volumes ADD COLUMN source_volume TEXT",
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_volumes",
            """
            CREATE VIEW keyed_volumes AS
            SELECT volumes.*, data_keys.key_id FROM volumes LEFT JOIN data_keys ON data_keys.id = volumes.data_key
            """,
        ])
}
