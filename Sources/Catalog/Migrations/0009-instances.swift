extension Migration {
    /// 0009-instances: the hosts that volumes attach to.
    ///
    /// `host` of an attachment is an instance's id, or `local` for the machine that the house is on. A terminated instance stays
    /// for a while, so that whoever ended it can see that it did.
    static let instances = Migration(
        number: 9, name: "instances",
        statements: [
            """
            CREATE TABLE instances (
                id TEXT PRIMARY KEY,
                account_id TEXT NOT NULL REFERENCES accounts (id),
                state TEXT NOT NULL CHECK (state IN ('running', 'stopped', 'terminated')),
                zone TEXT NOT NULL,
                kind TEXT NOT NULL,
                image_id TEXT,
                is_kept @integer NOT NULL,
                launch_id TEXT NOT NULL,
                launched_at @integer NOT NULL,
                changed_at @integer NOT NULL
            ) @table
            """,
            "CREATE INDEX instances_by_account ON instances (account_id, launched_at)",
            "ALTER TABLE attachments ADD COLUMN device TEXT",
            "ALTER TABLE attachments ADD COLUMN goes_with_instance @integer NOT NULL DEFAULT 0",
            "CREATE INDEX attachments_by_host ON attachments (host)",
        ])
}
