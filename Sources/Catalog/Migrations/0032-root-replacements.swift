extension Migration {
    /// 0032-root-replacements: that the disk an instance starts from is exchanged for a new one, and how far that is.
    ///
    /// It outlives the instance, both disks and what the new one is made from, so all of them are names only.
    static let rootReplacements = Migration(
        number: 32, name: "root-replacements",
        statements: [
            """
            CREATE TABLE root_replacements (
                id TEXT PRIMARY KEY,
                account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
                instance_id TEXT NOT NULL,
                device TEXT NOT NULL,
                snapshot_id TEXT NOT NULL,
                image_id TEXT,
                launch_snapshot_id TEXT,
                size @integer NOT NULL,
                old_volume TEXT NOT NULL,
                new_volume TEXT,
                deletes_old @integer NOT NULL,
                state TEXT NOT NULL CHECK (state IN (
                    'pending', 'in-progress', 'exchanged', 'failing', 'succeeded', 'failed')),
                reason TEXT,
                started_at @integer NOT NULL,
                ended_at @integer
            ) @table
            """,
            "CREATE INDEX root_replacements_by_account ON root_replacements (account_id, started_at)",
            "CREATE INDEX root_replacements_by_instance ON root_replacements (instance_id, started_at)",
        ])
}
