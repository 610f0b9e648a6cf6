extension Migration {
    /// 0038-descriptions: what a volume's owner says of it.
    static let descriptions = Migration(
        number: 38, name: "descriptions",
        statements: [
            "ALTER TABLE volumes ADD COLUMN description TEXT",
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_volumes",
            """
            CREATE VIEW keyed_volumes AS
            SELECT volumes.*, data_keys.key_id FROM volumes LEFT JOIN data_keys ON data_keys.id = volumes.data_key
            """,
        ])
}
