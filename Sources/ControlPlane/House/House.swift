internal import Blocks
internal import Catalog

/// A data directory in service: the volumes, their snapshots and the store of each region, opened by one process at a time.
///
/// ```
/// let house = try await House.open(HousePlan(data: "/var/lib/varve"), exports: board)
/// let volume = try await house.volumes.create(CreateVolume(size: .gibibytes(8)))
/// await house.close()
/// ```
public final class House: Sendable {
    /// The verbs in the name of the administrator of the first account.
    public var volumes: VolumeService { verbs(for: .root).volumes }
    /// See ``volumes``.
    public var instances: InstanceService { verbs(for: .root).instances }
    /// See ``volumes``.
    public var images: ImageService { verbs(for: .root).images }
    /// See ``volumes``.
    public var snapshots: SnapshotService { verbs(for: .root).snapshots }
    /// See ``volumes``.
    public var store: StoreService { verbs(for: .root).store }
    /// See ``volumes``.
    public var keys: KeyService { verbs(for: .root).keys }
    /// See ``volumes``.
    public var policies: PolicyService { verbs(for: .root).policies }
    /// See ``volumes``.
    public var tasks: TaskService { verbs(for: .root).tasks }
    /// See ``volumes``.
    public var accounts: AccountService { verbs(for: .root).accounts }
    /// See ``volumes``.
    public var bin: BinService { verbs(for: .root).bin }
    /// See ``volumes``.
    public var quotas: QuotaService { verbs(for: .root).quotas }
    /// See ``volumes``.
    public var usage: UsageService { verbs(for: .root).usage }
    /// See ``volumes``.
    public var events: EventService { verbs(for: .root).events }
    /// The first region, which is meant where none is named.
    public var region: Region { household.region }
    /// Every region, the first one first.
    public var regions: [Region] { households.map(\.region) }
    /// What can be measured.
    public let metrics: MetricsService

    /// The verbs in the name of `caller`, who sees and touches only what is their account's, in the first region.
    public func verbs(for caller: Caller) -> Verbs { Verbs(household, caller) }

    /// The same in the region of that name (nil: the first one); nil if there is none.
    public func verbs(for caller: Caller, in region: String?) -> Verbs? {
        guard let region else { return verbs(for: caller) }
        return households.first { $0.region.name == region }.map { Verbs($0, caller) }
    }

    /// What serves the region of that name; the first one for nil and for what is none.
    func place(of region: String?) -> Household { households.first { $0.region.name == region } ?? household }

    /// Who signs with an access key, and with which secret; nil if it is not accepted. For whoever checks signatures.
    public func holder(of accessKey: String) -> (secret: String, caller: Caller)? {
        household.keyRack[accessKey].map { ($0.secret, $0.caller) }
    }

    /// The administrator's key, which is also in `<data>/root-credentials`.
    public var rootCredentials: RootCredentials { household.credentials }

    /// One for each region; never empty.
    private let households: [Household]
    /// The first region's.
    var household: Household { households[0] }

    private init(_ households: [Household]) {
        precondition(!households.isEmpty)
        self.households = households
        metrics = MetricsService(households)
    }

    /// Opens a data directory, making it if it is empty or missing: takes its lock, brings the catalog's schema up to
    /// date, opens every volume, publishes those that are attached, resumes uploads and half-done tasks, and deletes
    /// half-made objects. A volume that cannot be opened is quarantined; the others serve. A store that is away is no
    /// obstacle either, except at first start: what needs it waits.
    ///
    /// - Throws: ``ServiceError``: `inUse` when another process serves the directory, `unsupported` when it or the
    ///   store was written by a newer version, `unavailable` when the disk refuses.
    public static func open(_ plan: HousePlan, exports: any ExportBoard) async throws -> House {
        try await ServiceError.about(.house) {
            House(try await OpenRegions(plan: plan, exports: exports).run())
        }
    }

    /// Makes a new data directory whose catalog is rebuilt from the store alone: every snapshot whose manifest is there
    /// and can be read, and as failed ones, to be deleted, those that cannot and uploads that were not finished. The
    /// directory must be missing or hold no catalog. Nothing in the store is changed.
    public static func recover(_ plan: HousePlan) async throws -> RecoverReport {
        try await ServiceError.about(.house) { try await RecoverHouse.run(plan) }
    }

    /// Stops: uploads pause at their next step, exports are withdrawn, volumes are closed cleanly, the lock is given
    /// back. Stop the API first, then NBD, then this. Repeating it is harmless.
    public func close() async {
        // First what reads from one region and writes to another.
        await BlockingPool.runAlone { [households] in for household in households { household.copies.close() } }
        for household in households.reversed() { await household.close() }
    }
}

/// What recovering from a store found.
public struct RecoverReport: Codable, Equatable, Sendable {
    /// Whole snapshots that are in the new catalog.
    public var snapshotCount: Int
    /// Uploads that were begun and never finished. They are in the catalog as failed: once deleted, what they stored can be
    /// reclaimed.
    public var unfinishedUploadCount: Int
    /// Manifests that could not be read, a sentence each.
    public var problems: [String]

    /// Makes one.
    public init(snapshotCount: Int, unfinishedUploadCount: Int, problems: [String]) {
        self.snapshotCount = snapshotCount
        self.unfinishedUploadCount = unfinishedUploadCount
        self.problems = problems
    }
}
