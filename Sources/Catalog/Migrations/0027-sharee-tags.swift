extension Migration {
    /// 0027-sharee-tags: what accounts write on what others share with them.
    ///
    /// Apart from the table of tags, which are their owner's: whatever reads or acts on those cannot meet these. They stay when
    /// the sharing ends, since it may begin again, and go with the object or the account.
    static let shareeTags = Migration(
        number: 27, name: "sharee-tags",
        statements: [
            """
            CREATE TABLE sharee_tags (
                account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
                object_id TEXT NOT NULL,
                key TEXT NOT NULL,
                value TEXT NOT NULL,
                PRIMARY KEY (account_id, object_id, key)
            ) @table
            """,
            "CREATE INDEX sharee_tags_by_object ON sharee_tags (object_id)",
        ])
}
