public import Blocks
public import ObjectStore

/// The snapshots of a region, in an object store: packs, nodes, manifests. See docs/formats.md.
///
/// All calls block on the store: call from an ``OSThread``, never from a task. Thread-safe. Several processes may use
/// one store; the store's conditional put keeps commits apart.
public final class Repository: Sendable {
    /// What distinguishes this repository from any other.
    public let id: String
    let store: any ObjectStore
    let options: RepositoryOptions

    init(id: String, store: any ObjectStore, options: RepositoryOptions) {
        self.id = id
        self.store = store
        self.options = options
    }

    /// Opens the repository in `store`.
    ///
    /// - Throws: ``RepositoryFailure/notARepository(_:)`` if there is none or it is damaged,
    ///   ``RepositoryFailure/newerFormat(found:supported:)`` if this Varve is too old for it.
    public static func open(
        _ store: any ObjectStore, options: RepositoryOptions = RepositoryOptions()
    ) throws(RepositoryFailure) -> Repository { throw .invalid("not yet") }

    /// Opens the repository in `store`; makes one if the store has none.
    public static func openOrCreate(
        _ store: any ObjectStore, options: RepositoryOptions = RepositoryOptions()
    ) throws(RepositoryFailure) -> Repository { throw .invalid("not yet") }

    // MARK: Writing and reading

    /// A writer for a new snapshot, or for one whose upload was interrupted. Nothing happens until its `run()`.
    public func writer(
        _ plan: SnapshotPlan, content: any SnapshotContent, options: UploadOptions = UploadOptions()
    ) throws(RepositoryFailure) -> SnapshotWriter { SnapshotWriter(plan: plan) }

    /// Opens a committed snapshot for reading.
    public func reader(of snapshot: SnapshotID) throws(RepositoryFailure) -> SnapshotReader { throw .missing(snapshot) }

    /// What is stored about a committed snapshot.
    public func manifest(of snapshot: SnapshotID) throws(RepositoryFailure) -> Manifest { throw .missing(snapshot) }

    /// What changed from `old` (nil: from nothing, so everything stored) to `new`.
    public func diff(
        from old: SnapshotID?, to new: SnapshotID
    ) throws(RepositoryFailure) -> SnapshotDiff { throw .missing(new) }

    // MARK: Care

    /// Moves a snapshot's manifest to the trash. Constant time; deleting one that is in the trash already succeeds.
    ///
    /// The caller has re-based the volume that has it as parent first (see the engine).
    public func delete(_ snapshot: SnapshotID) throws(RepositoryFailure) { throw .missing(snapshot) }

    /// Forgets an upload that will never be resumed: its packs become reclaimable. Refuses nothing; idempotent.
    public func abandonUpload(_ snapshot: SnapshotID) throws(RepositoryFailure) {}

    /// Frees packs that no manifest, no trash within the grace period, no upload nor its parent, and no pin needs.
    /// Deletes nothing at all if any listing or manifest cannot be read.
    public func reclaim(_ plan: ReclaimPlan = ReclaimPlan()) throws(RepositoryFailure) -> ReclaimReport {
        ReclaimReport()
    }

    /// Checks all snapshots, or the given ones. What is wrong comes as findings; throws only if the store fails.
    public func verify(
        _ level: VerifyLevel, snapshots: [SnapshotID]? = nil
    ) throws(RepositoryFailure) -> VerifyReport { VerifyReport() }

    /// What deleting each committed snapshot would free: bytes of the packs that it alone needs.
    public func exclusiveBytes() throws(RepositoryFailure) -> [SnapshotID: ByteCount] { [:] }

    /// Counts and bytes, from listings and manifests.
    public func status() throws(RepositoryFailure) -> StoreStatus { StoreStatus() }

    /// All that the store alone knows: what `varve store recover` rebuilds the catalog from.
    public func inventory() throws(RepositoryFailure) -> Inventory { Inventory() }
}

/// How a repository is used by this process.
public struct RepositoryOptions: Sendable {
    /// Put before every key; empty or ending in `/`.
    public var prefix: String
    /// Bytes of decoded frames kept in memory, shared by all readers.
    public var frameCache: ByteCount
    /// The clock.
    public var clock: any HouseClock
    /// Recorded in manifests.
    public var tool: String

    /// The defaults: no prefix, 64 MiB of cache, the machine's clock.
    public init(
        prefix: String = "", frameCache: ByteCount = .mebibytes(64), clock: any HouseClock = SystemClock(),
        tool: String = "varve"
    ) {
        self.prefix = prefix
        self.frameCache = frameCache
        self.clock = clock
        self.tool = tool
    }
}
