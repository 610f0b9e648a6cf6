public import Blocks

/// What the catalog keeps of a volume. Content and change tracking live in the volume's own files.
public struct VolumeRecord: Equatable, Sendable {
    /// Where it is in its life; whether it is attached is an ``AttachmentRecord``.
    public enum State: String, Sendable, CaseIterable { case creating, importing, available, deleting }

    /// `vol-...`.
    public var id: String
    /// Whose it is, for good.
    public var account = AccountRecord.first
    /// Its owner's name for it.
    public var name: String?
    /// What its owner says of it.
    public var description: String?
    /// Where it is in its life.
    public var state: State
    /// The size of the disk.
    public var size: ByteCount
    /// The snapshot that its missing blocks come from, until all are here.
    public var sourceSnapshot: String?
    /// When it was made.
    public var createdAt: WallTime
    /// The folder that holds its files; named after it until a roll back sets the first ones aside.
    public var files: String
    /// The volume whose files these were, if a roll back set them aside: nobody knows this one, and it goes when the
    /// last pending snapshot in it has ended.
    public var asideOf: String?
    /// Its owner deleted it, and it is kept in the bin. Changed by ``CatalogSession/set(bin:ofVolume:)`` alone.
    public var bin: BinStay?
    /// The data key that its snapshots are encrypted with; nil: in the clear.
    public var dataKey: String?
    /// The wrapping key that opens it. Read, never written: it belongs to the data key's ``KeyRecord``.
    public var keyID: String?
    /// Where its snapshot could not be read and it reads as zeros, ascending; nil: there a read is an error. Changed by
    /// ``CatalogSession/setHoles(_:of:)`` alone.
    public var holes: [BlockRange]?

    /// The snapshot it was made from, for good; nil: from none, or from one that was nobody's to know.
    public var originSnapshot: String?
    /// Was there a local copy of that snapshot, so that everything of it was at hand at once? For good.
    public var isFastRestored = false
    /// How fast its owner asked for it to be filled from its snapshot, in MiB a second, for good; nil: nothing was said.
    public var fillRate: Int?
    /// The volume it was copied from, for good, which may be gone; nil: from none. Written once.
    public var sourceVolume: String?
    /// Was it made of nothing, so that it read as zeros? For good. No: of something, or nobody knows of what.
    public var isMadeEmpty = false
    /// The zone it is in; nil: the region's first.
    public var zone: String?
    /// The name of its kind.
    public var kind = "gp2"
    /// Operations a second it is to have; nil: not limited.
    public var iops: Int?
    /// MiB a second, likewise.
    public var throughput: Int?
    /// Is it held to what its kind allows? Only where somebody asked for a kind.
    public var isPaced = false
    /// May several instances have it at a time?
    public var isShared = false
    /// Was it ever attached, to an instance or to this host? Read, never written: ``CatalogSession/attachVolume(_:)`` does.
    public var wasAttached = false

    /// Makes one, with files named after it.
    public init(
        id: String, name: String?, state: State, size: ByteCount, sourceSnapshot: String?, createdAt: WallTime
    ) {
        self.id = id
        files = id
        self.name = name
        self.state = state
        self.size = size
        self.sourceSnapshot = sourceSnapshot
        self.createdAt = createdAt
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        id = try row.text("id")
        account = try row.text("account_id")
        name = try row.optionalText("name")
        description = try row.optionalText("description")
        state = try row.word("state", as: State.self)
        size = ByteCount(try row.integer("size"))
        sourceSnapshot = try row.optionalText("source_snapshot")
        createdAt = try row.time("created_at")
        files = try row.optionalText("files") ?? id
        asideOf = try row.optionalText("aside_of")
        bin = try BinStay(row)
        dataKey = try row.optionalText("data_key")
        keyID = try row.optionalText("key_id")
        zone = try row.optionalText("zone")
        kind = try row.text("kind")
        iops = try row.optionalInteger("iops")
        throughput = try row.optionalInteger("throughput")
        isPaced = try row.integer("is_paced") != 0
        isShared = try row.integer("is_shared") != 0
        wasAttached = try row.integer("was_attached") != 0
        originSnapshot = try row.optionalText("origin_snapshot")
        isFastRestored = try row.integer("is_fast_restored") != 0
        fillRate = try row.optionalInteger("fill_rate")
        sourceVolume = try row.optionalText("source_volume")
        isMadeEmpty = try row.integer("made_empty") != 0
        if let text = try row.optionalText("holes") { holes = try RunsText.runs(text, "volumes.holes") }
    }

    /// Does its owner know it: neither set aside nor in the bin?
    public var isPresent: Bool { asideOf == nil && bin == nil }
}

/// That a volume or a snapshot is offered to a host.
public struct AttachmentRecord: Equatable, Sendable {
    /// The volume or snapshot.
    public var objectID: String
    /// The host: an instance's id, or `local`.
    public var host: String
    /// Under which name it is on the instance; nil for what is on no instance.
    public var device: String?
    /// Is it deleted when the instance is terminated?
    public var goesWithInstance: Bool
    /// The name of its NBD export: the object's id, or for a volume that others may have too, that and the host's.
    public var export: String
    /// Since when.
    public var attachedAt: WallTime

    /// Makes one.
    ///
    /// - Parameter export: nil: the object's id.
    public init(
        objectID: String, host: String, device: String? = nil, goesWithInstance: Bool = false, export: String? = nil,
        attachedAt: WallTime
    ) {
        self.export = export ?? objectID
        self.objectID = objectID
        self.host = host
        self.device = device
        self.goesWithInstance = goesWithInstance
        self.attachedAt = attachedAt
    }
}

extension SQLRow {
    /// A time.
    func time(_ column: String) throws(CatalogFailure) -> WallTime {
        WallTime(milliseconds: Int64(try integer(column)))
    }
    /// A time or NULL.
    func optionalTime(_ column: String) throws(CatalogFailure) -> WallTime? {
        try optionalInteger(column).map { WallTime(milliseconds: Int64($0)) }
    }
}
