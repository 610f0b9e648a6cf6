extension Migration {
    /// 0024-usage: what was stored and for how many hours, what was done by whom, and what accounts may have at most.
    ///
    /// A span says that an object was of one size through whole hours (since 1970, UTC), from `from_hour` up to but without
    /// `until_hour`; NULL: up to the first hour that is not metered yet, which is a setting. `source_id` of a snapshot is the
    /// volume that it was taken of. Spans and events outlive what they are about, and its account.
    static let usage = Migration(
        number: 24, name: "usage",
        statements: [
            """
            CREATE TABLE usage_spans (
                object_id TEXT NOT NULL,
                from_hour @integer NOT NULL,
                until_hour @integer,
                account_id TEXT NOT NULL,
                kind TEXT NOT NULL CHECK (kind IN ('snapshot', 'volume')),
                type TEXT NOT NULL,
                source_id TEXT,
                bytes @integer NOT NULL,
                PRIMARY KEY (object_id, from_hour)
            ) @table
            """,
            "CREATE INDEX usage_spans_by_account ON usage_spans (account_id, from_hour)",
            "CREATE INDEX usage_spans_by_end ON usage_spans (until_hour)",
            """
            CREATE TABLE usage_days (
                day @integer NOT NULL,
                account_id TEXT NOT NULL,
                kind TEXT NOT NULL,
                type TEXT NOT NULL,
                byte_hours @real NOT NULL,
                PRIMARY KEY (account_id, day, kind, type)
            ) @table
            """,
            // What is paid for: whatever takes space in its owner's name, in use or in the bin.
            """
            CREATE VIEW metered_objects AS
            SELECT id, account_id, 'snapshot' AS kind, 'standard' AS type, volume_id AS source_id,
                COALESCE(stored_bytes, 0) AS bytes, COALESCE(completed_at, created_at) AS since
            FROM snapshots WHERE state = 'completed' AND is_deleted = 0
            UNION ALL
            SELECT id, account_id, 'volume' AS kind, kind AS type, NULL AS source_id, size AS bytes, created_at AS since
            FROM volumes WHERE state = 'available' AND aside_of IS NULL
            """,
            """
            CREATE TABLE events (
                number @integer PRIMARY KEY,
                at @integer NOT NULL,
                account_id TEXT NOT NULL,
                principal TEXT NOT NULL,
                access_key TEXT,
                verb TEXT NOT NULL,
                action TEXT,
                door TEXT NOT NULL,
                address TEXT,
                request_id TEXT,
                cause TEXT,
                outcome TEXT NOT NULL,
                unrecorded @integer NOT NULL
            ) @table
            """,
            "CREATE INDEX events_by_account ON events (account_id, number)",
            "CREATE INDEX events_by_time ON events (at)",
            """
            CREATE TABLE event_subjects (
                number @integer NOT NULL REFERENCES events (number) ON DELETE CASCADE,
                position @integer NOT NULL,
                subject_id TEXT NOT NULL,
                PRIMARY KEY (number, position)
            ) @table
            """,
            "CREATE INDEX event_subjects_by_subject ON event_subjects (subject_id, number)",
            """
            CREATE TABLE quotas (
                account_id TEXT NOT NULL,
                name TEXT NOT NULL,
                value @integer NOT NULL,
                PRIMARY KEY (account_id, name)
            ) @table
            """,
        ])
}
