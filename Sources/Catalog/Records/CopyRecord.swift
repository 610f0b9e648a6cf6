public import Blocks

/// What the catalog keeps of a snapshot besides, if it is a copy of another.
public struct CopyRecord: Equatable, Sendable {
    /// The region of the source: one of the same server's.
    public var region: String
    /// The source, which may be gone.
    public var source: String
    /// Is it to be encrypted even if the source is not?
    public var isEncrypted = false
    /// The wrapping key that was asked for.
    public var key: String?
    /// Is it settled what it builds on and which data key it has?
    public var isPlaced = false

    /// Makes one.
    public init(region: String, source: String) {
        self.region = region
        self.source = source
    }

    init?(_ row: SQLRow) throws(CatalogFailure) {
        guard let source = try row.optionalText("copy_source") else { return nil }
        self.source = source
        region = try row.optionalText("copy_region") ?? ""
        isEncrypted = try row.integer("copy_encrypted") != 0
        key = try row.optionalText("copy_key")
        isPlaced = try row.integer("copy_placed") != 0
    }
}

/// Blocks of a copy under way that are stored.
public struct CopiedPack: Equatable, Sendable {
    /// The pack that holds them.
    public var number: Int
    /// Ascending.
    public var runs: [BlockRange]

    /// Makes one.
    public init(number: Int, runs: [BlockRange]) {
        self.number = number
        self.runs = runs
    }
}
