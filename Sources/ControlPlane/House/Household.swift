internal import Blocks
internal import Catalog
internal import ObjectStore
internal import Repository
internal import VolumeEngine

/// What all verbs share: one open data directory with everything that works on it.
final class Household: Sendable {
    let directory: DataDirectory
    let clock: any HouseClock
    let catalog: Catalog
    let door: StoreDoor
    let exports: any ExportBoard
    let environment: VolumeEnvironment
    let credentials: RootCredentials
    let keyRack: KeyRack
    let region: Region
    /// The other regions of the server, and this one.
    let neighbours: Neighbours
    /// One queue per volume or snapshot.
    let lanes = Lanes()
    let bulletin = Bulletin()
    let quiescing: QuiesceBoard
    /// For calls that block on the local disk.
    let local = BlockingPool(name: "local", limit: 8)
    /// For calls that block on the store.
    let remote = BlockingPool(name: "remote", limit: 8)
    let live = LiveVolumes()
    let desk: UploadDesk
    /// Copies that come here.
    let copies: Desk<CopyUpload>
    /// Snapshots that were written piece by piece, and the pieces of those that are being written.
    let writings: Desk<WrittenUpload>
    let pieces: PieceFiles
    /// Local copies of snapshots that are restored fast.
    let fast: FastCopies
    let runner: TaskRunner
    let hydrations: HydrationWatch
    let paces = VolumePaces()
    let promises = VolumePromises()
    let grown = GrownVolumes()
    /// Are volumes held to their profiles?
    let holdsPaces: Bool
    let care = Caretaker()
    let bin = BinKeeper()
    let tiers = TierKeeper()
    let releases = ReleaseKeeper()
    let meter = Meter()
    let inheritance = Inheritance()
    /// Are requests refused for coming too fast?
    let rates: Rates
    let requests = RequestMeter()
    let events: EventBook
    /// How long events are kept.
    let eventsKept: Duration
    let reclaims = Guarded(ReclaimTally())
    let scrub: Scrub
    let scheduler = Scheduler()
    private let uploadMemoryMax: ByteCount
    private let uploadsAtOnce: Int
    /// The wrapping keys that this process was given.
    let keyring: Keyring
    /// Tells whoever looks after the server.
    let notify: @Sendable (HouseNotice) -> Void

    init(
        _ plan: HousePlan, in region: Region, beside neighbours: Neighbours, directory: DataDirectory, catalog: Catalog,
        store: String, credentials: RootCredentials, keyRack: KeyRack, exports: any ExportBoard, keyring: Keyring
    ) {
        self.directory = directory
        self.catalog = catalog
        self.exports = exports
        self.credentials = credentials
        self.keyRack = keyRack
        self.region = region
        self.neighbours = neighbours
        quiescing = QuiesceBoard(bulletin, patience: plan.agentPatience)
        holdsPaces = plan.holdsPaces
        rates = plan.rates
        eventsKept = plan.eventsKept
        events = EventBook(refusalsPerMinute: plan.refusalsKept)
        self.keyring = keyring
        let notify = plan.onNotice ?? { _ in }
        self.notify = notify
        clock = plan.clock ?? SystemClock()
        environment = VolumeEnvironment(
            disk: directory.disk, clock: clock, bootID: plan.bootID ?? Machine.bootID(),
            overlayShare: plan.overlayShare, hydrationThreads: min(4, Machine.coreCount))
        door = StoreDoor(
            location: store, opener: plan.opener, catalog: catalog, clock: clock, keyring: keyring)
        desk = UploadDesk(atOnce: plan.uploadsAtOnce, clock: clock)
        copies = Desk(atOnce: Limits.copiesAtOnce, clock: clock)
        writings = Desk(atOnce: Limits.writingsAtOnce, clock: clock)
        pieces = PieceFiles(directory, clock: clock)
        fast = FastCopies(directory, clock: clock)
        runner = TaskRunner(catalog: catalog, clock: clock, bulletin: bulletin)
        hydrations = HydrationWatch()
        scrub = Scrub(Scrub.Plan(every: plan.scrubEvery, rateMax: plan.scrubRateMax))
        uploadMemoryMax = plan.uploadMemory
        uploadsAtOnce = plan.uploadsAtOnce
        let (uploads, copying, writing, fetching) = (desk, copies, writings, fast)
        door.meter.onTrouble { notify(.storeDegraded($0.reason)) }
        door.meter.onRecovery {
            notify(.storeRecovered)
            uploads.hurry()
            copying.hurry()
            writing.hurry()
            fetching.hurry()
        }
    }

    /// What a writer needs at least.
    static let uploadMemoryMin = ByteCount.mebibytes(64)
    /// What one upload may hold: all together, in all regions, stay below the limit of the server, or take the least they need.
    var uploadMemory: ByteCount {
        let uploads = uploadsAtOnce * max(1, neighbours.all.count)
        return max(Self.uploadMemoryMin, ByteCount(uploadMemoryMax.bytes / uploads))
    }

    /// How uploads and copies go, by snapshot. A view of a snapshot is made from this and the snapshot's record, read in this
    /// order (``Desk/uploads``).
    var courses: [String: UploadCourse] {
        desk.uploads.mapValues(\.course).merging(copies.uploads.mapValues(\.course)) { upload, _ in upload }
            .merging(writings.uploads.mapValues(\.course)) { upload, _ in upload }
    }

    /// The content of a snapshot, for a volume to be restored from or an export.
    func source(of snapshot: SnapshotRecord) -> SnapshotSource {
        SnapshotSource(
            snapshot.id, size: snapshot.volumeSize, dataKey: snapshot.dataKey, desk: desk, door: door, fast: fast)
    }

    /// The content of a snapshot for one volume to be restored from: with holes, if it may have any.
    func source(of snapshot: SnapshotRecord, for volume: VolumeRecord) -> any BlockSource {
        let whole = source(of: snapshot)
        guard let holes = volume.holes else { return whole }
        return HoleySource(whole, holes: holes) { [catalog, bulletin] more in
            try catalog.changeWaiting { session in
                guard let known = try session.volume(volume.id)?.holes else { return }
                try session.setHoles(known.joined(with: more), of: volume.id)
            }
            bulletin.announce(volume.id)
        }
    }

    /// Says that an object changed, to those who wait for it and to tasks that may go on.
    func announce(_ ids: String...) {
        for id in ids { bulletin.announce(id) }
        bulletin.announce(TaskRunner.anything)
    }

    /// A new task's record, to be inserted in the transaction that begins the operation.
    ///
    /// - Parameter account: whose it is; nil: the house's own.
    func newTask(
        _ kind: TaskView.Kind, about subject: String, of account: String?, argument: String? = nil
    ) -> TaskRecord {
        TaskRecord(
            id: Identifier.task.next(), kind: kind.rawValue, subjectID: subject, account: account, argument: argument,
            createdAt: clock.now())
    }

    /// The task's record once it has ended, for the transaction that ends the operation.
    func ended(_ task: TaskRecord, _ state: TaskRecord.State, _ reason: String? = nil) -> TaskRecord {
        precondition(state.isFinal)
        var task = task
        task.state = state
        task.lastError = reason ?? task.lastError
        task.updatedAt = clock.now()
        return task
    }

    /// What a volume says of itself. It may have to wait for a cut or a roll back to end.
    func status(of volume: Volume) async throws -> VolumeStatus { try await local.run { volume.status } }

    /// A volume's pending cuts, oldest first; may wait likewise.
    func cuts(of volume: Volume) async throws -> [CutView] { try await local.run { volume.pendingCuts } }

    /// The open volumes of which something holds.
    func openVolumes(
        where holds: @escaping @Sendable (String, VolumeStatus) -> Bool
    ) async throws -> [(id: String, volume: Volume)] {
        try await local.run { [live] in live.allOpen.filter { holds($0.id, $0.volume.status) } }
    }

    /// Stops everything in order: tasks, exports, uploads, volumes, catalog, lock.
    func close() async {
        bulletin.close()
        await bin.close()
        await pieces.stopWatching()
        await tiers.close()
        await releases.close()
        await meter.close()
        await inheritance.close()
        await grown.close()
        await scheduler.close()
        await runner.close()
        await hydrations.close()
        let open = live.removeAll()
        let offered = try? await catalog.change { try $0.volumeAttachments() + $0.snapshotExports() }
        for name in Set(open.map(\.id) + (offered ?? []).map(\.export)) { await exports.withdraw(name) }
        await BlockingPool.runAlone { [self] in
            scrub.close()
            fast.close()
            desk.close()
            copies.close()
            writings.close()
            // One that cannot be closed is not clean: opening it anew looks at everything.
            for (_, volume) in open { try? volume.close() }
            remote.close()
            local.close()
            pieces.close()
            catalog.close()
            directory.unlock()
        }
    }

    /// A volume's record, or ``ServiceError/Code/missing``. Nobody knows those that a roll back set aside, and what is in the bin
    /// is known there alone.
    func volumeRecord(_ id: String) async throws -> VolumeRecord {
        try Identifier.volume.check(id, .volume)
        guard let record = try await catalog.change({ try $0.volume(id) }), record.isPresent else {
            throw Self.noVolume(id)
        }
        return record
    }
    static func noVolume(_ id: String) -> ServiceError {
        ServiceError(.missing, .volume, "there is no volume \(id)")
    }

    /// The record of a snapshot that its owner has not deleted, or ``ServiceError/Code/missing``.
    func snapshotRecord(_ id: String) async throws -> SnapshotRecord {
        try Identifier.snapshot.check(id, .snapshot)
        let found = try await catalog.change { try $0.snapshot(id) }
        guard let found, found.isPresent else { throw Self.noSnapshot(id) }
        return found
    }
    static func noSnapshot(_ id: String) -> ServiceError {
        ServiceError(.missing, .snapshot, "there is no snapshot \(id)")
    }

    /// The record of a snapshot that volumes can be made of: completed or pending.
    func restorableSnapshot(_ id: String) async throws -> SnapshotRecord {
        let record = try await snapshotRecord(id)
        try record.mustHaveContent()
        try record.mustNotBeArchived(at: clock.now())
        return record
    }

    /// A completed snapshot's record, or why it cannot be used yet.
    func completedSnapshot(_ id: String, for caller: Caller) async throws -> SnapshotRecord {
        let record = try await snapshotRecord(id, for: caller)
        guard record.state == .completed else {
            throw ServiceError(
                .wrongState, .snapshot,
                "the snapshot \(id) is \(record.state.rawValue): wait until it is completed"
                    + (record.reason.map { " (\($0))" } ?? ""))
        }
        return record
    }
}

/// What reclaims freed since the start.
struct ReclaimTally: Sendable {
    var runs = 0
    var packs = 0
    var bytes = 0
}
