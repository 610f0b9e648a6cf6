extension Migration {
    /// 0011-locks: snapshots that must not be deleted before a time.
    static let locks = Migration(
        number: 11, name: "locks",
        statements: [
            """
            CREATE TABLE locks (
                snapshot_id TEXT PRIMARY KEY REFERENCES snapshots (id) ON DELETE CASCADE,
                mode TEXT NOT NULL CHECK (mode IN ('governance', 'compliance')),
                created_at @integer NOT NULL,
                started_at @integer NOT NULL,
                expires_at @integer NOT NULL,
                cool_off_hours @integer,
                cools_off_at @integer
            ) @table
            """
        ])
}
