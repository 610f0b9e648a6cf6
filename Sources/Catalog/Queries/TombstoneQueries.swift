extension CatalogSession {
    /// Remembers for ever whose a snapshot was that is deleted. No change if it is known.
    public func bury(snapshot id: String, of account: String) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO deleted_snapshots (id, account_id) VALUES (\(id), \(account)) ON CONFLICT (id) DO NOTHING
            """)
    }

    /// Was that a snapshot of the account's, and is it deleted?
    public func isBuried(snapshot id: String, of account: String) throws(CatalogFailure) -> Bool {
        try !connection.query(
            "SELECT 1 AS one FROM deleted_snapshots WHERE id = \(id) AND account_id = \(account)"
        ).isEmpty
    }
}
