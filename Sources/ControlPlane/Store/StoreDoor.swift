internal import Blocks
internal import Catalog
internal import ObjectStore
internal import Repository

/// The way to the repository: opened when first needed, and again for as long as the store is away.
///
/// A house serves its volumes without its store; only what needs the store waits. All calls block.
final class StoreDoor: Sendable {
    private struct State {
        var repository: Repository?
        /// Stores on the network are made once: they keep connections.
        var remote: (any ObjectStore)?
        var isProbing = false
    }
    /// The directory of the store, or its URL.
    let location: String
    /// What the store was asked, and whether it works.
    let meter: StoreMeter
    private let opener: (any StoreOpener)?
    private let catalog: Catalog
    private let clock: any HouseClock
    private let keyring: Keyring
    private let state = Guarded(State())

    init(
        location: String, opener: (any StoreOpener)?, catalog: Catalog, clock: any HouseClock, keyring: Keyring
    ) {
        self.location = location
        self.opener = opener
        self.catalog = catalog
        self.clock = clock
        self.keyring = keyring
        meter = StoreMeter(clock: clock)
    }

    /// The repository. At first use ever it is made; afterwards it must be the same one, so that an empty mount point
    /// is never taken for the store.
    func repository() throws -> Repository {
        if let known = state.withLock({ $0.repository }) { return known }
        do {
            let repository = try openKnown()
            state.withLock { $0.repository = repository }
            return repository
        } catch {
            // What the store refused or did not answer was noted where it was asked; this is everything else.
            if meter.trouble == nil { meter.noteFailure(ServiceError.from(error, .store).message, isRefusal: true) }
            throw error
        }
    }

    private func openKnown() throws -> Repository {
        let known = try catalog.changeWaiting { try $0.setting(StoreDoor.idSetting) }
        let repository = try open(mustExist: known != nil)
        if let known, known != repository.id {
            throw ServiceError(
                .invalid, .store,
                "\(location) holds the repository \(repository.id), but this data directory belongs to \(known): give "
                    + "the right store with --store")
        }
        if known == nil { try catalog.changeWaiting { try $0.set(StoreDoor.idSetting, to: repository.id) } }
        return repository
    }
    static let idSetting = "repository-id"

    private func open(mustExist: Bool) throws -> Repository {
        let options = RepositoryOptions(clock: clock, keyring: keyring)
        if StoreDoor.isDirectory(location), mustExist, try LocalDisk().facts(location) == nil {
            throw ServiceError(.unavailable, .store, "the store directory \(location) is not there: is it mounted?")
        }
        let store = try metered()
        // A store that is away is found out quickly: whoever needs it waits and comes back.
        let brief = RetryingStore(store, patience: .init(attempts: 3, jitter: 1), clock: clock)
        _ = try brief.size(of: Self.probed)
        let patient = RetryingStore(store, patience: .init(jitter: 1), clock: clock)
        do throws(RepositoryFailure) {
            return try mustExist
                ? Repository.open(patient, options: options) : Repository.openOrCreate(patient, options: options)
        } catch {
            guard case .notARepository = error, !StoreDoor.isDirectory(location) else { throw error }
            throw ServiceError(.unavailable, .store, "\(error): check bucket and prefix of --store \(location)")
        }
    }

    private static let probed = "repository.json"

    private func metered() throws -> MeteredStore {
        if let known = state.withLock({ $0.remote }) { return MeteredStore(known, meter: meter) }
        let made = try StoreDoor.place(location, opener)
        if !StoreDoor.isDirectory(location) { state.withLock { $0.remote = made } }
        return MeteredStore(made, meter: meter)
    }

    /// The bare store at a location.
    static func place(_ location: String, _ opener: (any StoreOpener)?) throws -> any ObjectStore {
        if isDirectory(location) { return try DirectoryStore(at: location) }
        guard let opener else {
            throw ServiceError(.invalid, .store, "the store '\(location)' is not known; give dir:///PATH or a path")
        }
        return try opener.store(at: location)
    }

    /// Is the store a directory, and not on the network?
    static func isDirectory(_ location: String) -> Bool { !location.contains("://") }

    // MARK: Is it still there?

    /// Asks the store something cheap if nobody did for a while: so that trouble is seen while nothing needs the store, and
    /// its end too. Returns at once.
    func probeIfQuiet() {
        let limit: Duration = meter.trouble == nil ? .seconds(60) : .seconds(5)
        if let quiet = meter.quiet, quiet < limit { return }
        let isFirst = state.withLock { state in
            let isFirst = !state.isProbing
            state.isProbing = true
            return isFirst
        }
        guard isFirst else { return }
        _ = OSThread(name: "store-probe") { [self] in
            // The outcome is in the meter.
            if state.withLock({ $0.repository }) == nil {
                _ = try? repository()
            } else {
                _ = try? metered().size(of: Self.probed)
            }
            state.withLock { $0.isProbing = false }
        }
    }

    /// A snapshot's id as the repository knows it.
    static func id(_ text: String) throws -> SnapshotID {
        guard let id = SnapshotID(text) else {
            throw ServiceError(.internalFault, .snapshot, "\"\(text.quotable)\" cannot be a key in the store")
        }
        return id
    }

    /// A data key's name as the repository knows it.
    static func dataKey(_ text: String) throws -> DataKeyID {
        guard let id = DataKeyID(text) else {
            throw ServiceError(.internalFault, .store, "\"\(text.quotable)\" cannot be a data key")
        }
        return id
    }
}
