internal import Blocks

/// Compares a snapshot with a live volume that counts its changes from it, block by block where nothing changed since:
/// what the snapshot stores, and that everything else is zero.
///
/// The cost follows the data of the two: neither holes nor what changed is read. A difference is silent corruption, on one
/// side or the other. What is damaged in the store is not compared; ``Verifier`` reports it.
struct LiveComparison {
    private let id: SnapshotID
    private let content: any LiveContent
    private let tree: Tree
    private let snapshotSize: ByteCount
    private var report = ComparisonReport()
    private var different: [BlockRange] = []

    init(_ manifest: Manifest, _ content: any LiveContent, _ access: PackAccess) {
        id = manifest.plan.id
        snapshotSize = manifest.size
        self.content = content
        tree = Tree(root: manifest.root, access: access)
    }

    mutating func run() throws(RepositoryFailure) -> ComparisonReport {
        guard content.size >= snapshotSize else {
            throw .invalid("\(content.name) has \(content.size.bytes) bytes, fewer than the snapshot \(id)")
        }
        var number = 0
        while different.count < ComparisonReport.findingsMax, let next = try nextLeaf(from: number) {
            do { try compareLeaf(next) } catch { try passOver(error) }
            number = next + 1
        }
        report.findings = different.prefix(ComparisonReport.findingsMax).map { blocks in
            Finding(
                object: content.name, snapshot: id, blocks: blocks,
                problem: "it differs from the snapshot where it claims not to have changed since")
        }
        return report
    }

    private var end: BlockIndex { BlockIndex(0) + BlockCount(covering: content.size) }

    /// The next leaf where one of the two has something.
    private func nextLeaf(from number: Int) throws(RepositoryFailure) -> Int? {
        var stored: Int?
        do { stored = try tree.nextLeaf(from: number) } catch {
            try passOver(error)
            return nil
        }
        let live = try nextData(from: BlockIndex(number * Limits.leafBlocks)).map {
            max(number, $0.start.number / Limits.leafBlocks)
        }
        guard let next = [stored, live].compactMap({ $0 }).min(), BlockIndex(next * Limits.leafBlocks) < end else {
            return nil
        }
        return next
    }

    private func nextData(from block: BlockIndex) throws(RepositoryFailure) -> BlockRange? {
        do { return try content.nextData(from: block) } catch { throw .content(error) }
    }

    private func passOver(_ failure: RepositoryFailure) throws(RepositoryFailure) {
        guard case .corrupt = failure else { throw failure }
    }

    private mutating func compareLeaf(_ number: Int) throws(RepositoryFailure) {
        guard let blocks = TreeShape.blocks(level: 0, number: number).intersection(BlockRange(from: 0, to: end)) else {
            return
        }
        let leaf = try tree.leaf(number)?.leaf ?? Leaf(number: number)
        let stored = LeafPieces(of: leaf, within: blocks).all
        var found = try compareStored(stored, of: leaf)
        for gap in LiveComparison.gaps(between: stored.map(\.blocks), in: blocks) {
            found += try compareZeros(gap)
        }
        different = BlockRuns.joined(different + found.sorted { $0.start < $1.start })
    }

    private static func gaps(between runs: [BlockRange], in blocks: BlockRange) -> [BlockRange] {
        var gaps: [BlockRange] = []
        var position = blocks.start
        for run in runs {
            if run.start > position { gaps.append(BlockRange(from: position, to: run.start)) }
            position = run.end
        }
        if position < blocks.end { gaps.append(BlockRange(from: position, to: blocks.end)) }
        return gaps
    }

    // MARK: What the snapshot stores

    private mutating func compareStored(
        _ stored: [LeafPieces.Piece], of leaf: Leaf
    ) throws(RepositoryFailure) -> [BlockRange] {
        let comparison = LeafComparison(leaf: leaf, content: content, access: tree.access)
        var found: [BlockRange] = []
        var compared = BlockCount(0)
        var pieces = stored.flatMap { piece in unchanged(piece.blocks).map { piece.part($0) } }
        while !pieces.isEmpty {
            let outcome = try comparison.run(pieces)
            compared += outcome.compared
            found += outcome.different
            // Written while we looked: what is still unchanged of it gets another look. Each round has fewer blocks.
            pieces = outcome.refused.flatMap { piece in
                let rest = unchanged(piece.blocks)
                return rest == [piece.blocks] ? [] : rest.map { piece.part($0) }
            }
        }
        count(compared, of: stored.reduce(BlockCount(0)) { $0 + $1.blocks.count })
        return found
    }

    private mutating func count(_ compared: BlockCount, of all: BlockCount) {
        report.compared += compared.size
        report.skipped += (all - compared).size
    }

    /// The parts of `blocks` that have not changed.
    private func unchanged(_ blocks: BlockRange) -> [BlockRange] {
        var found: [BlockRange] = []
        var position = blocks.start
        while position < blocks.end {
            let rest = BlockRange(from: position, to: blocks.end)
            guard let change = content.nextChange(in: rest) else { return found + [rest] }
            precondition(change.end > position, "runs go forward")
            if change.start > position { found.append(BlockRange(from: position, to: change.start)) }
            position = change.end
        }
        return found
    }

    // MARK: What it does not

    private mutating func compareZeros(_ gap: BlockRange) throws(RepositoryFailure) -> [BlockRange] {
        var found: [BlockRange] = []
        var position = gap.start
        while let data = try nextData(from: position)?.intersection(BlockRange(from: position, to: gap.end)) {
            var compared = BlockCount(0)
            var parts = unchanged(data)
            while let part = parts.popLast() {
                let piece = BlockRange(at: part.start, count: min(part.count, BlockCount(Limits.frameBlocks)))
                if piece.end < part.end { parts.append(BlockRange(from: piece.end, to: part.end)) }
                if let bytes = try content.unchanged(piece) {
                    compared += piece.count
                    found += LiveComparison.notZero(bytes, piece)
                } else {
                    let rest = unchanged(piece)
                    if rest != [piece] { parts += rest }
                }
            }
            count(compared, of: data.count)
            position = data.end
        }
        return found
    }

    private static func notZero(_ bytes: [UInt8], _ blocks: BlockRange) -> [BlockRange] {
        if bytes.readBytes({ $0.isAllZero }) { return [] }
        let size = Block.size.bytes
        return (0..<blocks.count.count).compactMap { index in
            let isZero = bytes.readBytes(index * size..<(index + 1) * size) { $0.isAllZero }
            return isZero ? nil : BlockRange(at: blocks.start + BlockCount(index), count: 1)
        }
    }
}

extension LeafPieces.Piece {
    /// The piece's part with these of its blocks.
    func part(_ blocks: BlockRange) -> LeafPieces.Piece {
        LeafPieces.Piece(blocks: blocks, frame: frame, first: first + (blocks.start - self.blocks.start).count)
    }
}
