internal import Blocks
internal import ObjectStore

/// Finds out, to the block, what of snapshots cannot be read. What several share is looked at once.
///
/// Every node is read; of the frames, those in suspect packs and those that the listing contradicts. A listing may be
/// stale, so it only raises the question: the answer is always a read.
struct DamageSurvey {
    private let repository: Repository
    private let suspects: Set<PackName>?
    private let isStopped: @Sendable () -> Bool
    private let packSizes: [PackName: ByteCount]
    /// Fingerprints of nodes all below which is good, and of frames that are.
    private var goodNodes: Set<UInt64> = []
    private var goodFrames: Set<UInt64> = []
    private var badFrames: [UInt64: RepositoryFailure] = [:]
    /// The way to the snapshot that is being looked at.
    private var access: PackAccess

    /// - Parameters:
    ///   - repository: one with caches of its own: what was good when it was cached proves nothing now.
    ///   - suspects: packs whose frames are read; nil for all.
    init(
        _ repository: Repository, suspects: Set<PackName>?, isStopped: @escaping @Sendable () -> Bool
    ) throws(RepositoryFailure) {
        self.repository = repository
        self.isStopped = isStopped
        self.suspects = suspects
        access = repository.access
        packSizes = try repository.listedPacks()
    }

    /// - Parameter size: the volume's size at the cut, for a snapshot that cannot even say that itself.
    mutating func run(_ id: SnapshotID, size: ByteCount) throws(RepositoryFailure) -> SnapshotDamage {
        var damage = SnapshotDamage(snapshot: id)
        let key = repository.keys.manifest(id)
        let manifest: Manifest
        do throws(RepositoryFailure) {
            manifest = try repository.manifest(of: id)
            damage.isLocked = try !open(manifest)
        } catch {
            try note(error, key, &damage)
            damage.add([BlockRange(at: 0, count: BlockCount(covering: size))])
            return damage
        }
        do throws(RepositoryFailure) { _ = try repository.table(of: manifest) } catch { try note(error, key, &damage) }
        if !damage.isLocked, let root = manifest.root {
            _ = try walk(root, Limits.rootLevel, 0, manifest.size, &damage)
        }
        return damage
    }

    /// Says whether the key of the snapshot is here.
    private mutating func open(_ manifest: Manifest) throws(RepositoryFailure) -> Bool {
        do throws(RepositoryFailure) {
            access = try repository.access(for: manifest)
            return true
        } catch {
            guard case .keyMissing = error else { throw error }
            return false
        }
    }

    /// Damage of the map becomes part of what is known; a store that fails ends the survey.
    private func note(
        _ failure: RepositoryFailure, _ key: String, _ damage: inout SnapshotDamage
    ) throws(RepositoryFailure) {
        switch failure {
        case .corrupt(let object, let blocks, let reason):
            damage.add(Finding(object: object, snapshot: damage.snapshot, blocks: blocks, problem: reason))
            if let pack = repository.keys.packName(object) { damage.packs.insert(pack) }
        case .missing:
            damage.add(
                Finding(object: key, snapshot: damage.snapshot, blocks: nil, problem: "it is missing from the store"))
        default: throw failure
        }
        damage.isMapDamaged = true
    }

    /// Says whether everything below is good.
    private mutating func walk(
        _ pointer: FramePointer, _ level: Int, _ number: Int, _ size: ByteCount, _ damage: inout SnapshotDamage
    ) throws(RepositoryFailure) -> Bool {
        if isStopped() { throw .cancelled }
        let print = pointer.fingerprint
        if goodNodes.contains(print) { return true }
        var isGood = true
        do throws(RepositoryFailure) {
            if level == 0 {
                isGood = try look(at: try access.leaf(pointer, number: number), size, &damage)
            } else {
                let node = try access.inner(pointer, level: level, number: number)
                for (slot, child) in node.children.sorted(by: { $0.key < $1.key }) {
                    if try !walk(child, level - 1, number << 8 | slot, size, &damage) { isGood = false }
                }
            }
        } catch {
            try note(error, repository.keys.pack(pointer.pack), &damage)
            damage.add(Self.clipped([TreeShape.blocks(level: level, number: number)], size))
            return false
        }
        if isGood { goodNodes.insert(print) }
        return isGood
    }

    private mutating func look(
        at leaf: Leaf, _ size: ByteCount, _ damage: inout SnapshotDamage
    ) throws(RepositoryFailure) -> Bool {
        var failures: [Int: RepositoryFailure] = [:]
        var wanted: Set<Int> = []
        for (index, frame) in leaf.frames.enumerated() {
            if let known = badFrames[frame.fingerprint] {
                failures[index] = known
            } else if !goodFrames.contains(frame.fingerprint), isDoubtful(frame) {
                wanted.insert(index)
            }
        }
        let damaged = try FrameBatch(access: access, leaf: leaf).failures(of: wanted)
        for index in wanted where damaged[index] == nil { goodFrames.insert(leaf.frames[index].fingerprint) }
        failures.merge(damaged) { first, _ in first }
        for (index, failure) in failures.sorted(by: { $0.key < $1.key }) {
            let frame = leaf.frames[index]
            badFrames[frame.fingerprint] = failure
            damage.packs.insert(frame.pack)
            damage.add(Self.clipped(leaf.runs(of: index), size))
            if case .corrupt(let object, _, let reason) = failure {
                damage.add(
                    Finding(
                        object: object, snapshot: damage.snapshot, blocks: leaf.blocks(of: index), problem: reason))
            }
        }
        return failures.isEmpty
    }

    private func isDoubtful(_ frame: FramePointer) -> Bool {
        guard let suspects, !suspects.contains(frame.pack) else { return true }
        guard let size = packSizes[frame.pack] else { return true }
        return frame.offset + frame.storedLength > size.bytes
    }

    private static func clipped(_ blocks: [BlockRange], _ size: ByteCount) -> [BlockRange] {
        let all = BlockRange(at: 0, count: BlockCount(covering: size))
        return blocks.compactMap { $0.intersection(all) }
    }
}

extension Leaf {
    /// Exactly the blocks of the volume whose content lies in a frame.
    func runs(of frame: Int) -> [BlockRange] {
        let origin = number * Limits.leafBlocks
        return runs.filter { $0.frame == frame }
            .map { BlockRange(at: BlockIndex(origin + $0.start), count: BlockCount($0.count)) }
    }
}
