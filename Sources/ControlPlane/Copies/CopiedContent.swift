internal import Blocks
internal import Catalog
internal import Repository

/// A snapshot as the writer of its copy reads it: what it holds, and what of that the copy's parent may not have.
///
/// The source never changes, so every try sees the same.
final class CopiedContent: SnapshotContent {
    /// What may differ from the copy's parent.
    enum Changes: Sendable {
        /// All of it: there is no parent, or the two cannot be compared.
        case everything
        /// These runs, ascending: the source's and the parent's source differ there, or nowhere.
        case runs([BlockRange])
    }
    private let source: SnapshotReader
    private let changes: Changes
    private let packs: RecordedPacks

    /// Blocks on the catalog.
    init(_ source: SnapshotReader, changes: Changes, of id: String, in catalog: Catalog) throws {
        self.source = source
        self.changes = changes
        packs = try RecordedPacks(of: id, in: catalog)
    }

    var size: ByteCount { source.size }
    var brokenReason: String? { nil }
    var capturedPacks: [CapturedPack] { packs.all }

    func nextChange(from block: BlockIndex) throws(BlockFailure) -> BlockRange? {
        switch changes {
        case .everything:
            let end = BlockIndex(0) + BlockCount(covering: size)
            return block < end ? BlockRange(from: block, to: end) : nil
        case .runs(let runs):
            guard let run = runs.first(after: block) else { return nil }
            return BlockRange(from: max(run.start, block), to: run.end)
        }
    }

    func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? { try source.nextData(from: block) }

    func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        try source.read(blocks, into: &target)
    }

    /// What does not differ the source has as well: so the audit compares the two regions.
    func readIfUnchanged(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool {
        guard case .runs(let runs) = changes, blocks.end <= BlockIndex(0) + BlockCount(covering: size) else {
            return false
        }
        if let run = runs.first(after: blocks.start), run.start < blocks.end { return false }
        try source.read(blocks, into: &target)
        return true
    }

    func captured(pack: Int, runs: [BlockRange]) throws(BlockFailure) { try packs.add(pack, runs) }
}
