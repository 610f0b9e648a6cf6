internal import Blocks
internal import Catalog
internal import Repository

/// Its step 2: with which key a copy is stored, and what it builds on.
extension CopySnapshotTask {
    /// Step 2, unless that was done: at last a record that is placed.
    ///
    /// - Returns: nil while another copy of the same volume comes first, on which this one can build.
    func placed(_ record: SnapshotRecord, _ source: Household) throws -> SnapshotRecord? {
        if record.copy?.isPlaced == true { return record }
        var record = record
        let origin: SnapshotRecord
        if record.volumeSize > .zero {
            // Marked as deleted meanwhile or not, it stays for this copy.
            let known = try source.catalog.changeWaiting { [id = record.copy?.source ?? ""] in try $0.snapshot(id) }
            guard let known else { throw Fault(.noSource) }
            origin = known
        } else {
            origin = try self.origin(of: record, source)
            record.volumeID = origin.volumeID
            record.volumeSize = origin.volumeSize
            try save(record)
            Failpoint.hit("copy.looked")
        }
        guard try isTurn(of: record) else { return nil }
        try Self.requireKey(origin.dataKey, in: source)
        let keyed = try dataKey(for: record, origin, source)
        record.dataKey = keyed?.id
        record.copy?.isPlaced = true
        if source === house, keyed?.id == origin.dataKey {
            record.parentID = origin.id
            try save(record, keyed)
        } else {
            record = try place(record, keyed)
        }
        Failpoint.hit("copy.begun")
        house.announce(record.id)
        return record
    }

    /// Chooses what it builds on in the transaction that says so: that cannot be deleted from then on.
    private func place(_ record: SnapshotRecord, _ keyed: KeyRecord?) throws -> SnapshotRecord {
        try house.catalog.changeWaiting { session in
            var placed = record
            placed.parentID = try Self.latest(of: record.volumeID, in: record.account, session) {
                $0.dataKey == keyed?.id
            }?.id
            guard let present = try session.snapshot(record.id), present.state == .pending else { return placed }
            placed.isDeleted = present.isDeleted
            if let keyed { try session.set(keyed) }
            try session.placeCopy(placed)
            return placed
        }
    }

    private func save(_ record: SnapshotRecord, _ keyed: KeyRecord? = nil) throws {
        try house.catalog.changeWaiting { session in
            // Of what was deleted meanwhile the writer's thread is waited for, and hears of it.
            guard let present = try session.snapshot(record.id), present.state == .pending else { return }
            var record = record
            record.isDeleted = present.isDeleted
            if let keyed { try session.set(keyed) }
            try session.placeCopy(record)
        }
    }

    /// Copies of one volume come one after another. Of two that look at the same instant both may go: then they build on the
    /// same one.
    private func isTurn(of record: SnapshotRecord) throws -> Bool {
        let others = try house.catalog.changeWaiting { try $0.pendingCopies() }
        return !others.contains { other in
            other.id != record.id && other.volumeSize > .zero && other.volumeID == record.volumeID
                && other.account == record.account && !other.isDeleted
                && (other.copy?.isPlaced == true || (other.createdAt, other.id) < (record.createdAt, record.id))
        }
    }

    /// The source, if the copy's owner may use it. It was looked for after the copy was recorded.
    private func origin(of record: SnapshotRecord, _ source: Household) throws -> SnapshotRecord {
        let id = record.copy?.source ?? ""
        let owner = Caller(account: record.account, principal: "copy", role: .operator)
        let origin = try source.catalog.changeWaiting { session -> SnapshotRecord? in
            // What went into the bin since is still there to be read.
            let isUnderWay = record.copy?.isPlaced == true
            guard let origin = try session.snapshot(id), isUnderWay ? !origin.isDeleted : origin.isPresent,
                origin.state != .creating,
                try Household.mayUse(origin, owner, session)
            else { return nil }
            return origin
        }
        guard let origin else { throw Fault(.noSource) }
        guard origin.state == .completed else { throw Fault(.incompleteSource) }
        guard origin.tier?.isArchived(at: house.clock.now()) != true else { throw Fault(.archivedSource) }
        return origin
    }

    /// A damaged one is not built on.
    private static func latest(
        of volume: String, in account: String, _ session: CatalogSession, where fits: (SnapshotRecord) -> Bool
    ) throws -> SnapshotRecord? {
        try session.completedCopies(ofVolume: volume, in: account).first {
            try fits($0) && session.damage(of: $0.id) == nil
        }
    }

    /// The key that the copy is to have; nil: none. That of its source where it stays in the same repository and no other was
    /// asked for; else that of the latest copy with the wanted wrapping key; else a new one, which is in the store before
    /// anything needs it.
    private func dataKey(
        for record: SnapshotRecord, _ origin: SnapshotRecord, _ source: Household
    ) throws -> KeyRecord? {
        let isEncrypted = origin.dataKey != nil || record.copy?.isEncrypted == true
        guard isEncrypted else { return nil }
        let wanted = record.copy?.key
        if source === house, let own = origin.dataKey, let wrap = origin.keyID, wanted == nil || wanted == wrap {
            return KeyRecord(id: own, keyID: wrap)
        }
        let known = try house.catalog.changeWaiting { session in
            try Self.latest(of: origin.volumeID, in: record.account, session) {
                $0.dataKey != nil && (wanted == nil || $0.keyID == wanted)
            }
        }
        if let known, let key = known.dataKey, let wrap = known.keyID {
            do {
                try house.door.repository().open(StoreDoor.dataKey(key))
                return KeyRecord(id: key, keyID: wrap)
            } catch RepositoryFailure.keyMissing {
                // The lineage goes on only where its key was asked for.
                if wanted != nil { throw Fault(.noKey) }
            }
        }
        if let wanted, try !house.door.repository().holds(Household.keyID(wanted)) { throw Fault(.noKey) }
        do { return try newKey(wanted) } catch RepositoryFailure.invalid { throw Fault(.noKey) }
    }

    /// As for a volume, in turn with rotations: one that has begun is not to miss it.
    private func newKey(_ wanted: String?) throws -> KeyRecord {
        let answer = Guarded<Result<KeyRecord, any Error>?>(nil)
        Task { [house] in
            let made: Result<KeyRecord, any Error>
            do { made = .success(try await house.newDataKey(VolumeEncryption(key: wanted))) } catch {
                made = .failure(error)
            }
            answer.change { $0 = made }
        }
        return try answer.wait { $0 }.get()
    }

    private static func requireKey(_ dataKey: String?, in house: Household) throws {
        guard let dataKey else { return }
        do { try house.door.repository().open(StoreDoor.dataKey(dataKey)) } catch RepositoryFailure.keyMissing {
            throw Fault(.noKey)
        }
    }

    /// What of the copy it builds on was found to be lost, be it since it was chosen. Nil too where it builds on its source: there
    /// is no more of that anywhere, and the copy is as whole as it is.
    func damage(ofParentOf record: SnapshotRecord, _ source: Household) throws -> DamageRecord? {
        guard let parent = record.parentID, source !== house || parent != record.copy?.source else { return nil }
        return try house.catalog.changeWaiting { try $0.damage(of: parent) }
    }

    /// Nobody can say what its parent lost: another is chosen, among those that are whole, or none. A crash between the two steps
    /// leaves packs that the next try, or the caretaker, takes for nobody's.
    func startAnew(_ record: SnapshotRecord) throws {
        var record = record
        record.parentID = nil
        record.copy?.isPlaced = false
        try house.door.repository().abandonUpload(StoreDoor.id(record.id))
        try house.catalog.changeWaiting { [record] session in
            guard let present = try session.snapshot(record.id), present.state == .pending else { return }
            var record = record
            record.isDeleted = present.isDeleted
            try session.deleteCopiedPacks(of: record.id)
            try session.placeCopy(record)
        }
    }
}
