/// Where the content of a restored volume's missing blocks comes from: immutable, possibly far away.
///
/// Calls block the calling thread, perhaps for a store's round trip, and may come from several threads at once.
public protocol BlockSource: AnyObject, Sendable {
    /// The size of the content; what lies past it reads as zeros and is never asked for.
    var size: ByteCount { get }

    /// How much of it is data, if that can be said without reading all of its map: what a restore's progress is measured by.
    /// Blocks like the others.
    var dataSize: ByteCount? { get }

    /// Fills `target` with whole blocks. Holes come as zeros.
    ///
    /// - Precondition: `target.byteCount == blocks.count.size.bytes`. The last block may end past ``size``;
    ///   the bytes past it are zeros.
    /// - Throws: ``BlockFailure/unavailable`` when the store cannot be reached, ``BlockFailure/corrupt(at:)`` when
    ///   what came back fails its checksum.
    func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure)

    /// The next run of blocks at or after `block` that holds stored (possibly non-zero) data, or nil if there is none.
    /// Runs may be cut short; the next call continues.
    func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange?
}

extension BlockSource {
    /// Not known.
    public var dataSize: ByteCount? { nil }
}
