extension Migration {
    /// 0040-attached-once: was a volume ever attached? Nobody knows of those that are there already, so they all count as such: an
    /// old disk is not refused a snapshot that it could always be given.
    static let attachedOnce = Migration(
        number: 40, name: "attached-once",
        statements: [
            "ALTER TABLE volumes ADD COLUMN was_attached @integer NOT NULL DEFAULT 0",
            "UPDATE volumes SET was_attached = 1",
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_volumes",
            """
            CREATE VIEW keyed_volumes AS
            SELECT volumes.*, data_keys.key_id FROM volumes LEFT JOIN data_keys ON data_keys.id = volumes.data_key
            """,
        ])
}
