public import Blocks

/// Reads one committed snapshot. Every byte is checked against the hash chain from the manifest.
///
/// Thread-safe; clones share the repository's frame cache. It needs the snapshot's packs: pin the snapshot in
/// ``Repository/reclaim(_:)`` for as long as a reader of a deleted one lives.
public final class SnapshotReader: BlockSource {
    /// The snapshot.
    public let manifest: Manifest

    init(manifest: Manifest) { self.manifest = manifest }

    /// The volume's size at the cut.
    public var size: ByteCount { manifest.size }

    /// Fills `target`; holes are zeros. See ``BlockSource``.
    public func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        throw .unsupported
    }

    /// The next run of stored blocks. See ``BlockSource``.
    public func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? { throw .unsupported }

    /// Like ``read(_:into:)``, but fills what cannot be read with zeros and returns those ranges, ascending:
    /// the restore mode that skips bad ranges and lists them.
    ///
    /// - Throws: only for what a retry may mend (``BlockFailure/unavailable``).
    public func readSkippingDamage(
        _ blocks: BlockRange, into target: inout MutableRawSpan
    ) throws(BlockFailure) -> [BlockRange] { throw .unsupported }
}
