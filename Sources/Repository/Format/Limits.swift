internal import Blocks

/// The fixed sizes of the format.
enum Limits {
    /// Blocks in a frame, at most: 128 KiB.
    static let frameBlocks = 32
    /// Blocks that a leaf covers: 8 MiB.
    static let leafBlocks = 2048
    /// Children of an inner node.
    static let fanout = 256
    /// The root's level; leaves are level 0. 256^3 leaves cover 128 TiB.
    static let rootLevel = 3
    /// Leaves that a tree can hold.
    static let leaves = fanout * fanout * fanout
    /// A pack is sealed once it holds this many bytes.
    static let packBytes = 16 << 20
    /// The longest pack a reader believes in.
    static let packBytesMax = 64 << 20
    /// The longest decoded node or pack table.
    static let nodeBytesMax = 64 << 20
    /// Bytes of a snapshot's volume, at most: 64 TiB.
    static let sizeMax = 1 << 46
    /// What a manifest may say it counted. Far more than it can be; thousands of manifests' sums do not overflow.
    static let countedMax = 1 << 48
}
