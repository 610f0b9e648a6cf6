public import Blocks

/// A volume's content, as far as the volume says that it did not change since a snapshot.
public protocol UnchangedBlocks: AnyObject, Sendable {
    /// Fills `target` with blocks that are *not* among the changes. False if they are, were written since, or cannot be
    /// told; the bytes then mean nothing. Blocks; any thread.
    func readIfUnchanged(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool
}

/// A live volume beside a snapshot that it counts its changes from. Guests may write to it all the time.
///
/// Calls block and come from one thread at a time.
public protocol LiveContent: UnchangedBlocks {
    /// What findings call it, such as `the volume vol-0123456789abcdef0`.
    var name: String { get }

    /// The volume's size: at least that of the snapshot.
    var size: ByteCount { get }

    /// The first run within `blocks` that may have changed since the snapshot (a superset), or nil; all of them if it
    /// cannot be told. A run may be cut short.
    func nextChange(in blocks: BlockRange) -> BlockRange?

    /// The next run of blocks at or after `block` that may be non-zero, or nil. A run may be cut short.
    func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange?
}
