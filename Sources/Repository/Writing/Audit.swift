internal import Blocks

/// Re-reads a few frames of the parent whose blocks claim to be unchanged, and compares.
///
/// A change that was not recorded is silent corruption in every later snapshot. A sample cannot prove that there is
/// none, but it finds a broken engine or a disk that changed behind its back after a few snapshots, loudly.
struct Audit {
    let upload: Upload
    let parent: Manifest

    /// - Throws: ``RepositoryFailure/corrupt(object:blocks:reason:)`` if the volume no longer holds what it says it does.
    func run() throws(RepositoryFailure) {
        let leaves =
            (upload.content.size.bytes + Limits.leafBlocks * Block.size.bytes - 1)
            / (Limits.leafBlocks * Block.size.bytes)
        for _ in 0..<upload.options.auditedFrames {
            try upload.checkGood()
            let start = Int.random(in: 0..<max(1, leaves))
            var found = try upload.parentTree.nextLeaf(from: start)
            if found == nil { found = try upload.parentTree.nextLeaf(from: 0) }
            guard let found, let (_, leaf) = try upload.parentTree.leaf(found) else { return }
            if let run = leaf.runs.randomElement() { try check(run, of: leaf) }
        }
    }

    private func check(_ run: Leaf.Run, of leaf: Leaf) throws(RepositoryFailure) {
        let start = BlockIndex(leaf.number * Limits.leafBlocks + run.start)
        let blocks = BlockRange(at: start, count: BlockCount(run.count))
        // A volume's last block may be cut short; its tail is nobody's.
        guard blocks.bytes.fits(in: upload.content.size) else { return }
        let different: [BlockRange]
        do {
            different = try LeafComparison(leaf: leaf, content: upload.content, access: upload.access)
                .run(LeafPieces(of: leaf, within: blocks).all).different
        } catch {
            if case .content(let failure) = error { throw upload.contentFailure(failure) }
            throw error
        }
        guard let first = different.first else { return }
        throw .corrupt(
            object: "the record of changes since \(parent.plan.id)", blocks: first,
            reason: "blocks that it calls unchanged differ from that snapshot; the next snapshot will be full")
    }
}
