public import Blocks
internal import ObjectStore

/// Where content that the store lost may still be: a live volume.
public protocol FrameDonor: AnyObject, Sendable {
    /// The bytes of `blocks` as they are now, or nil if they cannot be read. What lies past the end is zeros. Blocks.
    func bytes(of blocks: BlockRange) -> [UInt8]?
}

/// What healing did.
public struct HealReport: Equatable, Sendable {
    /// Snapshots that refer to good frames again where they referred to bad ones.
    public var snapshots: [SnapshotID] = []
    /// Frames stored anew.
    public var frames = 0
    /// Bytes of content in them.
    public var bytes = ByteCount.zero

    /// Nothing was healed.
    public init() {}
}

/// Stores lost frames anew, from whoever still has the same content, and lets the snapshots refer to them.
///
/// For each snapshot, oldest first:
/// 1. Pin it, as an upload would: reclaim keeps every pack of a pinned snapshot.
/// 2. Find the content of each bad frame: equal by hash, or it is not used.
/// 3. Put it into new packs of the snapshot, with the nodes above, up to a new root, and with what else was good in the
///    damaged packs. Pack numbers go on past every number that is known.
/// 4. Replace the manifest: the commit. A crash before it leaves the snapshot as it was, and packs that nobody names.
/// 5. Remove the pin.
///
/// Later snapshots of the list share the new frames by pointer, so none of them may be deleted meanwhile, and no upload
/// may run that builds on one of them: both are the caller's to see to. The old tree stays readable as far as it was,
/// for readers that opened it before: the new table names every pack that the old one did, but for those nothing good
/// of which was needed.
struct Healer {
    private let repository: Repository
    private let donors: [any FrameDonor]
    private let isStopped: @Sendable () -> Bool
    /// Frames stored anew, by the pointer to the bad one.
    private var replaced: [FramePointer: FramePointer] = [:]
    private var hopeless: Set<FramePointer> = []
    private var footers: [PackName: PackFooter?] = [:]
    /// Sizes of the packs that were put.
    private var sizes: [PackName: Int] = [:]
    private var report = HealReport()
    /// The way to the snapshot that is being healed.
    private var access: PackAccess

    /// - Parameter repository: one with caches of its own.
    init(_ repository: Repository, donors: [any FrameDonor], isStopped: @escaping @Sendable () -> Bool) {
        self.isStopped = isStopped
        self.repository = repository
        self.donors = donors
        access = repository.access
    }

    mutating func run(_ damages: [SnapshotDamage]) throws(RepositoryFailure) -> HealReport {
        for damage in damages where !damage.blocks.isEmpty {
            do throws(RepositoryFailure) { try heal(damage) } catch {
                // Records that are damaged themselves, or gone: nothing to build on. Without its key an encrypted snapshot
                // cannot be healed: what is put must be sealed as the rest of it is.
                switch error {
                case .corrupt, .missing, .keyMissing: break
                default: throw error
                }
                // What it was about to put may never have come: later ones must not share that.
                replaced = replaced.filter { sizes[$0.value.pack] != nil }
            }
        }
        return report
    }

    private mutating func heal(_ damage: SnapshotDamage) throws(RepositoryFailure) {
        let id = damage.snapshot
        let manifest = try repository.manifest(of: id)
        guard let root = manifest.root else { return }
        access = try repository.access(for: manifest)
        var table = try repository.table(of: manifest)
        var work = Work(
            damage: damage.blocks,
            packs: HealedPacks(id, after: try lastNumber(of: id, table), access))
        let pin = UploadPin(
            snapshot: id, parent: nil, volume: manifest.plan.volume,
            started: repository.options.clock.now())
        try repository.access.put(pin.encoded(), at: repository.keys.upload(id))
        if var new = try mend(root, Limits.rootLevel, 0, &work) {
            try work.packs.put()
            // Of what is all healed, the rest.
            let gone = try broken(table)
            work.moving = damage.packs.union(gone).subtracting(hopeless.map { $0.pack })
            work.damage = []
            if !work.moving.isEmpty, let moved = try mend(new, Limits.rootLevel, 0, &work) {
                new = moved
                try work.packs.put()
            }
            sizes.merge(work.packs.sizes) { $1 }
            try correct(&table, work)
            let pointer = try work.packs.append(table.encoded(), .table)
            try work.packs.put()
            Failpoint.hit("heal.packs.put")
            var healed = manifest
            healed.root = new
            healed.packs = pointer
            healed.storedBytes += ByteCount(work.packs.sizes.values.reduce(0, +))
            let bytes = healed.encoded(access.cipher)
            try check(bytes, healed, table)
            guard try repository.findManifest(id, alsoTrashed: false) == manifest else { throw .missing(id) }
            try repository.access.put(bytes, at: repository.keys.manifest(id))
            Failpoint.hit("heal.committed")
            report.snapshots.append(id)
        }
        try repository.abandonUpload(id)
    }

    /// The manifest about to be replaced can be read, and nobody has it any more afterwards: so its successor is read as
    /// readers will read it first, with what it points to, from the store. Whatever is wrong ends the healing here, with
    /// the snapshot as it was.
    private func check(_ bytes: [UInt8], _ healed: Manifest, _ table: PackTable) throws(RepositoryFailure) {
        let id = healed.plan.id
        var read = try repository.decodeManifest(bytes, id)
        _ = try repository.access(for: read)
        read.seal = healed.seal
        guard read == healed, try repository.table(of: healed) == table, let root = healed.root,
            table.packs[root.pack] != nil
        else {
            throw .corrupt(
                object: repository.keys.manifest(id), blocks: nil,
                reason: "healing would have replaced it by one that cannot be read; it was left as it is")
        }
        _ = try access.inner(root, level: Limits.rootLevel, number: 0)
    }

    /// What changes while one snapshot is healed.
    private struct Work {
        var damage: [BlockRange]
        /// Packs that are damaged: what is still good in them moves too, so that nothing needs them and reclaim frees them.
        var moving: Set<PackName> = []
        var packs: HealedPacks
        /// Of data frames: the old ones that are no longer referred to, and the new ones.
        var dropped: [FramePointer] = []
        var added: [FramePointer] = []
        /// New nodes.
        var nodes: [FramePointer] = []
    }

    /// A pack number is never used twice, whatever became of the first: not one of a lost pack either.
    private func lastNumber(of id: SnapshotID, _ table: PackTable) throws(RepositoryFailure) -> Int {
        var last = 0
        try repository.access.list(repository.keys.packs(of: id)) { entry in
            if let name = repository.keys.packName(entry.key) { last = max(last, name.number) }
        }
        for pack in table.packs.keys where pack.snapshot == id { last = max(last, pack.number) }
        for pack in replaced.values.map(\.pack) where pack.snapshot == id { last = max(last, pack.number) }
        return last
    }

    /// Never fewer packs than the tree needs. Those of replaced nodes stay named: readers may still hold the old root.
    private func correct(_ table: inout PackTable, _ work: Work) throws(RepositoryFailure) {
        for frame in work.dropped {
            guard var entry = table.packs[frame.pack] else { continue }
            entry.live -= frame.storedLength
            table.packs[frame.pack] = entry.live > 0 ? entry : nil
        }
        for frame in work.added + work.nodes {
            guard let size = table.packs[frame.pack]?.size ?? sizes[frame.pack] else {
                preconditionFailure("a pack that was put has a size")
            }
            let live = (table.packs[frame.pack]?.live ?? 0) + frame.storedLength
            table.packs[frame.pack] = PackTable.Entry(live: min(live, size), size: size)
        }
    }

    private func broken(_ table: PackTable) throws(RepositoryFailure) -> Set<PackName> {
        let listed = try repository.listedPacks()
        return Set(table.packs.filter { pack, entry in listed[pack]?.bytes != entry.size }.keys)
    }

    // MARK: The tree

    /// The node's successor, or nil if nothing below it could be mended.
    private mutating func mend(
        _ pointer: FramePointer, _ level: Int, _ number: Int, _ work: inout Work
    ) throws(RepositoryFailure) -> FramePointer? {
        if isStopped() { throw .cancelled }
        let blocks = TreeShape.blocks(level: level, number: number)
        guard !work.moving.isEmpty || work.damage.contains(where: { $0.intersection(blocks) != nil }) else {
            return nil
        }
        var bytes: [UInt8]?
        do throws(RepositoryFailure) {
            if level == 0 {
                bytes = try mend(try access.leaf(pointer, number: number), &work)?.encoded()
            } else {
                bytes = try mend(try access.inner(pointer, level: level, number: number), &work)?.encoded()
            }
        } catch {
            // What a damaged node mapped is not known any more.
            guard case .corrupt = error else { throw error }
            return nil
        }
        guard let bytes else { return nil }
        let new = try work.packs.append(bytes, .node(level: level, number: number))
        work.nodes.append(new)
        return new
    }

    private mutating func mend(_ old: InnerNode, _ work: inout Work) throws(RepositoryFailure) -> InnerNode? {
        var node = old
        for (slot, child) in old.children.sorted(by: { $0.key < $1.key }) {
            if let new = try mend(child, old.level - 1, old.number << 8 | slot, &work) { node.children[slot] = new }
        }
        return node == old ? nil : node
    }

    private mutating func mend(_ old: Leaf, _ work: inout Work) throws(RepositoryFailure) -> Leaf? {
        var leaf = old
        for (index, frame) in old.frames.enumerated() {
            let isBad = old.runs(of: index).contains { run in
                work.damage.contains { $0.intersection(run) != nil }
            }
            guard isBad || work.moving.contains(frame.pack), let new = try replacement(of: frame, index, old, &work)
            else { continue }
            leaf.frames[index] = new
            work.dropped.append(frame)
            work.added.append(new)
        }
        return leaf == old ? nil : leaf
    }

    // MARK: Frames

    private mutating func replacement(
        of frame: FramePointer, _ index: Int, _ leaf: Leaf, _ work: inout Work
    ) throws(RepositoryFailure) -> FramePointer? {
        if let known = replaced[frame] { return known }
        guard !hopeless.contains(frame), let blocks = try layout(of: frame, index, leaf),
            let plain = try find(frame, BlockRuns.joined(blocks.map { BlockRange(at: $0, count: 1) }))
        else {
            hopeless.insert(frame)
            return nil
        }
        let runs = BlockRuns.joined(blocks.map { BlockRange(at: $0, count: 1) })
        let new = try work.packs.append(plain, .data(leaf: leaf.number, blocks: runs))
        precondition(new.digest == frame.digest && new.plainLength == frame.plainLength)
        replaced[frame] = new
        if work.moving.isEmpty {
            report.frames += 1
            report.bytes += ByteCount(plain.count)
        }
        return new
    }

    private func find(_ frame: FramePointer, _ runs: [BlockRange]) throws(RepositoryFailure) -> [UInt8]? {
        do throws(RepositoryFailure) { return try access.plain(of: frame, blocks: nil) } catch {
            guard case .corrupt = error else { throw error }
        }
        for donor in donors {
            var plain: [UInt8] = []
            for run in runs {
                guard let part = donor.bytes(of: run) else { break }
                plain += part
            }
            if plain.count == frame.plainLength, access.digest(of: plain) == frame.digest { return plain }
        }
        return nil
    }

    /// Which block of the volume each block of a frame was: as the pack's directory says, else as far as the leaf's runs
    /// tell, the rest guessed from its neighbours. A wrong guess does no harm: the hash refuses it.
    private mutating func layout(
        of frame: FramePointer, _ index: Int, _ leaf: Leaf
    ) throws(RepositoryFailure) -> [BlockIndex]? {
        for entry in try footer(of: frame.pack)?.entries ?? [] where entry.offset == frame.offset {
            guard entry.digest == frame.digest, case .data(leaf.number, let blocks) = entry.what else { break }
            return blocks.flatMap { run in (run.start.number..<run.end.number).map { BlockIndex($0) } }
        }
        let origin = leaf.number * Limits.leafBlocks
        var blocks = [Int?](repeating: nil, count: frame.blocks)
        for run in leaf.runs where run.frame == index {
            for step in 0..<run.count { blocks[run.first + step] = origin + run.start + step }
        }
        for place in blocks.indices.dropFirst() where blocks[place] == nil {
            blocks[place] = blocks[place - 1].map { $0 + 1 }
        }
        for place in blocks.indices.dropLast().reversed() where blocks[place] == nil {
            blocks[place] = blocks[place + 1].map { $0 - 1 }
        }
        let known = blocks.compactMap { $0 }
        guard known.count == frame.blocks, zip(known, known.dropFirst()).allSatisfy({ $0 < $1 }),
            known.allSatisfy({ (origin..<origin + Limits.leafBlocks).contains($0) })
        else { return nil }
        return known.map { BlockIndex($0) }
    }

    private mutating func footer(of pack: PackName) throws(RepositoryFailure) -> PackFooter? {
        if let known = footers[pack] { return known }
        var footer: PackFooter?
        do throws(RepositoryFailure) { footer = try access.footer(of: pack) } catch {
            guard case .corrupt = error else { throw error }
        }
        footers[pack] = .some(footer)
        return footer
    }
}
