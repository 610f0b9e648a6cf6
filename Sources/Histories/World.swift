internal import Blocks
internal import ObjectStore
internal import Repository
internal import Simulation
internal import VolumeEngine

/// Volumes and their snapshots on a simulated disk, store and clock, beside a model that knows what they must hold.
///
/// It does what the control plane does with engine and repository, in the order that the stories of `Tasks` tell.
final class World {
    static let unit = 512, perBlock = 8
    let history: History
    let platter: SimulatedDisk
    let fate: Fate
    let clock = ManualClock(passesSleeps: true)
    let store: any ObjectStore
    var repository: Repository
    var boot = 1

    /// Volumes in the order they were made.
    var disks: [ModelDisk] = []
    var snapshots: [String: ModelSnapshot] = [:]
    /// Uploads that will never end and must be forgotten by the store.
    var abandoned: Set<String> = []
    var made = 0
    /// Seconds that the wall clock was set back: what was stamped before waits for that much longer.
    var setBack = 0
    /// Where sources of restored volumes look for a snapshot: pending ones by their view, others in the store.
    let whereabouts = Whereabouts()
    /// The cuts of committed snapshots, until the process dies.
    var finished: [String: CutView] = [:]
    var written: UInt32 = 0
    var flight: Flight?
    /// What the step under way may leave behind if it is cut short.
    var underWay = UnderWay()
    var tally = Tally()

    struct UnderWay {
        var step: Step?
        var disk: ModelDisk?
        var image: Stamps?
        /// The snapshots being cut, by volume.
        var cuts: [String: ModelSnapshot] = [:]
        /// What a re-base makes the parent.
        var rebase: (disk: String, parent: String?)?
        var rollBack: String?
        var clone: String?
    }

    init(_ history: History) throws {
        self.history = history
        platter = SimulatedDisk(seed: history.seed)
        let fate = Fate(platter, seed: history.seed)
        self.fate = fate
        let stale = StaleStore(MemoryStore(clock: clock), clock: clock) { fate.lag() }
        let faulty = FaultyStore(stale) { [clock] call in
            clock.advance(by: fate.delay())
            return fate.fault(call)
        }
        let random = Guarded(SeededRandom(seed: history.seed))
        store = RetryingStore(faulty, patience: .init(attempts: 4), clock: clock) {
            random.withLock { Double($0.below(1000)) / 1000 }
        }
        repository = try Repository.openOrCreate(
            store, options: RepositoryOptions(frameCache: .mebibytes(4), clock: clock))
        try platter.makeDirectory("/volumes")
        try platter.syncDirectory("/")
        try make(Stamps(unit: Self.unit, count: History.units(history.seed)), from: nil, source: nil)
    }

    var environment: VolumeEnvironment {
        var environment = VolumeEnvironment(
            disk: platter.mount(), clock: clock, bootID: "boot-\(boot)", runsBackgroundWork: false)
        environment.overlayMinimum = .mebibytes(64)
        if let blocks = History.overlayBlocks(history.seed) {
            environment.overlayShare = 0
            environment.overlayMinimum = BlockCount(blocks).size
        }
        environment.freeSpaceFloor = .zero
        return environment
    }

    // MARK: Looking up

    func pick(_ position: Int) -> ModelDisk { disks[position % disks.count] }
    func disk(named name: String) -> ModelDisk? { disks.first { $0.name == name } }
    /// Oldest first.
    var committed: [ModelSnapshot] {
        snapshots.values.filter { $0.state == .committed }.sorted { $0.order < $1.order }
    }
    func image(_ snapshot: String?) throws -> Stamps? {
        guard let snapshot else { return nil }
        guard let known = snapshots[snapshot] else { throw Violation(.r3, "nobody took \(snapshot)") }
        return known.image
    }
    func id(_ snapshot: String) -> SnapshotID {
        guard let id = SnapshotID(snapshot) else { preconditionFailure("a name by construction") }
        return id
    }
    func bytes(_ range: Range<Int>) -> ByteRange {
        ByteRange(at: ByteOffset(range.lowerBound * Self.unit), count: ByteCount(range.count * Self.unit))
    }
    /// The part of a volume that a step means.
    func range(_ disk: ModelDisk, _ unit: Int, _ count: Int) -> Range<Int> {
        let start = unit % disk.sectors
        return start..<min(disk.sectors, start + max(1, count))
    }
    func contents(_ disk: ModelDisk) throws -> [UInt32?] {
        var bytes = [UInt8](repeating: 0xee, count: disk.sectors * Self.unit)
        let range = self.bytes(0..<disk.sectors)
        try bytes.writeBytes { (span) throws(BlockFailure) in try disk.live.read(range, into: &span) }
        return Stamps.decode(bytes, at: 0, unit: Self.unit)
    }

    // MARK: Making volumes

    /// The source of a volume's absent blocks, by name.
    func source(_ snapshot: String) throws -> any BlockSource {
        guard let known = snapshots[snapshot] else { throw Violation(.r1, "the source \(snapshot) is unknown") }
        return SnapshotSource(snapshot, size: ByteCount(known.image.numbers.count * Self.unit), in: self)
    }

    func make(_ content: Stamps, from snapshot: String?, source: (any BlockSource)?) throws {
        made += 1
        let disk = ModelDisk("vol-\(made)", content, parent: snapshot)
        underWay.clone = disk.name
        let plan = NewVolume(size: ByteCount(content.numbers.count * Self.unit), source: snapshot, parent: snapshot)
        let environment = environment
        try Volume.create(plan, at: disk.directory, in: environment)
        disk.volume = try Volume.open(at: disk.directory, in: environment, source: source)
        disks.append(disk)
        underWay.clone = nil
    }

    func clone(_ snapshot: String) throws {
        guard disks.count < 4, let known = snapshots[snapshot], known.either.isEmpty else { return }
        try make(known.image, from: snapshot, source: try source(snapshot))
    }

    /// Only a volume that nobody's content comes from, and with no snapshot on its way.
    func destroy(_ disk: ModelDisk) throws {
        guard disk !== disks[0], disk.cuts.isEmpty else { return }
        try disk.live.close()
        disk.volume = nil
        disks.removeAll { $0 === disk }
        underWay.clone = disk.name
        try Volume.destroy(at: disk.directory, in: environment)
        underWay.clone = nil
    }
}
