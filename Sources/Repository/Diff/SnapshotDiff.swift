public import Blocks

/// What differs between two snapshots. Descends only where their trees differ.
///
/// A superset at 4 KiB grain: a block that was written again with the same content may be reported; a block that
/// differs always is. What lies past the smaller one's size counts as zeros.
public final class SnapshotDiff: Sendable {
    /// The next run of blocks at or after `block` that may differ, or nil. Runs may be cut short; ask again.
    public func nextChange(from block: BlockIndex) throws(RepositoryFailure) -> BlockRange? { nil }

    /// All of them from `block` on, joined, at most `limit` runs.
    public func ranges(from block: BlockIndex = 0, limit: Int = .max) throws(RepositoryFailure) -> [BlockRange] { [] }
}
