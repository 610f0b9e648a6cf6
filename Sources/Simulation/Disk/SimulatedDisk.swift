public import Blocks

/// A disk with a file system on it, in memory, that forgets what was not synced.
///
/// ## What it promises
/// Every call takes effect at once and is seen by every other call: there is one lock, so calls have an order.
/// Under one seed and one order of calls it does the same again. Any thread may call it.
///
/// ## kill -9
/// ``kill()`` ends a process: its open files, locks and mounts are dead (every later call fails), what it wrote, also
/// through a mapping, is in the files. Open the files again through a new ``mount()``. A write that was under way has
/// moved a part of its blocks.
///
/// ## Power loss
/// ``losePower(seed:)`` does the same and then keeps only what must be there; of the rest the seed decides:
/// * A file's content survives for sure once a later `sync()` of it returned (through any handle), or when it was written
///   `durably`: then that write's sectors, and no others.
/// * Of all that was written, punched, zeroed or allocated since, each page may show any state it had, whatever became
///   of earlier and later ones: newer data may survive where older data did not.
/// * A page that was overwritten tears: each 512-byte sector shows its old or one of its newer contents. A page that got
///   its space since appears whole or not at all (then newer sectors on top of it may tear), because a file system makes
///   an extent visible only after its data was written. Sectors never tear.
/// * A mapped file's pages are like written ones: any sector may be as last synced or as last stored.
/// * A changed length survives or not, independently of the data: what lies past the surviving length is gone.
/// * A name that was made, removed or renamed survives for sure once `syncDirectory` of its directory returned; a rename
///   is atomic, everything else is decided independently. So a removed file may return, and a renamed file is found under
///   either name with its *durable* content. A new directory needs its parent synced. Syncing a file does not save its name.
///
/// This is stricter than ext4, XFS and btrfs, which write their metadata in order.
///
/// ## Extents
/// `nextData` is what ext4 says: written pages, also of zeros, are data; a hole, and a page that was only allocated or
/// zeroed whole (an unwritten extent), is a hole. But an unwritten page that somebody *read* since the start shows
/// as data. A partial `zero` or `punch` of a page keeps it data. In a mapped range every allocated page shows as data.
///
/// ## Injected failures
/// The disk is full after ``capacity`` bytes: then a write into a hole moves what fits and fails, allocations and new files
/// fail. ``failSyncs(of:after:)`` gives EIO and loses what was dirty, as Linux does: the failing handle stays poisoned, a
/// fresh one succeeds without saving it. ``onOperation(_:)`` sees each call first and may let it fail, or take the machine down
/// before it, halfway, or after it.
///
/// ## What it does not model
/// Bit rot, sectors that tear, a device that lies about a flush, times of files, limits on names. A store to a mapped page
/// without space would be a SIGBUS on a full disk: the first MiB of a mapping is searched for it when synced or killed,
/// and the test process stops.
public final class SimulatedDisk: Sendable {
    private let platter: Guarded<Platter>
    /// How much of a file may be mapped. Only address space: pages take memory when they are stored to.
    static let mappingReserve = 4 << 30

    /// An empty disk. `seed` decides small matters such as how far a killed write got.
    public init(capacity: ByteCount = .tebibytes(1), seed: UInt64 = 0) {
        platter = Guarded(Platter(capacityPages: capacity.bytes / PageContent.size, seed: seed))
    }

    /// The disk as a process sees it, until the next outage.
    public func mount() -> SimulatedMount {
        SimulatedMount(disk: self, life: platter.withLock { $0.life })
    }

    /// Ends the process: every mount and open file dies, the page cache stays.
    public func kill() { platter.withLock { $0.kill() } }
    /// Cuts the power: only what was synced is sure to be there.
    public func losePower(seed: UInt64) { platter.withLock { $0.losePower(seed: seed) } }

    /// How many bytes fit; may change at any time, also below what is used.
    public var capacity: ByteCount {
        get { ByteCount(platter.withLock { $0.capacityPages } * PageContent.size) }
        set { platter.withLock { $0.setCapacity(newValue.bytes / PageContent.size) } }
    }
    /// How many bytes are left.
    public var free: ByteCount { ByteCount(max(0, platter.withLock { $0.freePages }) * PageContent.size) }
    /// The device number in every ``FileFacts``: another one looks like another mount.
    public var deviceNumber: UInt64 {
        get { platter.withLock { $0.deviceNumber } }
        set { platter.withLock { $0.deviceNumber = newValue } }
    }
    /// How many calls there were.
    public var operationCount: Int { platter.withLock { $0.operations } }
    /// How many of them could change something.
    public var changeCount: Int { platter.withLock { $0.changes } }

    /// Lets a sync of a file whose path ends in `suffix` fail with EIO, after `after` good ones. Once per call.
    public func failSyncs(of suffix: String, after: Int = 0) {
        platter.withLock { $0.syncFailures.append((suffix, after)) }
    }
    /// Sees every call before it happens; nil to stop. Called on the calling thread, with no lock held.
    public func onOperation(_ hook: (@Sendable (DiskOperation) -> DiskVerdict)?) {
        platter.withLock { $0.hook = hook }
    }

    // MARK: For mounts and files

    /// How a call that is let through is to be done.
    struct Effort {
        /// Only a part of a write moves, and nothing becomes durable.
        var isHalf = false
    }

    func closed(_ file: Int, handle: Int, life: Int) {
        platter.withLock { if $0.life == life { $0.closed(file, handle: handle) } }
    }

    /// A sync of `file` failed: what was dirty is lost at the next outage, whatever later syncs say.
    func failSync(_ file: Int, life: Int) {
        platter.withLock { platter in
            if platter.life == life { platter.failSync(file) }
        }
    }

    /// Runs one call: counts it, asks the hook, does it, goes down if told to.
    func perform<R: Sendable>(
        _ kind: DiskOperation.Kind, _ path: String, life: Int,
        _ body: (inout Platter, Effort) throws(BlockFailure) -> R
    ) throws(BlockFailure) -> R {
        let (operation, hook) = try begin(kind, path, life)
        switch hook?(operation) ?? .proceed {
        case .proceed:
            return try apply(life, Effort(), body)
        case .fail(let failure):
            throw failure
        case .outage(let outage, let moment):
            if moment != .before, kind.isChange, moment == .after || kind == .write {
                _ = try? apply(life, Effort(isHalf: moment == .halfway), body)
            }
            platter.withLock { platter in
                guard platter.life == life else { return }
                switch outage {
                case .kill: platter.kill()
                case .powerLoss(let seed): platter.losePower(seed: seed)
                }
            }
            throw .failed
        }
    }

    private typealias Hook = @Sendable (DiskOperation) -> DiskVerdict

    private func begin(
        _ kind: DiskOperation.Kind, _ path: String, _ life: Int
    ) throws(BlockFailure) -> (DiskOperation, Hook?) {
        try platter.withLock { platter throws(BlockFailure) in
            guard platter.life == life else { throw .failed }
            platter.operations += 1
            if kind.isChange { platter.changes += 1 }
            let operation = DiskOperation(
                number: platter.operations, change: kind.isChange ? platter.changes : nil, kind: kind, path: path)
            return (operation, platter.hook)
        }
    }

    private func apply<R: Sendable>(
        _ life: Int, _ effort: Effort, _ body: (inout Platter, Effort) throws(BlockFailure) -> R
    ) throws(BlockFailure) -> R {
        try platter.withLock { platter throws(BlockFailure) in
            guard platter.life == life else { throw .failed }
            return try body(&platter, effort)
        }
    }
}

extension SimulatedDisk: Disk {
    /// Through a fresh mount, like all calls here. An engine under test gets a ``mount()`` instead, so that what is left
    /// of it after an outage cannot touch the disk any more.
    public func open(_ path: String, _ mode: OpenMode) throws(DiskFailure) -> any DiskFile {
        try mount().open(path, mode)
    }
    public func makeDirectory(_ path: String) throws(DiskFailure) { try mount().makeDirectory(path) }
    public func list(_ path: String) throws(DiskFailure) -> [String] { try mount().list(path) }
    public func remove(_ path: String) throws(DiskFailure) { try mount().remove(path) }
    public func removeTree(_ path: String) throws(DiskFailure) { try mount().removeTree(path) }
    public func rename(_ path: String, to target: String) throws(DiskFailure) { try mount().rename(path, to: target) }
    public func renameIfAbsent(_ path: String, to target: String) throws(DiskFailure) -> Bool {
        try mount().renameIfAbsent(path, to: target)
    }
    public func syncDirectory(_ path: String) throws(DiskFailure) { try mount().syncDirectory(path) }
    public func facts(_ path: String) throws(DiskFailure) -> FileFacts? { try mount().facts(path) }
    public func freeSpace(_ path: String) throws(DiskFailure) -> ByteCount { try mount().freeSpace(path) }
}
