public import Blocks
internal import Synchronization

/// A live volume: a raw file with the current content, and just enough beside it to take snapshots without stopping
/// the writer.
///
/// Reads, writes, zeroes, trims and flushes come from any thread and take no lock on the steady path. What changes the
/// layers (cut, settle, grow, roll back, close) is serialised by `control`, and publishes a new ``Generation``; see
/// ``Admission`` for how the two meet. Guarantees G1 to G7 and the arguments for them are in docs/internals/volume-engine.md.
///
/// Lock order: `settling` before `control` before `giving`; stripe locks are leaves except that a writer holding one
/// may take `giving`; nobody waits for a drain while holding a stripe lock or a ticket.
public final class Volume: BlockDevice {
    let environment: VolumeEnvironment
    let paths: VolumePaths
    let admission: Admission
    let locks = StripeLocks()
    let gate = FlushGate()
    /// What the control operations change: the durable record.
    let control: Guarded<Control>
    /// Held while the list of cuts, or whether one was given up, changes; by writers too, briefly.
    let giving = Guarded(())
    /// Held by whoever settles, so that one does at a time.
    let settling = Guarded(())
    let background = Guarded(Background())
    let cutTally = Guarded(CutTally())
    /// See ``setAside``.
    let aside = Guarded<[WeakVolume]>([])
    /// Blocks redirected so far, to pace looking at the free space.
    let redirected = Atomic<Int>(0)
    private let sizeBytes: Atomic<Int>
    private let failure = Atomic(false)

    struct Control {
        var record: VolumeRecord
        var isClosed = false
        /// The generation that was published last.
        var generation: Generation
    }

    init(
        _ environment: VolumeEnvironment, _ paths: VolumePaths, _ record: VolumeRecord, _ first: Generation
    ) {
        self.environment = environment
        self.paths = paths
        admission = Admission(first)
        sizeBytes = Atomic(record.size)
        control = Guarded(Control(record: record, generation: first))
    }

    /// The size guests see; it only grows.
    public var size: ByteCount { ByteCount(sizeBytes.load(ordering: .acquiring)) }
    func setSize(_ size: ByteCount) { sizeBytes.store(size.bytes, ordering: .releasing) }
    /// Live volumes take writes.
    public var isReadOnly: Bool { false }

    /// Did a sync fail? From then on writes and flushes fail: the kernel may have dropped what it could not write.
    public var isFailed: Bool { failure.load(ordering: .sequentiallyConsistent) }
    func note(_ error: BlockFailure) {
        switch error {
        case .io, .failed: failure.store(true, ordering: .sequentiallyConsistent)
        case .noSpace: giveUpAside("the disk is full")
        case .outOfRange, .readOnly, .corrupt, .unavailable, .unsupported: break
        }
    }
    /// Any failure of a sync is for ever, whatever its reason: what the kernel could not write it may have dropped.
    func failing(_ sync: () throws(BlockFailure) -> Void) throws(BlockFailure) {
        do throws(BlockFailure) { try sync() } catch {
            note(.failed)
            throw error
        }
    }
    func noting(_ body: () throws(BlockFailure) -> Void) throws(BlockFailure) {
        do { try body() } catch {
            note(error)
            throw error
        }
    }

    /// Overlays of all pending snapshots together may take this much.
    var overlayQuota: ByteCount {
        max(ByteCount(Int(Double(size.bytes) * environment.overlayShare)), environment.overlayMinimum)
    }

    /// Makes everything acknowledged so far durable: home, and each overlay written since its last sync.
    public func flush() throws(BlockFailure) {
        if isFailed { throw .failed }
        try gate.flush { () throws(BlockFailure) in
            try self.failing { () throws(BlockFailure) in try self.syncLayers() }
        }
        // A flush that shared another's sync learns of its failure here.
        if isFailed { throw .failed }
    }

    private func syncLayers() throws(BlockFailure) {
        let ticket = admission.enter()
        let generation = admission.generation(ticket)
        let home = generation.home
        let overlays = generation.cuts.map(\.overlay)
        // A cut settled meanwhile has its blocks in home, durably; its overlay may then be synced for nothing.
        admission.leave(ticket)
        for overlay in overlays { try overlay.sync() }
        try home.sync()
    }

    /// Replaces the durable record, and the one in memory only if that succeeded. The control lock is held.
    func change(_ control: inout Control, _ edit: (inout VolumeRecord) -> Void) throws(VolumeFailure) {
        var next = control.record
        edit(&next)
        try RecordFile.write(next, to: paths.record, on: environment.disk)
        control.record = next
    }

    /// What there is to say right now.
    public var status: VolumeStatus {
        let generation = control.withLock { $0.generation }
        let record = control.withLock { $0.record }
        let hydration = generation.hydration
        let progress = hydration?.progress.withLock { $0 }
        let overlay = generation.cuts.reduce(ByteCount.zero) { $0 + $1.overlay.size }
        let facts = try? environment.disk.facts(paths.home(record.home))
        let end = BlockIndex(0) + BlockCount(covering: size)
        return VolumeStatus(
            size: size, allocated: (facts?.allocated ?? .zero) + overlay,
            dirty: min(size, generation.dirty.count(below: end).size), parent: Self.parent(generation, record),
            source: hydration?.snapshot, hydrated: progress?.hydrated ?? .zero, toHydrate: progress?.total ?? .zero,
            hydrationLeft: progress?.left(at: environment.clock.uptime()), hydrationProblem: progress?.problem,
            isSourceDamaged: progress?.isDamaged ?? false, pendingSnapshots: generation.cuts.map(\.snapshot),
            overlay: overlay,
            cuts: cutTally.withLock { $0 }, isFailed: isFailed)
    }

    /// The snapshot that the newest epoch's changes count from: the newest cut that was not given up, else the record's.
    static func parent(_ generation: Generation, _ record: VolumeRecord) -> String? {
        generation.cuts.last { !$0.isGivenUp }?.snapshot ?? record.parent
    }
}
