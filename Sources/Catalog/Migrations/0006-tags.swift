extension Migration {
    /// 0006-tags: what owners write on their things to find them again.
    ///
    /// An object's tags go when it goes; ids of all kinds are distinct, so one table holds them all.
    static let tags = Migration(
        number: 6, name: "tags",
        statements: [
            """
            CREATE TABLE tags (
                object_id TEXT NOT NULL,
                key TEXT NOT NULL,
                value TEXT NOT NULL,
                PRIMARY KEY (object_id, key)
            ) @table
            """,
            "CREATE INDEX tags_by_key ON tags (key, value)",
        ])
}
