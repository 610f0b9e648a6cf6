extension Migration {
    /// 0001-first: volumes, attachments, snapshots, tasks, settings.
    ///
    /// Times are milliseconds since 1970 UTC. A snapshot outlives its volume and its parent, so it refers to both by
    /// name only.
    static let first = Migration(
        number: 1, name: "first",
        statements: [
            """
            CREATE TABLE volumes (
                id TEXT PRIMARY KEY,
                name TEXT,
                state TEXT NOT NULL CHECK (state IN ('creating', 'importing', 'available', 'deleting')),
                size @integer NOT NULL CHECK (size > 0),
                source_snapshot TEXT,
                created_at @integer NOT NULL
            ) @table
            """,
            """
            CREATE TABLE attachments (
                volume_id TEXT PRIMARY KEY REFERENCES volumes (id) ON DELETE CASCADE,
                host TEXT NOT NULL,
                attached_at @integer NOT NULL
            ) @table
            """,
            """
            CREATE TABLE snapshots (
                id TEXT PRIMARY KEY,
                volume_id TEXT NOT NULL,
                parent_id TEXT,
                group_id TEXT,
                state TEXT NOT NULL CHECK (state IN ('creating', 'pending', 'completed', 'error')),
                reason TEXT,
                is_deleted @integer NOT NULL,
                name TEXT,
                description TEXT,
                volume_size @integer NOT NULL,
                changed_bytes @integer,
                stored_bytes @integer,
                created_at @integer NOT NULL,
                completed_at @integer
            ) @table
            """,
            "CREATE INDEX snapshots_by_volume ON snapshots (volume_id, created_at)",
            """
            CREATE TABLE snapshot_exports (
                snapshot_id TEXT PRIMARY KEY REFERENCES snapshots (id) ON DELETE CASCADE,
                host TEXT NOT NULL,
                attached_at @integer NOT NULL
            ) @table
            """,
            """
            CREATE TABLE tasks (
                id TEXT PRIMARY KEY,
                kind TEXT NOT NULL,
                subject_id TEXT NOT NULL,
                argument TEXT,
                state TEXT NOT NULL CHECK (state IN ('running', 'waiting', 'succeeded', 'failed', 'cancelled')),
                retries @integer NOT NULL,
                last_error TEXT,
                created_at @integer NOT NULL,
                updated_at @integer NOT NULL
            ) @table
            """,
            "CREATE INDEX tasks_by_state ON tasks (state, created_at)",
            "CREATE INDEX tasks_by_subject ON tasks (subject_id)",
            "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) @table",
        ])
}
