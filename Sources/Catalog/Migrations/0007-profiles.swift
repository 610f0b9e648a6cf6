extension Migration {
    /// 0007-profiles: in which zone a volume is, of what kind, how fast it is to be, and what it was made from.
    ///
    /// `zone` NULL: the first of the region. `iops` and `throughput` (MiB/s) NULL: not limited.
    static let profiles = Migration(
        number: 7, name: "profiles",
        statements: [
            "ALTER TABLE volumes ADD COLUMN zone TEXT",
            "ALTER TABLE volumes ADD COLUMN kind TEXT NOT NULL DEFAULT 'gp2'",
            "ALTER TABLE volumes ADD COLUMN iops @integer",
            "ALTER TABLE volumes ADD COLUMN throughput @integer",
            // `source_snapshot` is only there while blocks of it are still to come, and may be a roll back's. So of volumes from
            // before nobody knows it.
            "ALTER TABLE volumes ADD COLUMN origin_snapshot TEXT",
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_volumes",
            """
            CREATE VIEW keyed_volumes AS
            SELECT volumes.*, data_keys.key_id FROM volumes LEFT JOIN data_keys ON data_keys.id = volumes.data_key
            """,
        ])
}
