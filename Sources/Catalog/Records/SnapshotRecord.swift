public import Blocks

/// What the catalog keeps of a snapshot. The store alone can bring it back, once the snapshot is completed.
public struct SnapshotRecord: Equatable, Sendable {
    /// Where it is in its life. `creating`: named, but the cut is not known to have happened.
    public enum State: String, Sendable, CaseIterable { case creating, pending, completed, error }

    /// Who had come to rest when it was cut.
    public enum Consistency: String, Sendable, CaseIterable {
        /// The file systems on it.
        case fileSystem
        /// Those who write to it.
        case application
    }

    /// `snap-...`.
    public var id: String
    /// Whose it is, for good.
    public var account = AccountRecord.first
    /// The volume it was taken of, which may be gone.
    public var volumeID: String
    /// The snapshot it builds on, which may be gone.
    public var parentID: String?
    /// Shared by the members of one group cut.
    public var groupID: String?
    /// Where it is in its life.
    public var state: State
    /// Why it failed.
    public var reason: String?
    /// Did its owner delete it? Then a task still has to take it apart, and nobody may use it any more.
    public var isDeleted = false
    /// Its owner deleted it, and it is kept in the bin: until it is taken out, nobody may use it. Changed by
    /// ``CatalogSession/set(bin:ofSnapshot:)`` alone.
    public var bin: BinStay?
    /// Whether it is in the archive, or was there; nil: never. Changed by ``CatalogSession/set(tier:ofSnapshot:)`` alone.
    public var tier: TierRecord?
    /// When it is deleted by itself; nil: never. Written once, and by ``CatalogSession/set(releaseAt:ofSnapshot:)``.
    public var releaseAt: WallTime?
    /// Is it told to be available from its cut on, whatever of it is stored?
    public var hasInstantAccess = false
    /// What its content is sure to be, beside what a disk is after a loss of power; nil: nothing. Written once, and by
    /// ``CatalogSession/set(consistency:ofSnapshot:)``.
    public var consistency: Consistency?
    /// Its owner's name for it.
    public var name: String?
    /// Its owner's words on it.
    public var description: String?
    /// The disk's size at the cut. Zero: not known, of a failed one that only the store told of.
    public var volumeSize: ByteCount
    /// Bytes of the blocks that differ from the parent.
    public var changed: ByteCount?
    /// Bytes it added to the store.
    public var stored: ByteCount?
    /// Bytes of a full copy; nil: not completed, or not known yet of one that an earlier version stored.
    public var full: ByteCount?
    /// The instant of the cut.
    public var createdAt: WallTime
    /// When its manifest was committed.
    public var completedAt: WallTime?
    /// The data key that it is encrypted with; nil: in the clear.
    public var dataKey: String?
    /// The wrapping key that opens it. Read, never written: it belongs to the data key's ``KeyRecord``.
    public var keyID: String?
    /// What it is a copy of; nil: it was taken of a volume. Written once.
    public var copy: CopyRecord?
    /// That it is written piece by piece; nil: it was taken of a volume, or copied. Written once, and by
    /// ``CatalogSession/endWriting(of:count:checksum:)``.
    public var written: WrittenRecord?

    /// Makes one.
    public init(id: String, volumeID: String, state: State, volumeSize: ByteCount, createdAt: WallTime) {
        self.id = id
        self.volumeID = volumeID
        self.state = state
        self.volumeSize = volumeSize
        self.createdAt = createdAt
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        id = try row.text("id")
        account = try row.text("account_id")
        volumeID = try row.text("volume_id")
        parentID = try row.optionalText("parent_id")
        groupID = try row.optionalText("group_id")
        state = try row.word("state", as: State.self)
        reason = try row.optionalText("reason")
        isDeleted = try row.integer("is_deleted") != 0
        bin = try BinStay(row)
        tier = try TierRecord(row)
        releaseAt = try row.optionalTime("release_at")
        hasInstantAccess = try row.integer("has_instant_access") != 0
        consistency = try row.optionalWord("consistency", as: Consistency.self)
        name = try row.optionalText("name")
        description = try row.optionalText("description")
        volumeSize = ByteCount(try row.integer("volume_size"))
        changed = try row.optionalInteger("changed_bytes").map { ByteCount($0) }
        stored = try row.optionalInteger("stored_bytes").map { ByteCount($0) }
        full = try row.optionalInteger("full_bytes").map { ByteCount($0) }
        createdAt = try row.time("created_at")
        completedAt = try row.optionalTime("completed_at")
        dataKey = try row.optionalText("data_key")
        keyID = try row.optionalText("key_id")
        copy = try CopyRecord(row)
        written = try WrittenRecord(row)
    }

    /// What stands for the volume of a copy whose source was not looked at yet.
    public static let noVolume = "vol-ffffffff"

    /// The lineage that it begins where it builds on nothing that is there.
    var ownLineage: String { volumeID == Self.noVolume ? id : volumeID }

    /// Is it of no volume: a copy, or written piece by piece?
    public var isOfNoVolume: Bool { copy != nil || written != nil }

    /// Is it there for those who may use it: neither deleted nor in the bin?
    public var isPresent: Bool { !isDeleted && bin == nil }
}
