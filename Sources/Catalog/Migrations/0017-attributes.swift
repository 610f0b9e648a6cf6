extension Migration {
    /// 0017-attributes: which snapshots are to be restored fast, and what else is settled about volumes and instances.
    ///
    /// A volume or an instance without a row of settings has the usual ones.
    static let attributes = Migration(
        number: 17, name: "attributes",
        statements: [
            """
            CREATE TABLE fast_restores (
                snapshot_id TEXT NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
                zone TEXT NOT NULL,
                account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
                enabled_at @integer NOT NULL,
                PRIMARY KEY (snapshot_id, zone, account_id)
            ) @table
            """,
            """
            CREATE TABLE volume_settings (
                volume_id TEXT PRIMARY KEY REFERENCES volumes (id) ON DELETE CASCADE,
                starts_io_itself @integer NOT NULL
            ) @table
            """,
            """
            CREATE TABLE instance_settings (
                instance_id TEXT PRIMARY KEY REFERENCES instances (id) ON DELETE CASCADE,
                is_kept_running @integer NOT NULL,
                ends_on_shutdown @integer NOT NULL,
                user_data TEXT
            ) @table
            """,
        ])
}
