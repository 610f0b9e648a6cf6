extension Migration {
    /// 0010-modifications: the last change of each volume's size, kind or speed.
    static let modifications = Migration(
        number: 10, name: "modifications",
        statements: [
            """
            CREATE TABLE modifications (
                volume_id TEXT PRIMARY KEY REFERENCES volumes (id) ON DELETE CASCADE,
                old_size @integer NOT NULL,
                old_kind TEXT NOT NULL,
                old_iops @integer,
                old_throughput @integer,
                new_size @integer NOT NULL,
                new_kind TEXT NOT NULL,
                new_iops @integer,
                new_throughput @integer,
                started_at @integer NOT NULL
            ) @table
            """
        ])
}
