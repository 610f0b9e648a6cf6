public import Blocks

/// The last change of a volume's size, kind or speed.
public struct ModificationRecord: Equatable, Sendable {
    /// What a volume is.
    public struct Shape: Equatable, Sendable {
        /// Its size.
        public var size: ByteCount
        /// The name of its kind.
        public var kind: String
        /// Operations a second; nil: not limited.
        public var iops: Int?
        /// MiB a second, likewise.
        public var throughput: Int?
        /// May several instances have it?
        public var isShared: Bool

        /// Makes one.
        public init(size: ByteCount, kind: String, iops: Int?, throughput: Int?, isShared: Bool = false) {
            self.isShared = isShared
            self.size = size
            self.kind = kind
            self.iops = iops
            self.throughput = throughput
        }
    }

    /// The volume.
    public var volumeID: String
    /// What it was.
    public var old: Shape
    /// What it is.
    public var new: Shape
    /// When it was changed.
    public var startedAt: WallTime

    /// Makes one.
    public init(volumeID: String, old: Shape, new: Shape, startedAt: WallTime) {
        self.volumeID = volumeID
        self.old = old
        self.new = new
        self.startedAt = startedAt
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        volumeID = try row.text("volume_id")
        old = try Self.shape(row, "old")
        new = try Self.shape(row, "new")
        startedAt = try row.time("started_at")
    }

    private static func shape(_ row: SQLRow, _ prefix: String) throws(CatalogFailure) -> Shape {
        Shape(
            size: ByteCount(try row.integer("\(prefix)_size")), kind: try row.text("\(prefix)_kind"),
            iops: try row.optionalInteger("\(prefix)_iops"),
            throughput: try row.optionalInteger("\(prefix)_throughput"),
            isShared: try row.integer("\(prefix)_is_shared") != 0)
    }
}

extension CatalogSession {
    /// Keeps a volume's change in place of the one before.
    public func put(_ change: ModificationRecord) throws(CatalogFailure) {
        try connection.execute("DELETE FROM modifications WHERE volume_id = \(change.volumeID)")
        try connection.execute(
            """
            INSERT INTO modifications (volume_id, old_size, old_kind, old_iops, old_throughput, new_size, new_kind,
                new_iops, new_throughput, old_is_shared, new_is_shared, started_at)
            VALUES (\(change.volumeID), \(change.old.size), \(change.old.kind), \(change.old.iops),
                \(change.old.throughput), \(change.new.size), \(change.new.kind), \(change.new.iops),
                \(change.new.throughput), \(change.old.isShared), \(change.new.isShared), \(change.startedAt))
            """)
    }

    /// The last changes of an account's volumes, by volume.
    public func modifications(of account: String) throws(CatalogFailure) -> [ModificationRecord] {
        try connection.query(
            """
            SELECT modifications.* FROM modifications JOIN volumes ON volumes.id = modifications.volume_id
            WHERE volumes.account_id = \(account) AND volumes.bin_until IS NULL ORDER BY volume_id
            """
        ).records(ModificationRecord.init)
    }
}
