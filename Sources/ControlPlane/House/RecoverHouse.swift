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
///
/// What cannot be read, and uploads that the lost house had begun, become failed snapshots: each keeps packs, or stops every
/// reclaim, for as long as it is in the store, and without a record nobody could delete it.
enum RecoverHouse {
    static func run(_ plan: HousePlan) async throws -> RecoverReport {
        guard let store = plan.store else {
            throw ServiceError(.invalid, .store, "recovering needs the store: give --store")
        }
        return try await BlockingPool.runAlone { Result { try recover(plan, store) } }.get()
    }

    private static func recover(_ plan: HousePlan, _ store: String) throws -> RecoverReport {
        let disk = LocalDisk()
        if StoreDoor.isDirectory(store), try disk.facts(store) == nil {
            throw ServiceError(.unavailable, .store, "the store directory \(store) is not there: is it mounted?")
        }
        let place = try StoreDoor.place(store, plan.opener)
        let repository = try Repository.open(RetryingStore(place, patience: .init(jitter: 1)))
        let inventory = try repository.inventory()
        let directory = try DataDirectory(plan.data, on: disk, mustBeNew: true)
        let beside = directory.catalog + ".new"
        for suffix in ["", "-wal", "-shm"] { try disk.remove(beside + suffix) }
        let catalog = try Catalog(sqlite: beside)
        do {
            let now = (plan.clock ?? SystemClock()).now()
            try fill(catalog, from: inventory, store, repository.id, now)
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

    private static func fill(
        _ catalog: Catalog, from inventory: Inventory, _ store: String, _ id: String, _ now: WallTime
    ) throws {
        let records = inventory.manifests.map(record) + failed(inventory, now)
        let keys = inventory.dataKeys.map { key in
            KeyRecord(id: key.id.text, keyID: key.wrappedBy.last?.description ?? "")
        }
        try catalog.changeWaiting { session in
            try session.set(OpenHouse.storeSetting, to: store)
            try session.set(StoreDoor.idSetting, to: id)
            for key in keys { try session.set(key) }
            for account in Set(records.map(\.account)).sorted() where account != AccountRecord.first {
                try session.insert(AccountRecord(id: account, name: "recovered \(account)", createdAt: now))
            }
            for record in records { try session.insert(record) }
            // What was deleted before is not recorded.
            try session.recountAllLineages(at: now)
        }
    }

    /// One record for each snapshot that is not whole, whatever its manifest and its pin say: the first that says most.
    private static func failed(_ inventory: Inventory, _ now: WallTime) -> [SnapshotRecord] {
        var records: [String: SnapshotRecord] = [:]
        for finding in inventory.findings {
            guard let id = finding.snapshot?.text, records[id] == nil else { continue }
            records[id] = failed(
                id, volume: "unknown", at: now,
                "\(finding.object) could not be read: \(finding.problem). Bring it back from a copy of the store and recover "
                    + "again, or delete the snapshot: until then nothing can be reclaimed")
        }
        for pin in inventory.uploads {
            let id = pin.snapshot.text
            if var known = records[id] {
                known.volumeID = pin.volume
                records[id] = known
                continue
            }
            var record = failed(
                id, volume: pin.volume, at: pin.started,
                "its upload was not finished when the data directory was lost. If no other server is at it, delete it: until "
                    + "then what it stored is not reclaimed")
            record.parentID = pin.parent?.text
            records[id] = record
        }
        return records.values.sorted { $0.id < $1.id }
    }

    private static func failed(_ id: String, volume: String, at time: WallTime, _ reason: String) -> SnapshotRecord {
        var record = SnapshotRecord(id: id, volumeID: volume, state: .error, volumeSize: .zero, createdAt: time)
        record.reason = reason
        return record
    }

    /// What a manifest says of its owner is believed if it could be an account; the first one has what says nothing.
    private static func account(of plan: SnapshotPlan) -> String {
        guard let text = plan.tags["account"], text.utf8.count == AccountRecord.first.utf8.count,
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return AccountRecord.first }
        return text
    }

    private static func record(_ manifest: Manifest) -> SnapshotRecord {
        let plan = manifest.plan
        var record = SnapshotRecord(
            id: plan.id.text, volumeID: plan.volume, state: .completed, volumeSize: manifest.size,
            createdAt: plan.created)
        record.account = account(of: plan)
        record.parentID = plan.parent?.text
        record.groupID = plan.tags["group"]
        record.name = plan.name.isEmpty ? nil : plan.name
        record.description = plan.description.isEmpty ? nil : plan.description
        record.changed = manifest.changedBytes
        record.stored = manifest.storedBytes
        record.full = manifest.fullBytes
        record.completedAt = manifest.completed
        record.dataKey = plan.dataKey?.text
        record.copy = plan.tags[CopySnapshotTask.tag].flatMap(copy)
        if plan.tags[WriteSnapshot.tag] != nil { record.written = WrittenRecord(timeout: .zero) }
        return record
    }

    /// What a copy was made of, `REGION/SNAPSHOT`.
    private static func copy(_ text: String) -> CopyRecord? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, Region.isName(parts[0]), Identifier.snapshot.isForm(of: parts[1]) else { return nil }
        return CopyRecord(region: parts[0], source: parts[1])
    }
}
