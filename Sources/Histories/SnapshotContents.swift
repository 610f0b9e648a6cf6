internal import Blocks
internal import Repository
internal import VolumeEngine

/// A pending cut as the repository's writer reads it.
final class CutContent: SnapshotContent {
    private let view: CutView
    init(_ view: CutView) { self.view = view }

    var size: ByteCount { view.size }
    var brokenReason: String? { view.givenUpReason }
    var capturedPacks: [StoredPack] {
        view.capturedPacks.map { StoredPack(number: $0.pack, runs: $0.runs) }
    }
    func nextChange(from block: BlockIndex) throws(BlockFailure) -> BlockRange? { try view.nextChange(from: block) }
    func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? { try view.nextData(from: block) }
    func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        try view.read(blocks, into: &target)
    }
    func readIfUnchanged(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool {
        try view.readIfUnchanged(blocks, into: &target)
    }
    func takeHotBlock() -> BlockIndex? { view.takeHotBlock() }
    func captured(pack: Int, runs: [BlockRange]) throws(BlockFailure) { try view.captured(pack: pack, runs: runs) }
}

/// Where snapshots are, for whoever reads one while it moves from a volume to the store.
final class Whereabouts: Sendable {
    struct State: Sendable {
        var views: [String: CutView] = [:]
        var repository: Repository?
    }
    let state = Guarded(State())

    func view(_ snapshot: String) -> CutView? { state.withLock { $0.views[snapshot] } }
    var repository: Repository? { state.withLock { $0.repository } }
}

/// A snapshot's content, wherever it is at the moment: the store, or spread over the volume it was taken of, its packs
/// so far, and its parent.
final class SnapshotSource: BlockSource {
    private let id: String
    let size: ByteCount
    private let whereabouts: Whereabouts

    init(_ id: String, size: ByteCount, in world: World) {
        self.id = id
        self.size = size
        whereabouts = world.whereabouts
    }
    private init(_ id: String, _ size: ByteCount, _ whereabouts: Whereabouts) {
        self.id = id
        self.size = size
        self.whereabouts = whereabouts
    }

    private func reader() throws(BlockFailure) -> SnapshotReader {
        guard let repository = whereabouts.repository, let id = SnapshotID(id) else { throw .unavailable }
        do { return try repository.reader(of: id) } catch { throw .unavailable }
    }

    func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        for index in 0..<blocks.count.count {
            let start = index * Block.size.bytes
            try target.withPart(start..<start + Block.size.bytes) { (part) throws(BlockFailure) in
                try readOne(blocks.start + BlockCount(index), into: &part)
            }
        }
    }

    private func readOne(_ block: BlockIndex, into target: inout MutableRawSpan) throws(BlockFailure) {
        target.fillWithZeros()
        guard block.offset.bytes < size.bytes else { return }
        let wanted = BlockRange(at: block, count: 1)
        for _ in 0..<100 {
            guard let view = whereabouts.view(id) else {
                let reader = try reader()
                if block.offset.bytes < reader.size.bytes { try reader.read(wanted, into: &target) }
                return
            }
            if try view.readIfFrozen(block, into: &target) { return }
            if view.givenUpReason != nil { throw .unavailable }
            if try view.nextChange(from: block)?.contains(block) != true {
                guard let parent = view.parent else { return target.fillWithZeros() }
                return try SnapshotSource(parent, size, whereabouts).readOne(block, into: &target)
            }
            if try readUploaded(view, wanted, into: &target) { return }
        }
        throw .unavailable
    }

    private func readUploaded(
        _ view: CutView, _ wanted: BlockRange, into target: inout MutableRawSpan
    ) throws(BlockFailure) -> Bool {
        guard let repository = whereabouts.repository, let id = SnapshotID(id) else { throw .unavailable }
        let parent = view.parent.flatMap { SnapshotID($0) }
        let plan = SnapshotPlan(id: id, volume: "", parent: parent, created: WallTime(milliseconds: 0))
        guard let writer = try? repository.writer(plan, content: CutContent(view)) else { throw .unavailable }
        return try writer.readUploaded(wanted, into: &target)
    }

    func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? {
        guard block.offset.bytes < size.bytes else { return nil }
        guard let view = whereabouts.view(id) else { return try reader().nextData(from: block) }
        let changed = try view.nextChange(from: block)
        guard let parent = view.parent,
            let inherited = try SnapshotSource(parent, size, whereabouts).nextData(from: block)
        else { return changed }
        guard let changed else { return inherited }
        return changed.start <= inherited.start ? changed : inherited
    }
}
