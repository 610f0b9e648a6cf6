extension Migration {
    /// 0045-keepsakes: what a door keeps of a volume for its own answers, by a name of its own.
    static let keepsakes = Migration(
        number: 45, name: "keepsakes",
        statements: [
            """
            CREATE TABLE keepsakes (
                volume_id TEXT NOT NULL REFERENCES volumes (id) ON DELETE CASCADE,
                key TEXT NOT NULL,
                value TEXT NOT NULL,
                PRIMARY KEY (volume_id, key)
            ) @table
            """
        ])
}
