extension Migration {
    /// 0026-metered: what is being imported takes space, too.
    static let metered = Migration(
        number: 26, name: "metered",
        statements: [
            "DROP VIEW metered_objects",
            """
            CREATE VIEW metered_objects AS
            SELECT id, account_id, 'snapshot' AS kind, 'standard' AS type, volume_id AS source_id,
                COALESCE(stored_bytes, 0) AS bytes, COALESCE(completed_at, created_at) AS since
            FROM snapshots WHERE state = 'completed' AND is_deleted = 0
            UNION ALL
            SELECT id, account_id, 'volume' AS kind, kind AS type, NULL AS source_id, size AS bytes, created_at AS since
            FROM volumes WHERE state IN ('available', 'importing') AND aside_of IS NULL
            """,
        ])
}
