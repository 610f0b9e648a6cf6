extension Migration {
    /// 0012-tokens: the words by which a client says that it asks for the same thing once more.
    ///
    /// A token outlives what was made with it, so that it does not make that again.
    static let tokens = Migration(
        number: 12, name: "tokens",
        statements: [
            """
            CREATE TABLE tokens (
                account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
                action TEXT NOT NULL,
                token TEXT NOT NULL,
                fingerprint TEXT NOT NULL,
                object_id TEXT NOT NULL,
                created_at @integer NOT NULL,
                PRIMARY KEY (account_id, action, token)
            ) @table
            """,
            "CREATE INDEX tokens_by_object ON tokens (object_id)",
        ])
}
