/// Bytes of an open file that were all in memory a moment ago, to be sent from there instead of being copied first.
///
/// A socket on this machine takes the pages themselves: what is stored to them before the other side takes them is what
/// that side gets. So these are bytes of *some* moment until they arrive, block by block: good for a live disk, whose reads
/// may see any write that overlaps them in time, and never for a snapshot.
public struct CachedPart: Sendable {
    let file: RawFile
    let start: ByteOffset
    /// How many bytes.
    public let count: ByteCount
}
