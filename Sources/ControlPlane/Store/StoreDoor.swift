internal import Blocks
internal import Catalog
internal import ObjectStore
internal import Repository

/// The way to the repository: opened when first needed, and again for as long as the store is away.
///
/// A house serves its volumes without its store; only what needs the store waits. All calls block.
final class StoreDoor: Sendable {
    /// The directory of the store.
    let location: String
    private let catalog: Catalog
    private let clock: any HouseClock
    private let keyring: Keyring
    private let opened = Guarded<Repository?>(nil)

    init(location: String, catalog: Catalog, clock: any HouseClock, keyring: Keyring) {
        self.location = location
        self.catalog = catalog
        self.clock = clock
        self.keyring = keyring
    }

    /// The repository. At first use ever it is made; afterwards it must be the same one, so that an empty mount point
    /// is never taken for the store.
    func repository() throws -> Repository {
        if let known = opened.withLock({ $0 }) { return known }
        let known = try catalog.changeWaiting { try $0.setting(StoreDoor.idSetting) }
        let repository = try open(mustExist: known != nil)
        if let known, known != repository.id {
            throw ServiceError(
                .invalid, .store,
                "\(location) holds the repository \(repository.id), but this data directory belongs to \(known): give "
                    + "the right store")
        }
        if known == nil { try catalog.changeWaiting { try $0.set(StoreDoor.idSetting, to: repository.id) } }
        opened.withLock { $0 = repository }
        return repository
    }
    static let idSetting = "repository-id"

    private func open(mustExist: Bool) throws -> Repository {
        let options = RepositoryOptions(clock: clock, keyring: keyring)
        if mustExist, try LocalDisk().facts(location) == nil {
            throw ServiceError(.unavailable, .store, "the store directory \(location) is not there: is it mounted?")
        }
        let store = RetryingStore(try DirectoryStore(at: location), clock: clock)
        return try mustExist
            ? Repository.open(store, options: options) : Repository.openOrCreate(store, options: options)
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
