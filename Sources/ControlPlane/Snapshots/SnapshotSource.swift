internal import Blocks
internal import Repository
internal import VolumeEngine

/// A snapshot's content, wherever it is at the moment: in a local copy, if it is restored fast; else in the store once its
/// manifest is committed, before that spread over the volume it was taken of, the packs already uploaded, and its parent.
///
/// A local copy is asked for at each read, since it comes and goes; of one that is not as it was written, nothing is read any more,
/// and the store says the same.
///
/// A pending snapshot's block is, looked for in this order, again for each read because an upload moves it:
/// 1. frozen in the volume: the cut's view has it;
/// 2. not changed by the cut: the parent has it;
/// 3. captured: the upload has it in a pack that the store acknowledged;
/// 4. none of these: the upload ended between the questions, so ask anew.
final class SnapshotSource: BlockSource {
    private let id: String
    let size: ByteCount
    /// What it is encrypted with, and so are its parents.
    private let dataKey: String?
    private let desk: UploadDesk
    private let door: StoreDoor
    private let fast: FastCopies
    private struct State {
        var reader: SnapshotReader?
        var parent: SnapshotSource?
        var packReader: SnapshotWriter?
    }
    private let state = Guarded(State())

    init(_ id: String, size: ByteCount, dataKey: String?, desk: UploadDesk, door: StoreDoor, fast: FastCopies) {
        self.id = id
        self.size = size
        self.dataKey = dataKey
        self.desk = desk
        self.door = door
        self.fast = fast
    }

    private enum Place {
        case store(SnapshotReader)
        case upload(Upload)
    }

    /// Off the desk means committed, or given up: then the store has no such snapshot, and nobody has.
    private func place() throws(BlockFailure) -> Place {
        if let reader = state.withLock({ $0.reader }) { return .store(reader) }
        if let upload = desk.upload(of: id) { return .upload(upload) }
        do {
            let reader = try door.repository().reader(of: StoreDoor.id(id))
            state.withLock { state in
                state.reader = reader
                state.parent = nil
                state.packReader = nil
            }
            return .store(reader)
        } catch let failure as RepositoryFailure {
            if case .corrupt = failure { throw .corrupt(at: 0) }
            throw .unavailable
        } catch {
            throw .unavailable
        }
    }

    /// Of a committed one; an upload's changes and its parent's blocks overlap.
    var dataSize: ByteCount? {
        if let copy = fast[id] { return copy.dataSize }
        guard case .store(let reader)? = try? place() else { return nil }
        return reader.dataSize
    }

    func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        precondition(target.byteCount == blocks.count.size.bytes)
        if let copy = fast[id] {
            do throws(BlockFailure) { return try copy.read(blocks, into: &target) } catch {
                fast.distrust(copy, because: error)
            }
        }
        if case .store(let reader) = try place() { return try read(blocks, of: reader, into: &target) }
        for index in 0..<blocks.count.count {
            let start = BlockCount(index).size.bytes
            try target.withPart(start..<start + Block.size.bytes) { (part) throws(BlockFailure) in
                try readOne(blocks.start + BlockCount(index), into: &part)
            }
        }
    }

    /// A reader is not asked for what lies past its end: there a smaller parent is zeros.
    private func read(
        _ blocks: BlockRange, of reader: SnapshotReader, into target: inout MutableRawSpan
    ) throws(BlockFailure) {
        let end = BlockIndex(0) + BlockCount(covering: reader.size)
        if blocks.end <= end { return try readWhole(blocks, of: reader, into: &target) }
        target.fillWithZeros()
        guard let stored = blocks.intersection(BlockRange(from: 0, to: end)) else { return }
        try target.withPart(0..<stored.count.size.bytes) { (part) throws(BlockFailure) in
            try readWhole(stored, of: reader, into: &part)
        }
    }

    /// A snapshot that was healed has another manifest than the one that was opened: then once more.
    private func readWhole(
        _ blocks: BlockRange, of reader: SnapshotReader, into target: inout MutableRawSpan
    ) throws(BlockFailure) {
        do throws(BlockFailure) { try reader.read(blocks, into: &target) } catch {
            guard case .corrupt = error, let newer = reopened(reader) else { throw error }
            try newer.read(blocks, into: &target)
        }
    }

    private func reopened(_ reader: SnapshotReader) -> SnapshotReader? {
        guard let id = SnapshotID(id), let newer = try? door.repository().reader(of: id),
            newer.manifest.root != reader.manifest.root
        else { return nil }
        state.withLock { $0.reader = newer }
        return newer
    }

    /// How often a block may move between two questions: each move is a step of one upload, of which there are few.
    private static let tries = 100

    private func readOne(_ block: BlockIndex, into target: inout MutableRawSpan) throws(BlockFailure) {
        let wanted = BlockRange(at: block, count: 1)
        for _ in 0..<Self.tries {
            switch try place() {
            case .store(let reader): return try read(wanted, of: reader, into: &target)
            case .upload(let upload):
                if try upload.view.readIfFrozen(block, into: &target) { return }
                if upload.view.givenUpReason != nil { throw .unavailable }
                if try upload.view.nextChange(from: block)?.contains(block) != true {
                    guard let parent = parent(of: upload) else { return target.fillWithZeros() }
                    return try parent.read(wanted, into: &target)
                }
                if let writer = writer(of: upload), try writer.readUploaded(wanted, into: &target) { return }
            }
        }
        throw .unavailable
    }

    func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? {
        if let copy = fast[id] {
            do throws(BlockFailure) { return try copy.nextData(from: block) } catch {
                fast.distrust(copy, because: error)
            }
        }
        switch try place() {
        case .store(let reader): return try reader.nextData(from: block)
        case .upload(let upload):
            let changed = try upload.view.nextChange(from: block)
            guard let parent = parent(of: upload), let inherited = try parent.nextData(from: block)
            else { return changed }
            guard let changed else { return inherited }
            return changed.start <= inherited.start ? changed : inherited
        }
    }

    /// The writer at work; after a restart, until there is one, another that knows the packs recorded before it.
    private func writer(of upload: Upload) -> SnapshotWriter? {
        if let writer = upload.writer { return writer }
        if let known = state.withLock({ $0.packReader }) { return known }
        guard let id = SnapshotID(id), let repository = try? door.repository() else { return nil }
        let plan = SnapshotPlan(
            id: id, volume: upload.volume, parent: nil, created: WallTime(milliseconds: 0),
            dataKey: dataKey.flatMap { DataKeyID($0) })
        let made = try? repository.writer(plan, content: CutContent(upload.view))
        state.withLock { $0.packReader = made }
        return made
    }

    private func parent(of upload: Upload) -> SnapshotSource? {
        guard let parent = upload.view.parent else { return nil }
        return state.withLock { state in
            if let known = state.parent { return known }
            // A parent is as large as its child or smaller.
            let made = SnapshotSource(parent, size: size, dataKey: dataKey, desk: desk, door: door, fast: fast)
            state.parent = made
            return made
        }
    }
}
