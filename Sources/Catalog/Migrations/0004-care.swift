extension Migration {
    /// 0004-care: what of snapshots cannot be read, and volumes that were restored with holes.
    ///
    /// Runs of blocks are text, `start+count` each, with spaces between. `holes` of a volume are the runs that read as
    /// zeros because its snapshot could not be read there; NULL: a damaged block is an error.
    static let care = Migration(
        number: 4, name: "care",
        statements: [
            """
            CREATE TABLE damage (
                snapshot_id TEXT PRIMARY KEY REFERENCES snapshots (id) ON DELETE CASCADE,
                found_at @integer NOT NULL,
                checked_at @integer NOT NULL,
                bytes @integer NOT NULL,
                is_map_damaged @integer NOT NULL,
                run_count @integer NOT NULL,
                runs TEXT NOT NULL,
                packs TEXT NOT NULL,
                problems TEXT NOT NULL
            ) @table
            """,
            "ALTER TABLE volumes ADD COLUMN holes TEXT",
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_volumes",
            """
            CREATE VIEW keyed_volumes AS
            SELECT volumes.*, data_keys.key_id FROM volumes LEFT JOIN data_keys ON data_keys.id = volumes.data_key
            """,
        ])
}
