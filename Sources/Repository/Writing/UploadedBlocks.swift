internal import Blocks

/// Where the blocks lie that an unfinished upload has settled already: known from its packs' footers.
///
/// Keeps in memory only which packs concern which leaf; footers come from the store when asked for.
final class UploadedBlocks: Sendable {
    private let snapshot: SnapshotID
    private let access: PackAccess
    private let packsOfLeaf: Guarded<[Int: [Int]]>
    private let footers = BoundedCache<Int, PackFooter>(cost: 16 << 20)

    /// What is known of one block.
    enum Place: Equatable, Sendable {
        case unknown, zero, same
        case frame(Int, first: Int)
    }
    /// What is known of a leaf's blocks.
    struct Facts: Sendable {
        var frames: [FramePointer] = []
        /// Per block of the leaf; empty if nothing is known of any.
        var places: [Place] = []
    }

    init(snapshot: SnapshotID, recorded: [CapturedPack], access: PackAccess) {
        self.snapshot = snapshot
        self.access = access
        var packs: [Int: [Int]] = [:]
        for pack in recorded { UploadedBlocks.index(pack.runs, pack.number, &packs) }
        packsOfLeaf = Guarded(packs)
    }

    private static func index(_ runs: [BlockRange], _ pack: Int, _ packs: inout [Int: [Int]]) {
        var last = -1
        for run in runs where !run.isEmpty {
            let first = run.start.number / Limits.leafBlocks
            for leaf in max(first, last + 1)...max(first, last + 1, (run.end.number - 1) / Limits.leafBlocks) {
                guard leaf <= (run.end.number - 1) / Limits.leafBlocks else { break }
                packs[leaf, default: []].append(pack)
                last = leaf
            }
        }
    }

    /// Adds a pack that was just recorded.
    func add(_ pack: SealedPack) {
        footers.insert(pack.footer.name.number, pack.footer, cost: pack.footer.entries.count * 160 + 1024)
        packsOfLeaf.withLock { UploadedBlocks.index(pack.runs, pack.footer.name.number, &$0) }
    }

    /// The first leaf at or after `number` of which something is known.
    func leavesSorted() -> [Int] { packsOfLeaf.withLock { $0.keys.sorted() } }

    /// What is known of a leaf.
    func facts(of leaf: Int) throws(RepositoryFailure) -> Facts {
        var facts = Facts()
        let packs = packsOfLeaf.withLock { $0[leaf] ?? [] }
        guard !packs.isEmpty else { return facts }
        facts.places = Array(repeating: .unknown, count: Limits.leafBlocks)
        for number in packs { collect(try footer(number), leaf, &facts) }
        return facts
    }

    private func footer(_ number: Int) throws(RepositoryFailure) -> PackFooter {
        if let known = footers.find(number) { return known }
        let footer = try access.footer(of: PackName(snapshot, number))
        footers.insert(number, footer, cost: footer.entries.count * 160 + 1024)
        return footer
    }

    private func collect(_ footer: PackFooter, _ leaf: Int, _ facts: inout Facts) {
        let range = TreeShape.blocks(level: 0, number: leaf)
        for run in footer.zeroRuns { mark(run, .zero, range, &facts) }
        for run in footer.sameRuns { mark(run, .same, range, &facts) }
        for entry in footer.entries {
            guard case .data(leaf, let blocks) = entry.what else { continue }
            var first = 0
            for run in blocks {
                for number in run.start.number..<run.end.number {
                    facts.places[number - range.start.number] = .frame(facts.frames.count, first: first)
                    first += 1
                }
            }
            facts.frames.append(footer.pointer(entry))
        }
    }

    private func mark(_ run: BlockRange, _ place: Place, _ range: BlockRange, _ facts: inout Facts) {
        guard let part = run.intersection(range) else { return }
        for number in part.start.number..<part.end.number {
            facts.places[number - range.start.number] = place
        }
    }
}
