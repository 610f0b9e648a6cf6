extension Migration {
    /// 0033-lineages: what snapshots need that deleted ones stored, and how much a full copy of each is.
    ///
    /// Snapshots of one `lineage` may need each other's content, those of different ones never: it is that of the snapshot that
    /// one builds on, else the volume's id, or its own while its volume is not known. `inherited_bytes` is what counts for a
    /// snapshot besides what it stored. A lineage is in `uncounted_lineages` from when one of its snapshots was deleted until
    /// that is counted anew; `marks` tells whether another one was meanwhile. `full_bytes` NULL: not known yet. `gone_authors`
    /// says whose a deleted snapshot was, for as long as what it stored may be needed.
    ///
    /// All that is there is counted once, which finds what was deleted before, and how large those are that are from before.
    static let lineages = Migration(
        number: 33, name: "lineages",
        statements: [
            "ALTER TABLE snapshots ADD COLUMN full_bytes @integer",
            "ALTER TABLE snapshots ADD COLUMN inherited_bytes @integer NOT NULL DEFAULT 0",
            "ALTER TABLE snapshots ADD COLUMN lineage TEXT",
            "CREATE INDEX snapshots_by_parent ON snapshots (parent_id)",
            """
            WITH RECURSIVE line (id, lineage) AS (
                SELECT id, CASE WHEN volume_id = 'vol-ffffffff' THEN id ELSE volume_id END FROM snapshots AS first
                WHERE NOT EXISTS (SELECT 1 FROM snapshots AS parent WHERE parent.id = first.parent_id)
                UNION ALL
                SELECT next.id, line.lineage FROM snapshots AS next JOIN line ON next.parent_id = line.id)
            UPDATE snapshots SET lineage = line.lineage FROM line WHERE line.id = snapshots.id
            """,
            "CREATE INDEX snapshots_by_lineage ON snapshots (lineage)",
            """
            CREATE TABLE uncounted_lineages (
                lineage TEXT PRIMARY KEY,
                since @integer NOT NULL,
                marks @integer NOT NULL
            ) @table
            """,
            """
            CREATE TABLE gone_authors (
                snapshot_id TEXT PRIMARY KEY,
                lineage TEXT NOT NULL,
                account_id TEXT NOT NULL
            ) @table
            """,
            "CREATE INDEX gone_authors_by_lineage ON gone_authors (lineage)",
            """
            INSERT INTO uncounted_lineages (lineage, since, marks)
            SELECT DISTINCT lineage, 0, 1 FROM snapshots WHERE lineage IS NOT NULL
            """,
            "DROP VIEW metered_objects",
            """
            CREATE VIEW metered_objects AS
            SELECT id, account_id, 'snapshot' AS kind, 'standard' AS type, volume_id AS source_id,
                COALESCE(stored_bytes, 0) + inherited_bytes AS bytes, COALESCE(completed_at, created_at) AS since
            FROM snapshots WHERE state = 'completed' AND is_deleted = 0
            UNION ALL
            SELECT id, account_id, 'volume' AS kind, kind AS type, NULL AS source_id, size AS bytes, created_at AS since
            FROM volumes WHERE state IN ('available', 'importing') AND aside_of IS NULL
            """,
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_snapshots",
            """
            CREATE VIEW keyed_snapshots AS
            SELECT snapshots.*, data_keys.key_id FROM snapshots LEFT JOIN data_keys ON data_keys.id = snapshots.data_key
            """,
        ])
}
