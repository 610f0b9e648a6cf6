internal import Blocks
internal import ObjectStore
internal import Repository
internal import Simulation
internal import VolumeEngine

extension World {
    /// Everything that must hold between two steps.
    func check() throws {
        try fate.quietly {
            for disk in disks { try check(disk) }
        }
    }

    /// Looks at one volume, and again if a write in flight gave up a snapshot meanwhile.
    private func check(_ disk: ModelDisk) throws {
        while true {
            noteGivenUp(disk)
            let before = disk.cuts
            do {
                let found = try contents(disk)
                try compare(disk, found, from: 0, .disk)
                try checkPending(disk)
                return try checkDirty(disk, found)
            } catch {
                noteGivenUp(disk)
                if disk.cuts == before { throw error }
            }
        }
    }

    private func checkPending(_ disk: ModelDisk) throws {
        let views = disk.live.pendingCuts
        let wanted = disk.cuts.filter { snapshots[$0]?.state == .pending }
        guard views.map(\.snapshot) == wanted else {
            throw Violation(.g4, "the pending snapshots of \(disk.name) are \(views.map(\.snapshot)), not \(wanted)")
        }
        for view in views { try check(view) }
    }

    private func blocks(_ next: (BlockIndex) throws(BlockFailure) -> BlockRange?) throws(BlockFailure) -> Set<Int> {
        var blocks: Set<Int> = [], position: BlockIndex = 0
        while let run = try next(position) {
            blocks.formUnion(run.start.number..<run.end.number)
            position = run.end
        }
        return blocks
    }

    /// A pending cut reads as the volume was (G4), and what it does not mark is its parent's (G6).
    func check(_ view: CutView) throws {
        guard var known = snapshots[view.snapshot], view.givenUpReason == nil else { return }
        guard view.size.bytes == known.image.numbers.count * Self.unit else {
            throw Violation(.g4, "\(known.id) has \(view.size.bytes) bytes")
        }
        guard view.parent == known.parent else {
            throw Violation(
                .g6, "\(known.id) counts from \(view.parent ?? "nothing"), not \(known.parent ?? "nothing")")
        }
        let changed = try blocks { (block) throws(BlockFailure) in try view.nextChange(from: block) }
        known.marked = changed.count
        let captured = Set(view.capturedPacks.flatMap { $0.runs.flatMap { Array($0.start.number..<$0.end.number) } })
        for block in changed.subtracting(captured).sorted() where block < known.image.blocks {
            guard let found = try read(view, block) else { return }
            try resolve(&known, block, found)
        }
        let parent = try image(known.parent)
        // Where nothing is marked it claims to be its parent, for a write that was in flight too.
        for (unit, other) in known.either where parent?.numbers.count ?? 0 > unit && parent?.numbers[unit] == other {
            if !changed.contains(unit / Self.perBlock) { known.image.numbers[unit] = other }
        }
        known.either = [:]
        snapshots[known.id] = known
        tally.looks += 1
        let missed = known.image.differences(from: parent).filter { !changed.contains($0) }
        guard missed.isEmpty else {
            throw Violation(.g6, "\(known.id) changed in blocks \(missed.prefix(8)), which it does not mark")
        }
    }

    /// A block as a pending cut has it; nil if the cut was given up meanwhile.
    private func read(_ view: CutView, _ block: Int) throws -> [UInt32?]? {
        var bytes = [UInt8](repeating: 0xee, count: 4096)
        let range = BlockRange(at: BlockIndex(block), count: 1)
        do {
            try bytes.writeBytes { (span) throws(BlockFailure) in try view.read(range, into: &span) }
        } catch {
            if view.givenUpReason != nil { return nil }
            throw error
        }
        return Stamps.decode(bytes, at: block * Self.perBlock, unit: Self.unit)
    }

    /// What is found where a write was in flight at the cut is the snapshot's content from now on.
    private func resolve(_ known: inout ModelSnapshot, _ block: Int, _ found: [UInt32?]) throws {
        let wanted = known.image.block(block)
        for (index, number) in found.enumerated() {
            let unit = block * Self.perBlock + index
            let other = known.either.removeValue(forKey: unit)
            if number == wanted[index] { continue }
            guard let number, number == other else {
                throw Violation(
                    .g4, "sector \(unit) of \(known.id) is \(Self.text(number)), not \(wanted[index])")
            }
            known.image.numbers[unit] = number
        }
    }

    /// What differs from the parent is marked as changed (G6). `found` is what the volume holds, a write in flight
    /// included as far as it got.
    private func checkDirty(_ disk: ModelDisk, _ found: [UInt32?]) throws {
        guard disk.live.status.parent == disk.currentParent else {
            throw Violation(
                .g6,
                "\(disk.name) counts from \(disk.live.status.parent ?? "nothing"), "
                    + "not \(disk.currentParent ?? "nothing")")
        }
        let parent = disk.currentParent.flatMap { snapshots[$0] }
        let size = ByteOffset(disk.live.size.bytes)
        let changed = try blocks { (block) throws(BlockFailure) in
            var position = block.offset
            while position < size {
                let extents = try disk.live.changes(in: ByteRange(from: position, to: size)) ?? []
                if let found = extents.first(where: \.isSet) { return found.range.touchedBlocks }
                guard let last = extents.last else { return nil }
                position = last.range.end
            }
            return nil
        }
        var held = disk.now
        held.numbers = found.compactMap { $0 }
        let missed = held.differences(from: parent?.image).filter { !changed.contains($0) }
        guard missed.isEmpty else {
            throw Violation(.g6, "blocks \(missed.prefix(8)) of \(disk.name) changed and are not marked")
        }
    }

    // MARK: The store

    /// Every committed snapshot restores, read through nothing that was cached before.
    func checkStore(_ law: Law) throws {
        let fresh: Repository
        do {
            fresh = try Repository.open(store, options: RepositoryOptions(frameCache: .mebibytes(4), clock: clock))
        } catch { throw Violation(.r5, "the repository cannot be opened: \(error)") }
        for snapshot in committed { try checkRestore(snapshot.id, in: fresh, law) }
    }

    func checkRestore(_ snapshot: String, in repository: Repository, _ law: Law) throws {
        guard let known = snapshots[snapshot] else { return }
        var bytes = [UInt8](repeating: 0, count: known.image.blocks * 4096)
        do {
            let reader = try repository.reader(of: id(snapshot))
            guard reader.size.bytes == known.image.numbers.count * Self.unit else {
                throw Violation(law, "\(snapshot) restores \(reader.size.bytes) bytes")
            }
            let all = BlockRange(at: 0, count: BlockCount(known.image.blocks))
            try bytes.writeBytes { (span) throws(BlockFailure) in try reader.read(all, into: &span) }
        } catch let violation as Violation { throw violation } catch {
            throw Violation(law, "\(snapshot) cannot be restored: \(error)")
        }
        let found = Stamps.decode(bytes, at: 0, unit: Self.unit)
        for (unit, wanted) in known.image.numbers.enumerated() where found[unit] != wanted {
            throw Violation(
                .g4, "sector \(unit) of \(snapshot) restores as \(Self.text(found[unit])), not \(wanted)")
        }
        tally.restores += 1
    }

    /// What the store alone tells is what there is. A snapshot whose commit nobody heard of may be there too.
    func checkInventory() throws {
        let inventory = try repository.inventory()
        let found = Set(inventory.manifests.map(\.plan.id.text))
        let must = Set(committed.map(\.id))
        let may = snapshots.values.filter { $0.state != .gone || abandoned.contains($0.id) }.map(\.id)
        guard found.isSuperset(of: must), found.isSubset(of: may), inventory.findings.isEmpty else {
            throw Violation(.r5, "the store tells of \(found.sorted()), there are \(must.sorted())")
        }
        for manifest in inventory.manifests {
            guard let known = snapshots[manifest.plan.id.text] else { continue }
            guard manifest.plan.volume == known.disk, manifest.plan.parent?.text == known.parent,
                manifest.size.bytes == known.image.numbers.count * Self.unit
            else { throw Violation(.r5, "the store tells \(manifest.plan) of \(known.id)") }
        }
    }

    // MARK: The end

    /// Everything comes to its end: all snapshots are stored and settled, all blocks fetched, all restored, all deleted,
    /// and nothing is left in the store.
    func finish() throws {
        try land()
        fate.disarm()
        fate.revive(again: nil)
        for _ in 0..<32 where disks.contains(where: { $0.cuts.contains { snapshots[$0]?.state == .pending } }) {
            for disk in disks { try upload(disk, calls: 0) }
        }
        for disk in disks {
            noteGivenUp(disk)
            try settle(disk)
            try hydrate(disk)
        }
        try check()
        try checkStore(.r1)
        try restart(newBoot: true)
        try check()
        for snapshot in committed.shuffled(by: history.seed) {
            try delete(snapshot.id)
            try checkStore(.r1)
        }
        try checkInventory()
        clock.advance(by: .seconds(setBack))
        for _ in 0..<3 {
            clock.advance(by: Self.grace + .seconds(100))
            try reclaim()
        }
        try check()
        guard committed.isEmpty else {
            throw Violation(.r1, "\(committed.map(\.id)) cannot be deleted, and nothing counts from them")
        }
        let left = try ["snapshots/", "trash/", "packs/", "uploads/"].flatMap {
            try store.list(prefix: $0, startAfter: nil, limit: 10).map(\.key)
        }
        guard left.isEmpty else { throw Violation(.r6, "what no snapshot needs is left: \(left)") }
    }
}

extension [ModelSnapshot] {
    func shuffled(by seed: UInt64) -> [ModelSnapshot] {
        var random = SeededRandom(seed: seed)
        return shuffled(using: &random)
    }
}
