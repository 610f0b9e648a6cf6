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
        try mark(at: time, "id = \(snapshot)")
    }

    /// Says of a completed snapshot that it is to be counted anew if what it builds on is another account's: what that inherits may
    /// be for this one, which until now had none of it.
    public func recount(lineageOfStranger snapshot: SnapshotRecord, at time: WallTime) throws(CatalogFailure) {
        guard let parent = snapshot.parentID else { return }
        try mark(
            at: time, "id = \(snapshot.id) AND account_id <> (SELECT account_id FROM snapshots WHERE id = \(parent))")
    }

    /// Says of all lineages that they are to be counted anew.
    public func recountAllLineages(at time: WallTime) throws(CatalogFailure) { try mark(at: time, "1 = 1") }

    /// Whoever waits for longer goes on doing so; whoever was put off does not, since there is something new.
    private func mark(at time: WallTime, _ which: SQL) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO uncounted_lineages (lineage, since, marks)
            SELECT DISTINCT lineage, \(time), 1 FROM snapshots WHERE lineage IS NOT NULL AND\u{20}
            """ + which + """
                 ON CONFLICT (lineage) DO UPDATE SET marks = uncounted_lineages.marks + 1,
                    since = CASE WHEN excluded.since < uncounted_lineages.since THEN excluded.since
                        ELSE uncounted_lineages.since END
                """)
    }

    /// Where a snapshot's lineage is decided: that of what it builds on, else its own.
    static func lineage(withParent parent: String?, else own: SQL) -> SQL {
        "COALESCE((SELECT parent.lineage FROM snapshots AS parent WHERE parent.id = \(parent)), " + own + ")"
    }

    /// Is one of its snapshots being made that builds on a deleted one? What it will need is then needed by none that is counted.
    public func isAwaiting(_ lineage: UncountedLineage) throws(CatalogFailure) -> Bool {
        try connection.query(
            """
            SELECT 1 FROM snapshots AS parent CROSS JOIN snapshots AS child
            WHERE child.parent_id = parent.id AND parent.lineage = \(lineage.name) AND parent.is_deleted = 1
                AND child.state IN ('creating', 'pending')
            LIMIT 1
            """
        ).first != nil
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
            SELECT id, account_id, inherited_bytes, full_bytes FROM snapshots
            WHERE lineage = \(lineage) AND state = 'completed' AND is_deleted = 0 ORDER BY created_at, id
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
                UPDATE snapshots SET inherited_bytes = \(share.inherited), full_bytes = \(share.full) WHERE id = \(id)
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

    /// Makes one.
    public init(name: String, since: WallTime, marks: Int) {
        self.name = name
        self.since = since
        self.marks = marks
    }

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
    /// What counted for it until now.
    public var inherited: ByteCount
    /// What was known of how large a full copy is.
    public var full: ByteCount?

    /// Makes one.
    public init(id: String, account: String, inherited: ByteCount = .zero, full: ByteCount? = nil) {
        self.id = id
        self.account = account
        self.inherited = inherited
        self.full = full
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        id = try row.text("id")
        account = try row.text("account_id")
        inherited = ByteCount(try row.integer("inherited_bytes"))
        full = try row.optionalInteger("full_bytes").map { ByteCount($0) }
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
    /// Bytes that deleted snapshots stored and that count for this one.
    public var inherited: ByteCount
    /// Bytes of a full copy of it.
    public var full: ByteCount

    /// Makes one.
    public init(inherited: ByteCount, full: ByteCount) {
        self.inherited = inherited
        self.full = full
    }
}
