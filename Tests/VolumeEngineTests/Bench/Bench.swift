import Blocks
import Simulation
import Testing
import VolumeEngine

/// A volume on a simulated disk beside a model that knows what it must hold.
///
/// The model keeps, for each unit, what it holds and every content it may show after power loss (all since the last flush
/// that covers it), and for each snapshot the image at its cut. One thread; settling and hydrating are steps.
final class Bench {
    static let directory = "/volumes/vol-1"
    let disk: SimulatedDisk
    let unit: Int
    var volume: Volume?
    var boot = 1

    /// What the volume holds.
    var now: Stamps
    /// For each unit, everything it may show after power loss; the last one is what it holds.
    var survivors: [[UInt32]]
    /// Images of all snapshots, also of those that were never finished.
    var images: [String: Stamps] = [:]
    struct Pending {
        var snapshot: String
        var parent: String?
        var captured: Set<Int> = []
        var isFinished = false
    }
    var pending: [Pending] = []
    /// Finished snapshots, oldest first: what can be rolled back to.
    var committed: [String] = []
    /// What the newest epoch counts from when nothing is pending.
    var parent: String?
    var written: UInt32 = 0
    var snapshots = 0
    /// The step under way, and the content it may leave if it is cut short.
    var underWay: BenchStep?
    var underWayImage: Stamps?
    var underWayCapture: (snapshot: String, blocks: Set<Int>)?
    /// What happened, for the report of a failure.
    var story: [String] = []
    /// Was the volume made, and so promised?
    var isMade = false
    /// May the engine give snapshots up (a full disk, the quota)?
    var mayGiveUp = false
    /// A check failed: the model is of no use any more.
    var hasFailed = false

    init(units: Int, unit: Int = 512, disk: SimulatedDisk = SimulatedDisk()) {
        self.disk = disk
        self.unit = unit
        now = Stamps(unit: unit, count: units)
        survivors = [[UInt32]](repeating: [0], count: units)
    }

    var overlayMinimum: ByteCount = .mebibytes(16)
    var freeSpaceFloor: ByteCount = .zero
    var environment: VolumeEnvironment {
        var environment = VolumeEnvironment(
            disk: disk.mount(), clock: ManualClock(passesSleeps: true), bootID: "boot-\(boot)",
            runsBackgroundWork: false)
        environment.overlayMinimum = overlayMinimum
        environment.freeSpaceFloor = freeSpaceFloor
        return environment
    }
    var live: Volume {
        guard let volume else { preconditionFailure("no volume is open") }
        return volume
    }
    /// The newest snapshot that changes count from.
    var currentParent: String? { pending.last?.snapshot ?? parent }

    // MARK: Life

    /// Makes the volume, empty or restored from an image.
    func start(from source: Stamps? = nil) throws {
        try disk.makeDirectory("/volumes")
        try disk.syncDirectory("/")
        if let source {
            images["snap-source"] = source
            committed.append("snap-source")
            parent = "snap-source"
            now = source.resized(to: now.numbers.count)
            survivors = now.numbers.map { [$0] }
        }
        let name = source.map { _ in "snap-source" }
        let plan = NewVolume(size: ByteCount(now.numbers.count * unit), source: name, parent: name)
        try Volume.create(plan, at: Self.directory, in: environment)
        isMade = true
        try open()
    }

    func open() throws {
        let environment = environment
        let source = try Volume.sourceOfVolume(at: Self.directory, in: environment)
        volume = try Volume.open(
            at: Self.directory, in: environment,
            source: source.flatMap { images[$0] }.map(StampedSource.init))
    }

    // MARK: Looking

    func contents() throws -> [UInt32?] {
        let count = now.numbers.count
        var bytes = [UInt8](repeating: 0xee, count: count * unit)
        try bytes.writeBytes { (span) throws(BlockFailure) in
            try live.read(ByteRange(at: 0, count: ByteCount(count * unit)), into: &span)
        }
        return Stamps.decode(bytes, at: 0, unit: unit)
    }

    /// The blocks that count as changed.
    func changedBlocks() throws -> Set<Int> {
        let size = live.size
        var found: Set<Int> = [], position: ByteOffset = 0
        while position.bytes < size.bytes {
            let range = ByteRange(from: position, to: ByteOffset(size.bytes))
            guard let extents = try live.changes(in: range), let last = extents.last else { break }
            for extent in extents where extent.isSet {
                found.formUnion(extent.range.start.bytes / 4096..<(extent.range.end.bytes + 4095) / 4096)
            }
            position = last.range.end
        }
        return found
    }

    func bytes(_ unit: Int, _ count: Int) -> ByteRange {
        ByteRange(at: ByteOffset(unit * self.unit), count: ByteCount(count * self.unit))
    }
}
