internal import Blocks
internal import Catalog
internal import ObjectStore
internal import Repository

/// Rebuilds a catalog from a store alone (R5).
///
/// 1. Lock the new directory, which must hold no catalog.
/// 2. Read every manifest of the store. No key is needed: what is recovered tells which one opens what.
/// 3. Make the catalog beside its place, with one completed snapshot per manifest, and move it there: a crash before that
///    leaves a directory without a catalog, so recovering can be started again.
enum RecoverHouse {
    static func run(_ plan: HousePlan) async throws -> RecoverReport {
        guard let store = plan.store else {
            throw ServiceError(.invalid, .store, "recovering needs the store: give --store")
        }
        return try await BlockingPool.runAlone { Result { try recover(plan.data, store, plan.opener) } }.get()
    }

    private static func recover(_ data: String, _ store: String, _ opener: (any StoreOpener)?) throws -> RecoverReport {
        let disk = LocalDisk()
        if StoreDoor.isDirectory(store), try disk.facts(store) == nil {
            throw ServiceError(.unavailable, .store, "the store directory \(store) is not there: is it mounted?")
        }
        let place = try StoreDoor.place(store, opener)
        let repository = try Repository.open(RetryingStore(place, patience: .init(jitter: 1)))
        let inventory = try repository.inventory()
        let directory = try DataDirectory(data, on: disk, mustBeNew: true)
        let beside = directory.catalog + ".new"
        for suffix in ["", "-wal", "-shm"] { try disk.remove(beside + suffix) }
        let catalog = try Catalog(sqlite: beside)
        do {
            try fill(catalog, from: inventory, store, repository.id)
        } catch {
            catalog.close()
            throw error
        }
        // Closing the last connection writes the journal back into the file.
        catalog.close()
        try disk.rename(beside, to: directory.catalog)
        try disk.syncDirectory(directory.path)
        return RecoverReport(
            snapshotCount: inventory.manifests.count, unfinishedUploadCount: inventory.uploads.count,
            problems: inventory.findings.map { "\($0.object): \($0.problem)" })
    }

    private static func fill(_ catalog: Catalog, from inventory: Inventory, _ store: String, _ id: String) throws {
        let records = inventory.manifests.map(record)
        let keys = inventory.dataKeys.map { key in
            KeyRecord(id: key.id.text, keyID: key.wrappedBy.last?.description ?? "")
        }
        try catalog.changeWaiting { session in
            try session.set(OpenHouse.storeSetting, to: store)
            try session.set(StoreDoor.idSetting, to: id)
            for key in keys { try session.set(key) }
            for record in records { try session.insert(record) }
        }
    }

    private static func record(_ manifest: Manifest) -> SnapshotRecord {
        let plan = manifest.plan
        var record = SnapshotRecord(
            id: plan.id.text, volumeID: plan.volume, state: .completed, volumeSize: manifest.size,
            createdAt: plan.created)
        record.parentID = plan.parent?.text
        record.groupID = plan.tags["group"]
        record.name = plan.name.isEmpty ? nil : plan.name
        record.description = plan.description.isEmpty ? nil : plan.description
        record.changed = manifest.changedBytes
        record.stored = manifest.storedBytes
        record.completedAt = manifest.completed
        record.dataKey = plan.dataKey?.text
        return record
    }
}
