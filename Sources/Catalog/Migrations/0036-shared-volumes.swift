extension Migration {
    /// 0036-shared-volumes: volumes that several instances may have at a time, each by an export of its own.
    ///
    /// `export` is that export's name: the volume's id where nobody else has the volume, and that and the host's id where
    /// somebody may.
    static let sharedVolumes = Migration(
        number: 36, name: "shared-volumes",
        statements: [
            """
            CREATE TABLE shared_attachments (
                volume_id TEXT NOT NULL REFERENCES volumes (id) ON DELETE CASCADE,
                host TEXT NOT NULL,
                device TEXT,
                goes_with_instance @integer NOT NULL,
                export TEXT NOT NULL,
                attached_at @integer NOT NULL,
                PRIMARY KEY (volume_id, host)
            ) @table
            """,
            """
            INSERT INTO shared_attachments (volume_id, host, device, goes_with_instance, export, attached_at)
            SELECT volume_id, host, device, goes_with_instance, volume_id, attached_at FROM attachments
            """,
            "DROP TABLE attachments",
            "ALTER TABLE shared_attachments RENAME TO attachments",
            "CREATE INDEX attachments_by_host ON attachments (host)",
            "ALTER TABLE volumes ADD COLUMN is_shared @integer NOT NULL DEFAULT 0",
            "ALTER TABLE modifications ADD COLUMN old_is_shared @integer NOT NULL DEFAULT 0",
            "ALTER TABLE modifications ADD COLUMN new_is_shared @integer NOT NULL DEFAULT 0",
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_volumes",
            """
            CREATE VIEW keyed_volumes AS
            SELECT volumes.*, data_keys.key_id FROM volumes LEFT JOIN data_keys ON data_keys.id = volumes.data_key
            """,
        ])
}
