extension Migration {
    /// 0013-paces: is a volume held to what its kind allows? Volumes for which no kind was asked for are not.
    static let paces = Migration(
        number: 13, name: "paces",
        statements: [
            "ALTER TABLE volumes ADD COLUMN is_paced @integer NOT NULL DEFAULT 0",
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_volumes",
            """
            CREATE VIEW keyed_volumes AS
            SELECT volumes.*, data_keys.key_id FROM volumes LEFT JOIN data_keys ON data_keys.id = volumes.data_key
            """,
        ])
}
