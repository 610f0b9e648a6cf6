public import Blocks

extension CatalogSession {
    /// Says that a snapshot goes, or has gone so far, on whose content others of its lineage may build: it is to be counted anew.
    public func recount(lineageOf snapshot: String, at time: WallTime) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO gone_authors (snapshot_id, lineage, account_id)
            SELECT id, lineage, account_id FROM snapshots WHERE id = \(snapshot) AND lineage IS NOT NULL
            ON CONFLICT (snapshot_id) DO NOTHING
            """)
        try connection.execute(
            """
            INSERT INTO uncounted_lineages (lineage, since, marks)
            SELECT lineage, \(time), 1 FROM snapshots WHERE id = \(snapshot) AND lineage IS NOT NULL
            ON CONFLICT (lineage) DO UPDATE SET marks = uncounted_lineages.marks + 1
            """)
    }

    /// Says the same of all lineages.
    public func recountAllLineages(at time: WallTime) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO uncounted_lineages (lineage, since, marks)
            SELECT DISTINCT lineage, \(time), 1 FROM snapshots WHERE lineage IS NOT NULL
            ON CONFLICT (lineage) DO UPDATE SET marks = uncounted_lineages.marks + 1
            """)
    }

    /// The lineage that has waited longest to be counted.
    public func uncountedLineage() throws(CatalogFailure) -> UncountedLineage? {
        try connection.query("SELECT * FROM uncounted_lineages ORDER BY since, lineage LIMIT 1")
            .records(UncountedLineage.init).first
    }

    /// Lets a lineage that cannot be counted now wait as if it had been marked then.
    public func postpone(_ lineage: UncountedLineage, to time: WallTime) throws(CatalogFailure) {
        try connection.execute(
            "UPDATE uncounted_lineages SET since = \(time) WHERE lineage = \(lineage.name)")
    }

    /// A lineage's snapshots that are stored and not deleted, oldest first; those in the bin among them.
    public func living(ofLineage lineage: String) throws(CatalogFailure) -> [LineageMember] {
        try connection.query(
            """
            SELECT id, account_id FROM snapshots WHERE lineage = \(lineage) AND state = 'completed' AND is_deleted = 0
            ORDER BY created_at, id
            """
        ).records(LineageMember.init)
    }

    /// What is known of a snapshot that stored something, whether it is still there or not.
    public func author(_ id: String) throws(CatalogFailure) -> PackAuthor {
        if let record = try snapshot(id) {
            return PackAuthor(isGone: record.isDeleted || record.state != .completed, account: record.account)
        }
        let gone = try connection.query("SELECT account_id FROM gone_authors WHERE snapshot_id = \(id)").first
        return PackAuthor(isGone: true, account: try gone?.text("account_id"))
    }

    /// Was it marked since this was read?
    public func isMarkedAgain(_ lineage: UncountedLineage) throws(CatalogFailure) -> Bool {
        try connection.query(
            "SELECT marks FROM uncounted_lineages WHERE lineage = \(lineage.name) AND marks <> \(lineage.marks)"
        ).first != nil
    }

    /// Writes what counts for snapshots, and how large they are; nothing for those that are gone.
    public func write(_ shares: [String: InheritedShare]) throws(CatalogFailure) {
        for (id, share) in shares.sorted(by: { $0.key < $1.key }) {
            try connection.execute(
                """
                UPDATE snapshots
                SET inherited_bytes = COALESCE(\(share.inherited), inherited_bytes), full_bytes = \(share.full)
                WHERE id = \(id) AND (inherited_bytes <> COALESCE(\(share.inherited), inherited_bytes)
                    OR full_bytes IS NULL OR full_bytes <> \(share.full))
                """)
        }
    }

    /// A lineage is counted, unless it was marked again meanwhile: for that it waits its turn anew.
    ///
    /// - Parameter authors: who stored what its snapshots need. Of the others that are gone nothing is kept.
    public func end(
        _ lineage: UncountedLineage, authors: Set<String>, at time: WallTime
    ) throws(CatalogFailure) {
        let isOver =
            try connection.execute(
                "DELETE FROM uncounted_lineages WHERE lineage = \(lineage.name) AND marks = \(lineage.marks)") == 1
        guard isOver else { return try postpone(lineage, to: time) }
        for row in try connection.query("SELECT snapshot_id FROM gone_authors WHERE lineage = \(lineage.name)") {
            let id = try row.text("snapshot_id")
            if authors.contains(id) { continue }
            try connection.execute("DELETE FROM gone_authors WHERE snapshot_id = \(id)")
        }
    }

    /// What counts for a snapshot besides what it stored; nil: there is no such snapshot.
    public func inherited(by snapshot: String) throws(CatalogFailure) -> ByteCount? {
        try connection.query("SELECT inherited_bytes FROM snapshots WHERE id = \(snapshot)").first
            .map { (row) throws(CatalogFailure) in ByteCount(try row.integer("inherited_bytes")) }
    }
}

/// A lineage that is to be counted anew.
public struct UncountedLineage: Equatable, Sendable {
    /// Its name.
    public var name: String
    /// Since when.
    public var since: WallTime
    /// How often that was said.
    public var marks: Int

    init(_ row: SQLRow) throws(CatalogFailure) {
        name = try row.text("lineage")
        since = try row.time("since")
        marks = try row.integer("marks")
    }
}

/// A snapshot of a lineage that is counted.
public struct LineageMember: Equatable, Sendable {
    /// The snapshot.
    public var id: String
    /// Whose it is.
    public var account: String

    /// Makes one.
    public init(id: String, account: String) {
        self.id = id
        self.account = account
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        id = try row.text("id")
        account = try row.text("account_id")
    }
}

/// A snapshot that stored what others may need.
public struct PackAuthor: Equatable, Sendable {
    /// Is it deleted, so that it does not count itself any more?
    public var isGone: Bool
    /// Whose it is or was; nil: deleted before that was kept.
    public var account: String?

    /// Makes one.
    public init(isGone: Bool, account: String?) {
        self.isGone = isGone
        self.account = account
    }
}

/// What the store says of a snapshot that is counted.
public struct InheritedShare: Equatable, Sendable {
    /// Bytes that deleted snapshots stored and that count for this one; nil: as many as before.
    public var inherited: ByteCount?
    /// Bytes of a full copy of it.
    public var full: ByteCount

    /// Makes one.
    public init(inherited: ByteCount?, full: ByteCount) {
        self.inherited = inherited
        self.full = full
    }
}
