internal import Blocks

/// The last steps before the commit: inner nodes, the pack table, the manifest's text.
struct SnapshotAssembly {
    let upload: Upload
    let plan: SnapshotPlan
    let parent: Manifest?
    let repository: Repository
    /// The sizes of this snapshot's packs from earlier runs.
    let sizes: [Int: Int]

    func run(_ found: Upload.Outcome) throws(RepositoryFailure) -> Manifest {
        var ledger = found.ledger
        let coder = FrameCoder(level: upload.options.compressionLevel)
        let builder = TreeBuilder(parent: upload.parentTree) { (bytes, what) throws(RepositoryFailure) in
            try upload.putNode(bytes, what, coder)
        }
        let root = try builder.build(found.leaves, &ledger)
        try putQueued()
        var packs: FramePointer?
        if root == parent?.root {
            packs = parent?.packs
        } else if root != nil {
            packs = try putTable(ledger, coder)
        }
        let fullBlocks = (parent?.fullBytes.bytes ?? 0) / Block.size.bytes + ledger.liveBlocks
        return Manifest(
            plan: plan, size: upload.content.size, completed: repository.options.clock.now(),
            fullBytes: BlockCount(fullBlocks).size, changedBytes: BlockCount(ledger.changedBlocks).size,
            storedBytes: ByteCount(storedBytes), root: root, packs: packs, tool: repository.options.tool)
    }

    /// Packs of this run, and of earlier ones that this run builds on.
    private var storedBytes: Int {
        let recorded = upload.content.capturedPacks.map(\.number)
        return upload.sink.storedBytes + recorded.reduce(0) { $0 + (sizes[$1] ?? 0) }
    }

    private func putTable(_ ledger: Ledger, _ coder: FrameCoder) throws(RepositoryFailure) -> FramePointer {
        var old = PackTable()
        if let pointer = parent?.packs { old = try repository.access.table(pointer) }
        var known: [PackName: Int] = [:]
        for (number, size) in sizes { known[PackName(plan.id, number)] = size }
        for (number, size) in upload.sink.sizes { known[PackName(plan.id, number)] = size }
        let table: PackTable
        do { table = try ledger.applied(to: old, sizes: known) } catch {
            let key = parent?.packs.map { repository.keys.pack($0.pack) } ?? repository.keys.packs(of: plan.id)
            throw .corrupt(object: key, blocks: nil, reason: "the table of packs \(error.reason)")
        }
        let pointer = try upload.putNode(table.encoded(), .table, coder)
        try putQueued()
        return pointer
    }

    /// The putting threads have ended by now: seals what is open and puts it here.
    private func putQueued() throws(RepositoryFailure) {
        for var pack in upload.sink.sealAll() {
            upload.access.cipher?.seal(&pack)
            try upload.put(pack)
        }
    }
}
