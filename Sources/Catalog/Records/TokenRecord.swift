public import Blocks

/// What a client said so that its request is done once, however often it is sent.
public struct TokenRecord: Equatable, Sendable {
    /// Who asked.
    public var account: String
    /// For what: tokens of two actions have nothing to do with each other.
    public var action: String
    /// The client's word.
    public var token: String
    /// What was asked for, in a form in which equal requests are equal.
    public var fingerprint: String
    /// What was made.
    public var objectID: String
    /// When.
    public var createdAt: WallTime

    /// Makes one.
    public init(
        account: String, action: String, token: String, fingerprint: String, objectID: String, createdAt: WallTime
    ) {
        self.account = account
        self.action = action
        self.token = token
        self.fingerprint = fingerprint
        self.objectID = objectID
        self.createdAt = createdAt
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        account = try row.text("account_id")
        action = try row.text("action")
        token = try row.text("token")
        fingerprint = try row.text("fingerprint")
        objectID = try row.text("object_id")
        createdAt = try row.time("created_at")
    }
}

extension CatalogSession {
    /// What was recorded with an account's token, or nil.
    public func token(_ token: String, for action: String, of account: String) throws(CatalogFailure) -> TokenRecord? {
        let rows = try connection.query(
            "SELECT * FROM tokens WHERE account_id = \(account) AND action = \(action) AND token = \(token)")
        return try rows.first.map { (row) throws(CatalogFailure) in try TokenRecord(row) }
    }

    /// Records a token that is not there yet.
    public func insert(_ token: TokenRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO tokens (account_id, action, token, fingerprint, object_id, created_at)
            VALUES (\(token.account), \(token.action), \(token.token), \(token.fingerprint), \(token.objectID),
                \(token.createdAt))
            """)
    }

    /// Forgets the token of something that came to nothing, so that the client may try again.
    public func deleteTokens(of object: String) throws(CatalogFailure) {
        try connection.execute("DELETE FROM tokens WHERE object_id = \(object)")
    }

    /// Forgets tokens from before `time` of volumes, snapshots, instances and images that are gone.
    public func deleteTokens(ofGoneBefore time: WallTime) throws(CatalogFailure) {
        try connection.execute(
            """
            DELETE FROM tokens WHERE created_at < \(time) AND object_id NOT IN (SELECT id FROM volumes)
                AND object_id NOT IN (SELECT id FROM snapshots) AND object_id NOT IN (SELECT launch_id FROM instances)
                AND object_id NOT IN (SELECT id FROM images WHERE state <> 'deregistered')
            """)
    }
}
