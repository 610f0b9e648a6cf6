extension CatalogSession {
    /// Adds an account.
    public func insert(_ account: AccountRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO accounts (id, name, created_at) VALUES (\(account.id), \(account.name), \(account.createdAt))
            """)
    }

    /// The account, or nil.
    public func account(_ id: String) throws(CatalogFailure) -> AccountRecord? {
        guard let row = try connection.query("SELECT * FROM accounts WHERE id = \(id)").first else { return nil }
        return try AccountRecord(row)
    }

    /// Every account, oldest first.
    public func accounts() throws(CatalogFailure) -> [AccountRecord] {
        try connection.query("SELECT * FROM accounts ORDER BY created_at, id").records(AccountRecord.init)
    }

    /// Gives an account another name. No error if there is none.
    public func rename(account id: String, to name: String) throws(CatalogFailure) {
        try connection.execute("UPDATE accounts SET name = \(name) WHERE id = \(id)")
    }

    /// Removes an account with its keys, its policies, its rules for the bin, its images and what is left of its terminated
    /// instances and deleted snapshots. No error if there is none.
    public func deleteAccount(_ id: String) throws(CatalogFailure) {
        try connection.execute(
            "DELETE FROM tags WHERE object_id IN (SELECT id FROM instances WHERE account_id = \(id))")
        try connection.execute(
            "DELETE FROM tags WHERE object_id IN (SELECT id FROM bin_rules WHERE account_id = \(id))")
        try connection.execute(
            "DELETE FROM tags WHERE object_id IN (SELECT id FROM policies WHERE account_id = \(id))")
        try connection.execute("DELETE FROM tags WHERE object_id IN (SELECT id FROM images WHERE account_id = \(id))")
        try connection.execute(
            "DELETE FROM sharee_tags WHERE object_id IN (SELECT id FROM images WHERE account_id = \(id))")
        try connection.execute("DELETE FROM images WHERE account_id = \(id)")
        try connection.execute("DELETE FROM instances WHERE account_id = \(id) AND state = 'terminated'")
        try connection.execute("DELETE FROM deleted_snapshots WHERE account_id = \(id)")
        try connection.execute("DELETE FROM accounts WHERE id = \(id)")
    }

    /// Adds a key.
    public func insert(_ key: AccessKeyRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO access_keys (id, account_id, principal, role, sealed_secret, is_active, created_at)
            VALUES (\(key.id), \(key.account), \(key.principal), \(key.role), \(key.sealedSecret), \(key.isActive),
                \(key.createdAt))
            """)
    }

    /// Says whether a key is accepted.
    ///
    /// - Returns: false if there is none.
    @discardableResult
    public func setActive(_ isActive: Bool, accessKey id: String) throws(CatalogFailure) -> Bool {
        try connection.execute("UPDATE access_keys SET is_active = \(isActive) WHERE id = \(id)") == 1
    }

    /// The key, or nil.
    public func accessKey(_ id: String) throws(CatalogFailure) -> AccessKeyRecord? {
        guard let row = try connection.query("SELECT * FROM access_keys WHERE id = \(id)").first else { return nil }
        return try AccessKeyRecord(row)
    }

    /// Every key, or those of one account, oldest first.
    public func accessKeys(of account: String? = nil) throws(CatalogFailure) -> [AccessKeyRecord] {
        let rows =
            if let account {
                try connection.query(
                    "SELECT * FROM access_keys WHERE account_id = \(account) ORDER BY created_at, id")
            } else {
                try connection.query("SELECT * FROM access_keys ORDER BY created_at, id")
            }
        return try rows.records(AccessKeyRecord.init)
    }

    /// Removes a key. No error if there is none.
    public func deleteAccessKey(_ id: String) throws(CatalogFailure) {
        try connection.execute("DELETE FROM access_keys WHERE id = \(id)")
    }

    /// Does the account own a volume, a snapshot or an instance, those among it that are in the bin or only wait to be deleted?
    public func ownsAnything(_ account: String) throws(CatalogFailure) -> Bool {
        let rows = try connection.query(
            """
            SELECT 1 AS one FROM volumes WHERE account_id = \(account)
            UNION ALL SELECT 1 AS one FROM snapshots WHERE account_id = \(account)
            UNION ALL SELECT 1 AS one FROM instances WHERE account_id = \(account) AND state <> 'terminated' LIMIT 1
            """)
        return !rows.isEmpty
    }
}
