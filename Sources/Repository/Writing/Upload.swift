internal import Blocks
internal import Synchronization

/// What the threads of one upload share.
final class Upload: Sendable {
    let content: any SnapshotContent
    let options: UploadOptions
    let access: PackAccess
    let parentTree: Tree
    let parentSize: ByteCount
    let uploaded: UploadedBlocks
    let leaves: LeafQueue
    let sink: PackSink
    let tidying: Tidying
    private let meter: UploadMeter
    private let stopReason: @Sendable () -> RepositoryFailure?
    private let result = Guarded(Outcome())

    /// What the workers found.
    struct Outcome {
        var leaves: [Int: FramePointer?] = [:]
        var ledger = Ledger()
    }

    init(
        content: any SnapshotContent, options: UploadOptions, access: PackAccess, parent: Manifest?,
        uploaded: UploadedBlocks, sink: PackSink, meter: UploadMeter,
        stopReason: @escaping @Sendable () -> RepositoryFailure?
    ) {
        self.content = content
        self.options = options
        self.access = access
        self.uploaded = uploaded
        self.sink = sink
        self.meter = meter
        self.stopReason = stopReason
        parentTree = Tree(root: parent?.root, access: access)
        parentSize = parent?.size ?? .zero
        leaves = LeafQueue(
            content: content, parent: parentTree, parentSize: parentSize,
            uploaded: Self.visits(uploaded, distrusting: options.distrusted, of: content.size))
        tidying = Tidying { sink.storedBytes / Block.size.bytes }
    }

    /// Leaves to visit even if nothing changed in them: with blocks captured before, or with damaged frames.
    private static func visits(
        _ uploaded: UploadedBlocks, distrusting damaged: [BlockRange], of size: ByteCount
    ) -> [Int] {
        var leaves = Set(uploaded.leavesSorted())
        let end = BlockIndex(0) + BlockCount(covering: size)
        for run in damaged {
            guard let part = run.intersection(BlockRange(from: 0, to: end)) else { continue }
            leaves.formUnion(part.start.number / Limits.leafBlocks...(part.end.number - 1) / Limits.leafBlocks)
        }
        return leaves.sorted()
    }

    /// Throws if the upload was cancelled or its content given up.
    func checkGood() throws(RepositoryFailure) {
        if let reason = stopReason() { throw reason }
    }

    /// What a failure of the content means: the volume may have said why.
    func contentFailure(_ failure: BlockFailure) -> RepositoryFailure { stopReason() ?? .content(failure) }

    func record(_ leaf: Int, _ pointer: FramePointer?, _ book: (inout Ledger) -> Void) {
        result.withLock { result in
            result.leaves[leaf] = .some(pointer)
            book(&result.ledger)
        }
    }

    func putNode(
        _ plain: [UInt8], _ what: PackFooter.What, _ coder: FrameCoder
    ) throws(RepositoryFailure) -> FramePointer {
        var stored: [UInt8] = []
        let codec = plain.readBytes { coder.encode($0, onto: &stored) }
        // What a snapshot needs of the store must be known to a reclaim without keys: the table stays in the clear.
        let access = what == .table ? access.opened(with: nil) : access
        let frame = EncodedFrame(
            place: 0..<stored.count, plainLength: plain.count, codec: access.codec(codec),
            digest: plain.readBytes(0..<plain.count) { access.digest(of: $0) }, what: what)
        return try sink.append(node: frame, stored)
    }

    // MARK: Threads

    /// Reads, compresses and puts everything; returns when all packs are durable and recorded.
    func run(workers: Int, putters: Int) throws(RepositoryFailure) -> Outcome {
        let putting = (0..<putters).map { _ in
            OSThread(name: "varve-put", isBackground: options.isBackground) { self.putPacks() }
        }
        let working = (0..<workers).map { _ in
            OSThread(name: "varve-upload", isBackground: options.isBackground) {
                do throws(RepositoryFailure) { try LeafWorker(self).run() } catch { self.sink.fail(error) }
            }
        }
        for thread in working { thread.join() }
        defer {
            sink.close()
            for thread in putting { thread.join() }
        }
        try sink.flush()
        return result.withLock { $0 }
    }

    private func putPacks() {
        while var pack = sink.takePack() {
            do throws(RepositoryFailure) {
                try checkGood()
                // Here, in parallel, without a lock and in place: nobody else holds the pack any more.
                access.cipher?.seal(&pack)
                try put(pack)
                sink.packDone()
            } catch { sink.fail(error) }
        }
    }

    /// Puts one pack, and only then lets the volume forget its blocks.
    func put(_ pack: SealedPack) throws(RepositoryFailure) {
        let key = access.keys.pack(pack.footer.name)
        precondition(pack.sealedFooter == nil, "what must be encrypted is")
        guard try access.putOnce(pack.bytes, at: key) else {
            throw .corrupt(object: key, blocks: nil, reason: "another upload put a pack of this number")
        }
        Failpoint.hit(pack.isData ? "upload.pack.put" : "upload.nodes.put")
        if pack.isData {
            // First readable from here, then no longer frozen there: a clone always finds a block in one of the two.
            uploaded.add(pack)
            do { try content.captured(pack: pack.footer.name.number, runs: pack.runs) } catch {
                throw contentFailure(error)
            }
            Failpoint.hit("upload.pack.recorded")
        }
        meter.add(captured: pack.markedBlocks * Block.size.bytes, stored: pack.bytes.count)
    }
}
