extension Migration {
    /// 0005-accounts: who owns what, and the keys they sign with.
    ///
    /// All that was there before belongs to the first account. Secrets are sealed (``AccessKeyRecord``). A task without an
    /// account is the house's own.
    static let accounts = Migration(
        number: 5, name: "accounts",
        statements: [
            """
            CREATE TABLE accounts (
                id TEXT PRIMARY KEY,
                name TEXT NOT NULL UNIQUE,
                created_at @integer NOT NULL
            ) @table
            """,
            "INSERT INTO accounts (id, name, created_at) VALUES ('100000000000', 'first', 0)",
            """
            CREATE TABLE access_keys (
                id TEXT PRIMARY KEY,
                account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
                principal TEXT NOT NULL,
                role TEXT NOT NULL CHECK (role IN ('administrator', 'operator', 'reader')),
                sealed_secret TEXT NOT NULL,
                is_active @integer NOT NULL,
                created_at @integer NOT NULL
            ) @table
            """,
            "CREATE INDEX access_keys_by_account ON access_keys (account_id)",
            "ALTER TABLE volumes ADD COLUMN account_id TEXT NOT NULL DEFAULT '100000000000'",
            "ALTER TABLE snapshots ADD COLUMN account_id TEXT NOT NULL DEFAULT '100000000000'",
            "ALTER TABLE tasks ADD COLUMN account_id TEXT",
            "UPDATE tasks SET account_id = '100000000000' WHERE kind NOT IN ('rotate-keys', 'scrub-store')",
            "CREATE INDEX volumes_by_account ON volumes (account_id, created_at)",
            "CREATE INDEX snapshots_by_account ON snapshots (account_id, created_at)",
            // Made anew, for databases that settle a view's columns once and for all.
            "DROP VIEW keyed_volumes",
            """
            CREATE VIEW keyed_volumes AS
            SELECT volumes.*, data_keys.key_id FROM volumes LEFT JOIN data_keys ON data_keys.id = volumes.data_key
            """,
            "DROP VIEW keyed_snapshots",
            """
            CREATE VIEW keyed_snapshots AS
            SELECT snapshots.*, data_keys.key_id FROM snapshots LEFT JOIN data_keys ON data_keys.id = snapshots.data_key
            """,
        ])
}
