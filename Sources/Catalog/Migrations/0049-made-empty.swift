extension Migration {
    /// 0049-made-empty: was a volume made of nothing? Of those that are there already, with no origin, nobody knows: a disk image may
    /// have been written to them as they were made.
    static let madeEmpty = Migration(
        number: 49, name: "made-empty",
        statements: [
            "ALTER TABLE volumes ADD COLUMN made_empty @integer NOT NULL DEFAULT 0",
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_volumes",
            """
            CREATE VIEW keyed_volumes AS
            SELECT volumes.*, data_keys.key_id FROM volumes LEFT JOIN data_keys ON data_keys.id = volumes.data_key
            """,
        ])
}
