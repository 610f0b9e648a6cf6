internal import Blocks
internal import Catalog
internal import Repository

/// A snapshot as the writer of its copy reads it: what it holds, and what of that the copy's parent may not have.
///
/// What was stored is recorded in the catalog, pack by pack, so that a restart does not store it again. The source never
/// changes, so every try sees the same.
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
    private let id: String
    private let catalog: Catalog
    private let packs: Guarded<[CapturedPack]>

    /// Blocks on the catalog.
    init(_ source: SnapshotReader, changes: Changes, of id: String, in catalog: Catalog) throws {
        self.source = source
        self.changes = changes
        self.id = id
        self.catalog = catalog
        let known = try catalog.changeWaiting { try $0.copiedPacks(of: id) }
        packs = Guarded(known.map { CapturedPack(number: $0.number, runs: $0.runs) })
    }

    var size: ByteCount { source.size }
    var brokenReason: String? { nil }
    var capturedPacks: [CapturedPack] { packs.withLock { $0 } }

    func nextChange(from block: BlockIndex) throws(BlockFailure) -> BlockRange? {
        switch changes {
        case .everything:
            let end = BlockIndex(0) + BlockCount(covering: size)
            return block < end ? BlockRange(from: block, to: end) : nil
        case .runs(let runs):
            guard let run = Self.first(of: runs, after: block) else { return nil }
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
        if let run = Self.first(of: runs, after: blocks.start), run.start < blocks.end { return false }
        try source.read(blocks, into: &target)
        return true
    }

    /// Recorded before it is believed: a crash in between stores the blocks once more.
    func captured(pack: Int, runs: [BlockRange]) throws(BlockFailure) {
        let record = CopiedPack(number: pack, runs: runs)
        do {
            try catalog.changeWaiting { [id] session in
                // Deleted meanwhile: then the copy is over.
                guard try session.snapshot(id)?.state == .pending else { return }
                try session.add(record, to: id)
            }
        } catch { throw .unavailable }
        packs.withLock { $0.append(CapturedPack(number: pack, runs: runs)) }
    }

    /// The first of ascending runs that ends after `block`.
    private static func first(of runs: [BlockRange], after block: BlockIndex) -> BlockRange? {
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].end > block { high = middle } else { low = middle + 1 }
        }
        return low < runs.count ? runs[low] : nil
    }
}
