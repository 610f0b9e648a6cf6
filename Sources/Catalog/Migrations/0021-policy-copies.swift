extension Migration {
    /// 0021-policy-copies: what of a policy's snapshots is to be copied to other regions; and of a copy there, the instant of the cut.
    static let policyCopies = Migration(
        number: 21, name: "policy-copies",
        statements: [
            "ALTER TABLE policy_snapshots ADD COLUMN cut_at @integer",
            """
            CREATE TABLE policy_copies (
                snapshot_id TEXT NOT NULL,
                region TEXT NOT NULL,
                policy_id TEXT NOT NULL,
                copy_id TEXT,
                failed_at @integer,
                PRIMARY KEY (snapshot_id, region)
            ) @table
            """,
            "CREATE INDEX policy_copies_owed ON policy_copies (policy_id) WHERE copy_id IS NULL",
        ])
}
