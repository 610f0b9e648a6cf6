public import Blocks

extension CatalogSession {
    /// Says that a snapshot goes, or has gone so far, on whose content others of its lineage may build: it is to be counted anew.
    public func recount(lineageOf snapshot: String, at time: WallTime) throws(CatalogFailure) {
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

    /// A lineage's snapshots that are stored and not deleted, oldest first; those in the bin among them.
    public func living(ofLineage lineage: String) throws(CatalogFailure) -> [String] {
        var ids: [String] = []
        for row in try connection.query(
            """
            SELECT id FROM snapshots WHERE lineage = \(lineage) AND state = 'completed' AND is_deleted = 0
            ORDER BY created_at, id
            """)
        {
            ids.append(try row.text("id"))
        }
        return ids
    }

    /// Writes what counts for each of a lineage's snapshots, and how large it is; nothing for those that are gone. The lineage is
    /// counted then, unless it was to be counted once more meanwhile.
    public func count(_ lineage: UncountedLineage, _ shares: [String: InheritedShare]) throws(CatalogFailure) {
        for (id, share) in shares.sorted(by: { $0.key < $1.key }) {
            try connection.execute(
                """
                UPDATE snapshots SET inherited_bytes = \(share.inherited), full_bytes = \(share.full)
                WHERE id = \(id)
                    AND (inherited_bytes <> \(share.inherited) OR full_bytes IS NULL OR full_bytes <> \(share.full))
                """)
        }
        try connection.execute(
            "DELETE FROM uncounted_lineages WHERE lineage = \(lineage.name) AND marks = \(lineage.marks)")
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
