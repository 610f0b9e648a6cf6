extension Migration {
    /// 0037-fill-rates: how fast a volume was asked to be filled from its snapshot, in MiB a second.
    static let fillRates = Migration(
        number: 37, name: "fill-rates",
        statements: [
            "ALTER TABLE volumes ADD COLUMN fill_rate @integer",
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_volumes",
            """
            CREATE VIEW keyed_volumes AS
            SELECT volumes.*, data_keys.key_id FROM volumes LEFT JOIN data_keys ON data_keys.id = volumes.data_key
            """,
        ])
}
