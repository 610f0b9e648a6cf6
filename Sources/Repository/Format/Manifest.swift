public import Blocks

/// What a committed snapshot is: the object `snapshots/<id>`. Its existence is the commit.
public struct Manifest: Equatable, Sendable {
    /// What the caller said about the snapshot.
    public var plan: SnapshotPlan
    /// The volume's size at the cut.
    public var size: ByteCount
    /// When the manifest was written.
    public var completed: WallTime
    /// Blocks that are not zero, in bytes: what a full copy holds.
    public var fullBytes: ByteCount
    /// Blocks that this snapshot stored or zeroed, in bytes.
    public var changedBytes: ByteCount
    /// Bytes of the packs it put: frames, nodes and footers.
    public var storedBytes: ByteCount
    /// The root node, or nil if every block is zero.
    public var root: FramePointer?
    /// The table of packs it needs (see ``PackTable``), or nil if it needs none.
    public var packs: FramePointer?
    /// The version of the tool that wrote it.
    public var tool: String
    /// What authenticates it, once it is read from the store and if it is of an encrypted snapshot.
    var seal: ManifestSeal?
}

/// What the caller says about a new snapshot; all of it goes into the manifest, so that the bucket alone tells.
public struct SnapshotPlan: Equatable, Sendable {
    /// The snapshot's name.
    public var id: SnapshotID
    /// The volume it was taken from.
    public var volume: String
    /// The snapshot that `nextChange` is relative to, or nil for a full upload.
    public var parent: SnapshotID?
    /// The time of the cut.
    public var created: WallTime
    /// A name for people.
    public var name: String
    /// A description for people.
    public var description: String
    /// Whatever the caller wants to find again; keys and values are free text.
    public var tags: [String: String]
    /// The key of its lineage, or nil to store it in the clear. The same as its parent's.
    public var dataKey: DataKeyID?

    /// Describes a new snapshot.
    public init(
        id: SnapshotID, volume: String, parent: SnapshotID?, created: WallTime, name: String = "",
        description: String = "", tags: [String: String] = [:], dataKey: DataKeyID? = nil
    ) {
        self.id = id
        self.volume = volume
        self.parent = parent
        self.created = created
        self.name = name
        self.description = description
        self.tags = tags
        self.dataKey = dataKey
    }
}
