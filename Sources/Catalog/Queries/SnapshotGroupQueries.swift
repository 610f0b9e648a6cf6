extension CatalogSession {
    /// Writes what a snapshot group is called, instead of what it was.
    public func put(_ group: SnapshotGroupRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO snapshot_groups (id, account_id, name, description)
            VALUES (\(group.id), \(group.account), \(group.name), \(group.description))
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description
            """)
    }

    /// What a snapshot group is called; nil: nobody said.
    public func snapshotGroup(_ id: String) throws(CatalogFailure) -> SnapshotGroupRecord? {
        try connection.query("SELECT * FROM snapshot_groups WHERE id = \(id)").records(SnapshotGroupRecord.init).first
    }

    /// The same of all groups of an account of which anybody said.
    public func snapshotGroups(of account: String) throws(CatalogFailure) -> [SnapshotGroupRecord] {
        try connection.query("SELECT * FROM snapshot_groups WHERE account_id = \(account) ORDER BY id")
            .records(SnapshotGroupRecord.init)
    }

    /// Forgets a group whose last snapshot goes, and its tags. No error if there is none.
    func deleteSnapshotGroup(_ id: String) throws(CatalogFailure) {
        try removeTags(of: id)
        try connection.execute("DELETE FROM snapshot_groups WHERE id = \(id)")
    }

    /// The snapshots that were taken together under that id, deleted and binned ones among them.
    public func snapshots(ofGroup id: String) throws(CatalogFailure) -> [SnapshotRecord] {
        try connection.query("SELECT * FROM keyed_snapshots WHERE group_id = \(id) ORDER BY created_at, id")
            .records(SnapshotRecord.init)
    }
}

/// What its owner calls the snapshots that were taken together.
public struct SnapshotGroupRecord: Equatable, Sendable {
    /// `group-...`.
    public var id: String
    /// Whose it is.
    public var account: String
    /// Its owner's name for it.
    public var name: String?
    /// What its owner says of it.
    public var description: String?

    /// Makes one.
    public init(id: String, account: String, name: String?, description: String?) {
        self.id = id
        self.account = account
        self.name = name
        self.description = description
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        id = try row.text("id")
        account = try row.text("account_id")
        name = try row.optionalText("name")
        description = try row.optionalText("description")
    }
}
