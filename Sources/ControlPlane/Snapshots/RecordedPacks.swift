internal import Blocks
internal import Catalog
internal import Repository

/// What is stored of a snapshot of no volume, pack by pack, in the catalog: a restart does not store it again.
final class RecordedPacks: Sendable {
    private let id: String
    private let catalog: Catalog
    private let packs: Guarded<[CapturedPack]>

    /// Blocks on the catalog.
    init(of id: String, in catalog: Catalog) throws {
        self.id = id
        self.catalog = catalog
        let known = try catalog.changeWaiting { try $0.copiedPacks(of: id) }
        packs = Guarded(known.map { CapturedPack(number: $0.number, runs: $0.runs) })
    }

    var all: [CapturedPack] { packs.withLock { $0 } }

    /// Recorded before it is believed: a crash in between stores the blocks once more.
    func add(_ number: Int, _ runs: [BlockRange]) throws(BlockFailure) {
        let record = CopiedPack(number: number, runs: runs)
        do {
            try catalog.changeWaiting { [id] session in
                // Deleted meanwhile: then the upload is over.
                guard try session.snapshot(id)?.state == .pending else { return }
                try session.add(record, to: id)
            }
        } catch { throw .unavailable }
        packs.withLock { $0.append(CapturedPack(number: number, runs: runs)) }
    }
}

extension [BlockRange] {
    /// Of ascending runs the first one that ends after `block`.
    func first(after block: BlockIndex) -> BlockRange? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].end > block { high = middle } else { low = middle + 1 }
        }
        return low < count ? self[low] : nil
    }
}
