public import Blocks
internal import ObjectStore
internal import Synchronization

/// Uploads one snapshot and commits it. Made by ``Repository/writer(_:content:options:)``; used for one run.
///
/// 1. Pin: put `uploads/<id>`, which names the parent; check that the parent is still there.
/// 2. Packs of frames; after each acknowledged one, `content.captured`.
/// 3. Nodes; subtrees without change are the parent's, by pointer.
/// 4. Audit: a few blocks that claim to be unchanged are read again and compared with the parent's.
/// 5. Check again: not cancelled, content not broken, parent still there. Put the manifest: the commit.
/// 6. Remove the pin.
///
/// A crash or a failure before 5 leaves no snapshot; the next run with the same plan and content resumes: packs that
/// the content recorded are not sent again, and no pack number is used twice.
public final class SnapshotWriter: Sendable {
    /// What is being uploaded.
    public let plan: SnapshotPlan
    private let repository: Repository
    /// The way to what is encrypted under the plan's data key, or in the clear.
    private let access: PackAccess
    private let content: any SnapshotContent
    private let options: UploadOptions
    private let uploaded: UploadedBlocks
    private let meter: UploadMeter
    private let isCancelled = Atomic(false)
    private let hasRun = Atomic(false)
    private let parentReader = Guarded<SnapshotReader?>(nil)

    init(
        _ repository: Repository, _ plan: SnapshotPlan, _ content: any SnapshotContent, _ options: UploadOptions,
        _ access: PackAccess
    ) {
        self.access = access
        self.repository = repository
        self.plan = plan
        self.content = content
        self.options = options
        uploaded = UploadedBlocks(snapshot: plan.id, recorded: content.capturedPacks, access: access)
        meter = UploadMeter(clock: repository.options.clock, report: options.progress)
    }

    /// Uploads and commits; blocks until then. Call from an ``OSThread``, once.
    ///
    /// If the manifest of this snapshot exists already (a commit whose answer was lost), returns it.
    public func run() throws(RepositoryFailure) -> Manifest {
        let isFirst = hasRun.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged
        precondition(isFirst, "a writer runs once; make another to resume")
        if let committed = try committedBefore() { return committed }
        try checkGood()
        let parent = try pin()
        let recorded = content.capturedPacks
        let sizes = try packSizes(recorded)
        let memory = Memory(options)
        let sink = PackSink(
            snapshot: plan.id, firstNumber: (sizes.keys.max() ?? 0) + 1, queueMax: memory.packs,
            isSealed: access.cipher != nil)
        let upload = Upload(
            content: content, options: options, access: access, parent: parent, uploaded: uploaded,
            sink: sink, meter: meter, stopReason: { self.stopReason })
        let captured = recorded.reduce(0) { $0 + $1.runs.reduce(0) { $0 + $1.bytes.count.bytes } }
        meter.begin(total: try upload.leaves.total(), captured: captured)
        let outcome = try upload.run(workers: memory.workers, putters: min(4, memory.packs))
        let manifest = try SnapshotAssembly(
            upload: upload, plan: plan, parent: parent, repository: repository, sizes: sizes
        ).run(outcome)
        if let parent { try Audit(upload: upload, parent: parent).run() }
        try commit(manifest)
        meter.finish()
        return manifest
    }

    /// Makes ``run()`` end soon with ``RepositoryFailure/cancelled``. After the commit it does nothing. Any thread.
    public func cancel() { isCancelled.store(true, ordering: .relaxed) }

    /// The latest progress. Any thread.
    public var progress: UploadProgress { meter.progress }

    /// Fills `target` with `blocks` of the snapshot being uploaded, from packs that the store has acknowledged.
    ///
    /// - Returns: false if one of them was not captured yet; `target` may then be partly filled. Read it from the
    ///   volume's frozen view instead, and ask again if that says that it was captured meanwhile.
    public func readUploaded(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool {
        precondition(target.byteCount == blocks.count.size.bytes)
        do throws(RepositoryFailure) {
            for part in LeafParts(blocks) {
                guard try readUploaded(part, from: blocks.start, into: &target) else { return false }
            }
            return true
        } catch { throw error.blockFailure(at: blocks.start) }
    }

    // MARK: Steps

    private func committedBefore() throws(RepositoryFailure) -> Manifest? {
        guard let bytes = try repository.access.object(repository.keys.manifest(plan.id)) else { return nil }
        let manifest = try repository.decodeManifest(bytes, plan.id)
        guard manifest.plan == plan, manifest.size == content.size else { throw .alreadyExists(plan.id) }
        _ = try repository.access(for: manifest)
        try repository.access.delete([repository.keys.upload(plan.id)])
        meter.finish()
        return manifest
    }

    private var stopReason: RepositoryFailure? {
        if isCancelled.load(ordering: .relaxed) { return .cancelled }
        return content.brokenReason.map { .broken($0) }
    }

    private func checkGood() throws(RepositoryFailure) {
        if let reason = stopReason { throw reason }
    }

    /// Makes the upload visible to reclaim, and returns the parent's manifest.
    ///
    /// A parent that is only in the trash is good enough for an upload that was pinned before: reclaim keeps the
    /// parent of a pinned upload. A new upload must find it among the snapshots *after* its pin is there; then reclaim,
    /// which looks at pins in each of two passes, cannot have missed it.
    private func pin() throws(RepositoryFailure) -> Manifest? {
        let key = repository.keys.upload(plan.id)
        let before = try repository.access.object(key).map { bytes throws(RepositoryFailure) in
            try repository.decodePin(bytes, plan.id)
        }
        if let before, before.parent != plan.parent, !content.capturedPacks.isEmpty {
            throw .invalid(
                "the upload of \(plan.id) was begun on another parent; cancel the snapshot and take a new one")
        }
        let isPinned = before != nil && before?.parent == plan.parent
        if !isPinned {
            let pin = UploadPin(
                snapshot: plan.id, parent: plan.parent, volume: plan.volume, started: repository.options.clock.now())
            try repository.access.put(pin.encoded(), at: key)
        }
        guard let parent = plan.parent else { return nil }
        guard let manifest = try repository.findManifest(parent, alsoTrashed: isPinned) else {
            throw .parentGone(parent)
        }
        // A child shares its parent's frames, so it has its key; and content never slips out of encryption unnoticed.
        guard manifest.plan.dataKey == plan.dataKey else {
            throw .invalid(
                "\(plan.id) is to be encrypted with \(plan.dataKey?.text ?? "no key"), its parent \(parent) is with "
                    + "\(manifest.plan.dataKey?.text ?? "none"): take a full snapshot")
        }
        _ = try repository.access(for: manifest)
        return manifest
    }

    /// The sizes of this snapshot's packs in the store, by number: all of them, recorded or not.
    private func packSizes(_ recorded: [CapturedPack]) throws(RepositoryFailure) -> [Int: Int] {
        var sizes: [Int: Int] = [:]
        try repository.access.list(repository.keys.packs(of: plan.id)) { entry in
            if let name = repository.keys.packName(entry.key) { sizes[name.number] = entry.size.bytes }
        }
        for pack in recorded where sizes[pack.number] == nil {
            let key = repository.keys.pack(PackName(plan.id, pack.number))
            throw .corrupt(object: key, blocks: nil, reason: "it was put, but is missing from the store")
        }
        return sizes
    }

    /// The commit. Afterwards the snapshot exists, whatever becomes of this process.
    private func commit(_ manifest: Manifest) throws(RepositoryFailure) {
        try checkGood()
        try checkPinned()
        Failpoint.hit("upload.manifest.before")
        let key = repository.keys.manifest(plan.id)
        guard try repository.access.putOnce(manifest.encoded(access.cipher), at: key) else {
            throw .alreadyExists(plan.id)
        }
        // A process that slept through the grace period between check and commit takes its word back.
        do { try checkPinned() } catch {
            switch error {
            case .parentGone, .cancelled: try repository.access.delete([key])
            default: break
            }
            throw error
        }
        Failpoint.hit("upload.manifest.after")
        try repository.access.delete([repository.keys.upload(plan.id)])
    }

    /// The pin is still there, and what it protects.
    private func checkPinned() throws(RepositoryFailure) {
        guard try repository.access.object(repository.keys.upload(plan.id)) != nil else { throw .cancelled }
        guard let parent = plan.parent else { return }
        guard try repository.findManifest(parent, alsoTrashed: true) != nil else { throw .parentGone(parent) }
    }

    // MARK: Reading what is uploaded

    private func readUploaded(
        _ part: LeafParts.Part, from origin: BlockIndex, into target: inout MutableRawSpan
    ) throws(RepositoryFailure) -> Bool {
        let facts = try uploaded.facts(of: part.leaf)
        guard !facts.places.isEmpty else { return false }
        let size = Block.size.bytes
        let leafStart = part.leaf * Limits.leafBlocks
        for number in part.blocks.start.number..<part.blocks.end.number {
            let at = (number - origin.number) * size
            switch facts.places[number - leafStart] {
            case .unknown: return false
            case .zero: target.zero(at..<at + size)
            case .same: try readFromParent(BlockIndex(number), at, &target)
            case .frame(let frame, let first):
                let plain = try frameBytes(facts.frames[frame], BlockIndex(number))
                target.copy(plain, first * size..<(first + 1) * size, to: at)
            }
        }
        return true
    }

    private func frameBytes(_ pointer: FramePointer, _ block: BlockIndex) throws(RepositoryFailure) -> [UInt8] {
        if let known = access.cachedFrame(pointer) { return known }
        let plain = try access.plain(of: pointer, blocks: BlockRange(at: block, count: 1))
        access.keep(plain, of: pointer)
        return plain
    }

    private func readFromParent(
        _ block: BlockIndex, _ at: Int, _ target: inout MutableRawSpan
    ) throws(RepositoryFailure) {
        guard let parent = plan.parent else { throw .invalid("a block like the parent's, without a parent") }
        var reader = parentReader.withLock { $0 }
        if reader == nil {
            guard let manifest = try repository.findManifest(parent, alsoTrashed: true) else {
                throw .parentGone(parent)
            }
            let opened = SnapshotReader(manifest: manifest, access: try repository.access(for: manifest))
            parentReader.withLock { $0 = opened }
            reader = opened
        }
        var plain = [UInt8](repeating: 0, count: Block.size.bytes)
        do throws(BlockFailure) {
            try plain.writeBytes { (span) throws(BlockFailure) in
                try reader?.read(BlockRange(at: block, count: 1), into: &span)
            }
        } catch { throw .content(error) }
        target.copy(plain, 0..<plain.count, to: at)
    }

    /// How an upload divides its memory: workers first, the rest for packs on their way.
    private struct Memory {
        let workers: Int
        let packs: Int

        init(_ options: UploadOptions) {
            let total = max(options.memory.bytes, 64 << 20)
            let pack = Limits.packBytes + (2 << 20)
            let wanted = max(1, options.workers ?? Machine.coreCount)
            workers = max(1, min(wanted, total / 2 / LeafWorker.memory))
            packs = max(1, (total - workers * LeafWorker.memory - 2 * pack) / pack)
        }
    }
}
