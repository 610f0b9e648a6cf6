/// What the catalog keeps of a snapshot besides, if it is written piece by piece rather than taken of a volume.
public struct WrittenRecord: Equatable, Sendable {
    /// How long it may lie untouched until it is given up.
    public var timeout: Duration
    /// How many pieces its owner says were written; nil: they are still being written.
    public var count: Int?
    /// The SHA-256 of all pieces' SHA-256s in their order, in hexadecimal digits, if its owner said it.
    public var checksum: String?

    /// Makes one.
    public init(timeout: Duration) { self.timeout = timeout }

    init?(_ row: SQLRow) throws(CatalogFailure) {
        guard let timeout = try row.optionalInteger("written_timeout") else { return nil }
        self.timeout = .milliseconds(timeout)
        count = try row.optionalInteger("written_count")
        checksum = try row.optionalText("written_checksum")
    }

    /// In the column's unit.
    var milliseconds: Int { Int(timeout / .milliseconds(1)) }
}
