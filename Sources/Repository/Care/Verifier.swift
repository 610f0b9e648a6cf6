internal import Blocks
internal import ObjectStore

/// Checks snapshots against the store. What two snapshots share is read once.
struct Verifier {
    private let repository: Repository
    private let level: VerifyLevel
    private var report = VerifyReport()
    private var packSizes: [PackName: ByteCount] = [:]
    private var neededPacks: Set<PackName> = []
    /// Fingerprints of nodes all below which is good, and of frames that are.
    private var goodNodes: Set<UInt64> = []
    private var goodFrames: Set<UInt64> = []
    private var sampledPacks: Set<PackName> = []
    /// Packs that came in with the snapshot that is being looked at.
    private struct FirstSeen {
        var needed: [PackName] = []
        var sampled: [PackName] = []
    }
    private var firstSeen = FirstSeen()
    /// The way to the snapshot that is being looked at.
    private var access: PackAccess

    init(_ repository: Repository, _ level: VerifyLevel) {
        self.repository = repository
        self.level = level
        access = repository.access
    }

    mutating func run(_ wanted: [SnapshotID]?) throws(RepositoryFailure) -> VerifyReport {
        let keys = repository.keys
        var ids: [SnapshotID] = wanted ?? []
        if wanted == nil {
            try repository.access.list(keys.snapshots) { entry in
                if let id = keys.id(entry.key, in: keys.snapshots) { ids.append(id) }
            }
        }
        // After the snapshots: the packs of one that is completed meanwhile are there before it is.
        var sizes: [PackName: ByteCount] = [:]
        try repository.access.list(keys.packs) { entry in
            if let name = keys.packName(entry.key) { sizes[name] = entry.size }
        }
        packSizes = sizes
        for id in ids {
            let findings = report.findings.count
            firstSeen = FirstSeen()
            try check(id)
            guard wanted == nil, report.findings.count > findings,
                try repository.access.object(keys.manifest(id)) == nil
            else { continue }
            forget(id, after: findings)
        }
        report.packs = neededPacks.count
        return report
    }

    /// Takes back what was said of a snapshot that is gone since the listing: nothing of it is missing.
    ///
    /// What it shared with others is theirs to look at again. Only what was good is remembered beside this, so nothing that
    /// was found damaged here is passed over there.
    private mutating func forget(_ id: SnapshotID, after findings: Int) {
        report.findings.removeLast(report.findings.count - findings)
        report.snapshots -= 1
        report.locked.removeAll { $0 == id }
        neededPacks.subtract(firstSeen.needed)
        sampledPacks.subtract(firstSeen.sampled)
    }

    private mutating func check(_ id: SnapshotID) throws(RepositoryFailure) {
        report.snapshots += 1
        do throws(RepositoryFailure) {
            let manifest = try repository.manifest(of: id)
            let isOpen = try open(manifest)
            try checkPacks(manifest)
            if isOpen, level >= .structure, let root = manifest.root {
                _ = try checkNode(root, Limits.rootLevel, 0, manifest)
            }
        } catch { try note(error, id, key: repository.keys.manifest(id)) }
    }

    /// Says whether the snapshot's nodes and frames can be read. Without its key only what is in the clear is checked:
    /// manifest and table, that packs are there with their sizes, and the checksums of their footers.
    private mutating func open(_ manifest: Manifest) throws(RepositoryFailure) -> Bool {
        access = repository.access
        do throws(RepositoryFailure) {
            access = try repository.access(for: manifest)
            return true
        } catch {
            guard case .keyMissing = error else { throw error }
            report.locked.append(manifest.plan.id)
            return false
        }
    }

    /// Damage becomes a finding; a store that fails ends the verification.
    private mutating func note(
        _ failure: RepositoryFailure, _ id: SnapshotID, key: String
    ) throws(RepositoryFailure) {
        switch failure {
        case .corrupt(let object, let blocks, let reason):
            report.findings.append(Finding(object: object, snapshot: id, blocks: blocks, problem: reason))
        case .missing:
            report.findings.append(
                Finding(object: key, snapshot: id, blocks: nil, problem: "it is missing from the store"))
        default: throw failure
        }
    }

    // MARK: Packs

    private mutating func checkPacks(_ manifest: Manifest) throws(RepositoryFailure) {
        guard let pointer = manifest.packs else { return }
        let table = try repository.table(of: manifest)
        var expected = table.packs.mapValues { ByteCount($0.size) }
        if expected[pointer.pack] == nil { expected[pointer.pack] = packSizes[pointer.pack] ?? .zero }
        for (pack, size) in expected.sorted(by: { $0.key < $1.key }) {
            let key = repository.keys.pack(pack)
            guard let found = packSizes[pack] else {
                try note(
                    .corrupt(object: key, blocks: nil, reason: "it is missing from the store"), manifest.plan.id,
                    key: key)
                continue
            }
            if found != size {
                let reason = "it has \(found.bytes) bytes instead of \(size.bytes)"
                try note(.corrupt(object: key, blocks: nil, reason: reason), manifest.plan.id, key: key)
            }
            let isNew = neededPacks.insert(pack).inserted
            if isNew { firstSeen.needed.append(pack) }
            guard isNew, level >= .structure else { continue }
            do throws(RepositoryFailure) { _ = try access.checkedFooter(of: pack, size: found) } catch {
                try note(error, manifest.plan.id, key: key)
            }
        }
    }

    // MARK: Tree

    /// Says whether everything below is good.
    private mutating func checkNode(
        _ pointer: FramePointer, _ level: Int, _ number: Int, _ manifest: Manifest
    ) throws(RepositoryFailure) -> Bool {
        let print = pointer.fingerprint
        if goodNodes.contains(print) { return true }
        var isGood = true
        do throws(RepositoryFailure) {
            if level == 0 {
                isGood = try checkLeaf(try access.leaf(pointer, number: number), manifest)
            } else {
                let node = try access.inner(pointer, level: level, number: number)
                for (slot, child) in node.children.sorted(by: { $0.key < $1.key }) {
                    if try !checkNode(child, level - 1, number << 8 | slot, manifest) { isGood = false }
                }
            }
        } catch {
            try note(error, manifest.plan.id, key: repository.keys.pack(pointer.pack))
            return false
        }
        if isGood { goodNodes.insert(print) }
        return isGood
    }

    private mutating func checkLeaf(_ leaf: Leaf, _ manifest: Manifest) throws(RepositoryFailure) -> Bool {
        var failures: [Int: RepositoryFailure] = [:]
        var wanted: Set<Int> = []
        for (index, frame) in leaf.frames.enumerated() {
            if let failure = misplacement(frame, leaf.blocks(of: index)) {
                failures[index] = failure
            } else if isWanted(frame) {
                wanted.insert(index)
            }
        }
        let damaged = try FrameBatch(access: access, leaf: leaf).failures(of: wanted)
        for index in wanted where damaged[index] == nil { goodFrames.insert(leaf.frames[index].fingerprint) }
        failures.merge(damaged) { first, _ in first }
        report.bytesRead += ByteCount(wanted.reduce(0) { $0 + leaf.frames[$1].storedLength })
        for (index, failure) in failures.sorted(by: { $0.key < $1.key }) {
            try note(failure, manifest.plan.id, key: repository.keys.pack(leaf.frames[index].pack))
        }
        return failures.isEmpty
    }

    /// Must this frame be read?
    private mutating func isWanted(_ frame: FramePointer) -> Bool {
        switch level {
        case .listing, .structure: false
        case .sample: isFirst(frame.pack)
        case .everything: !goodFrames.contains(frame.fingerprint)
        }
    }

    private mutating func isFirst(_ pack: PackName) -> Bool {
        guard sampledPacks.insert(pack).inserted else { return false }
        firstSeen.sampled.append(pack)
        return true
    }

    /// What the listing alone says against a frame.
    private func misplacement(_ frame: FramePointer, _ blocks: BlockRange) -> RepositoryFailure? {
        guard let size = packSizes[frame.pack] else {
            return .corrupt(
                object: repository.keys.pack(frame.pack), blocks: blocks, reason: "it is missing from the store")
        }
        guard frame.offset + frame.storedLength > size.bytes else { return nil }
        return access.corrupt(frame, blocks, "lies past the pack's end")
    }
}

extension Leaf {
    /// The blocks of the volume that a frame holds, from first to last.
    func blocks(of frame: Int) -> BlockRange {
        let held = runs.filter { $0.frame == frame }
        let origin = number * Limits.leafBlocks
        let start = held.first?.start ?? 0
        let end = held.last.map { $0.start + $0.count } ?? Limits.leafBlocks
        return BlockRange(from: BlockIndex(origin + start), to: BlockIndex(origin + end))
    }
}
