internal import Blocks

/// Compares blocks of one leaf with a volume that calls them unchanged.
///
/// A piece that is a whole frame is compared by hash, and costs the store nothing; of others the frames are fetched.
struct LeafComparison {
    let leaf: Leaf
    let content: any UnchangedBlocks
    let access: PackAccess

    /// What came of it.
    struct Outcome {
        /// Blocks read from the volume and compared.
        var compared = BlockCount(0)
        /// Pieces that the volume does not call unchanged.
        var refused: [LeafPieces.Piece] = []
        /// Blocks that differ, in no order.
        var different: [BlockRange] = []
    }

    /// - Throws: what the store or, as ``RepositoryFailure/content(_:)``, the volume could not give. A damaged frame says
    ///   nothing about the volume: its pieces are passed over.
    func run(_ pieces: [LeafPieces.Piece]) throws(RepositoryFailure) -> Outcome {
        var outcome = Outcome()
        var parts: [Int: [LeafPieces.Piece]] = [:]
        for piece in pieces {
            if isWholeFrame(piece) {
                try compareByHash(piece, &outcome)
            } else {
                parts[piece.frame, default: []].append(piece)
            }
        }
        try FrameBatch(access: access, leaf: leaf).each(Set(parts.keys)) { (frame, result) throws(RepositoryFailure) in
            guard case .success(let plain) = result else { return }
            for piece in parts[frame] ?? [] {
                guard let mine = try read(piece, &outcome) else { continue }
                outcome.different += different(mine, plain, piece)
            }
        }
        return outcome
    }

    private func isWholeFrame(_ piece: LeafPieces.Piece) -> Bool {
        piece.first == 0 && piece.blocks.count.count == leaf.frames[piece.frame].blocks
    }

    private func compareByHash(_ piece: LeafPieces.Piece, _ outcome: inout Outcome) throws(RepositoryFailure) {
        let frame = leaf.frames[piece.frame]
        guard let mine = try read(piece, &outcome),
            mine.readBytes(0..<mine.count, { access.digest(of: $0) }) != frame.digest
        else { return }
        do {
            outcome.different += different(mine, try access.plain(of: frame, blocks: piece.blocks), piece)
        } catch {
            guard case .corrupt = error else { throw error }
            // The frame cannot say where, but its hash says that they differ.
            outcome.different.append(piece.blocks)
        }
    }

    /// The volume's bytes, or nil if it does not call them unchanged.
    private func read(_ piece: LeafPieces.Piece, _ outcome: inout Outcome) throws(RepositoryFailure) -> [UInt8]? {
        guard let mine = try content.unchanged(piece.blocks) else {
            outcome.refused.append(piece)
            return nil
        }
        outcome.compared += piece.blocks.count
        return mine
    }

    private func different(_ mine: [UInt8], _ plain: [UInt8], _ piece: LeafPieces.Piece) -> [BlockRange] {
        let size = Block.size.bytes
        precondition((piece.first + piece.blocks.count.count) * size <= plain.count)
        let indexes = (0..<piece.blocks.count.count).filter { index in
            let theirs = piece.first + index
            return !plain.readBytes(theirs * size..<(theirs + 1) * size) { stored in
                mine.readBytes(index * size..<(index + 1) * size) { $0.equals(stored) }
            }
        }
        return BlockRuns.joined(indexes.map { BlockRange(at: piece.blocks.start + BlockCount($0), count: 1) })
    }
}

extension UnchangedBlocks {
    /// The bytes of `blocks`, or nil if they cannot be called unchanged.
    func unchanged(_ blocks: BlockRange) throws(RepositoryFailure) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: blocks.count.size.bytes)
        let isUnchanged: Bool
        do throws(BlockFailure) {
            isUnchanged = try bytes.writeBytes { (all) throws(BlockFailure) in
                try readIfUnchanged(blocks, into: &all)
            }
        } catch { throw .content(error) }
        return isUnchanged ? bytes : nil
    }
}
