extension Migration {
    /// 0046-instance-keepsakes: what a door keeps of an instance for its own answers, as of volumes.
    static let instanceKeepsakes = Migration(
        number: 46, name: "instance-keepsakes",
        statements: [
            """
            CREATE TABLE instance_keepsakes (
                instance_id TEXT NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
                key TEXT NOT NULL,
                value TEXT NOT NULL,
                PRIMARY KEY (instance_id, key)
            ) @table
            """
        ])
}
