/// A data directory in service: the volumes, their snapshots and the store, opened by one process at a time.
///
/// ```
/// let house = try await House.open(HousePlan(data: "/var/lib/varve"), exports: board)
/// let volume = try await house.volumes.create(CreateVolume(size: .gibibytes(8)))
/// await house.close()
/// ```
public final class House: Sendable {
    /// The verbs on volumes.
    public let volumes: VolumeService
    /// The verbs on snapshots.
    public let snapshots: SnapshotService
    /// The verbs on the store.
    public let store: StoreService
    /// The verbs on long operations.
    public let tasks: TaskService
    /// The administrator's key, which is also in `<data>/root-credentials`.
    public let rootCredentials: RootCredentials

    private init(rootCredentials: RootCredentials) {
        volumes = VolumeService()
        snapshots = SnapshotService()
        store = StoreService()
        tasks = TaskService()
        self.rootCredentials = rootCredentials
    }

    /// Opens a data directory, making it if it is empty or missing: takes its lock, brings the catalog's schema up to
    /// date, opens every volume, publishes those that are attached, resumes uploads and half-done tasks, and deletes
    /// half-made objects. A volume that cannot be opened is quarantined; the others serve.
    ///
    /// - Throws: ``ServiceError``: `inUse` when another process serves the directory, `unsupported` when it or the
    ///   store was written by a newer version, `unavailable` when disk or store refuse.
    public static func open(_ plan: HousePlan, exports: any ExportBoard) async throws -> House {
        throw ServiceError(.unsupported, .house, "serving is not built yet")
    }

    /// Makes a new data directory whose catalog is rebuilt from the store alone: every snapshot whose manifest is there.
    /// The directory must be missing or empty. Nothing in the store is changed.
    ///
    /// - Returns: how many snapshots were found.
    public static func recover(_ plan: HousePlan) async throws -> Int {
        throw ServiceError(.unsupported, .house, "recovering is not built yet")
    }

    /// Stops: uploads pause at the next pack, volumes are closed cleanly, the lock is given back. The exports must take
    /// no new connections by then (stop the API first, then NBD, then this).
    public func close() async {}
}
