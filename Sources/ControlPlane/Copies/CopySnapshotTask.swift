internal import Blocks
internal import Catalog
internal import Repository

/// Copies a snapshot into this region, from another one or from this.
///
/// 1. Record the copy as `pending`, with its task; answer.
/// 2. Look at the source; record its size and volume; when it is its turn, the key and what it builds on.  Undo: record `error`.
/// 3. Upload what differs, from the source's content; what is stored is recorded pack by pack.
/// 4. The writer puts the manifest: the commit. From here on only forward.
/// 5. Record `completed`.                           A crash repeats 3, which finds the manifest and ends.
///
/// Where data does not move (same repository, same key) the copy builds on its source and nothing differs: a new manifest
/// on the same tree. Otherwise it builds on the latest copy of the same volume's snapshots, of the same account and key; what
/// the two sources differ in is uploaded, or all of it, compared by hash, if the older source is gone.
///
/// The source stays while it is read: its deletion marks it first and then looks for pending copies of it (in every region's
/// catalog); a copy is recorded first and then looks for the mark. So one of the two sees the other. A source that was
/// marked before its copy began is none. What the copy builds on stays likewise: it is named in the copy's record.
///
/// A deletion of the copy takes it off the desk, which ends its writer, and then records `error`; whoever comes later finds
/// that and ends.
struct CopySnapshotTask: Sendable {
    let house: Household

    /// What tokens are for.
    static let action = "copy-snapshot"
    /// Under which a copy's manifest says what it is a copy of, `REGION/SNAPSHOT`.
    static let tag = "copy"

    // MARK: Beginning

    /// Step 1. Everything in the request was checked.
    ///
    /// - Throws: ``RequestToken/Used`` when it was made before.
    func begin(_ request: CopySnapshot, from region: String, for account: String) async throws -> SnapshotRecord {
        var copy = CopyRecord(region: region, source: request.snapshot)
        copy.isEncrypted = request.encryption != nil
        copy.key = try request.encryption?.key.map { try Household.keyID($0).description }
        var planned = SnapshotRecord(
            id: Identifier.snapshot.next(), volumeID: SnapshotView.noVolume, state: .pending, volumeSize: .zero,
            createdAt: house.clock.now())
        planned.account = account
        planned.name = request.name
        planned.description = request.description
        planned.copy = copy
        let record = planned
        let task = house.newTask(
            .copySnapshot, about: record.id, of: account, argument: "\(region)/\(request.snapshot)")
        try await house.catalog.change { session in
            try session.mustHave(account: account)
            try request.token?.take(for: Self.action, by: account, making: record.id, at: record.createdAt, session)
            let others = try session.pendingCopies().count { $0.account == account && !$0.isDeleted }
            try Quota.copies.check(others + 1, of: account, .snapshot, session)
            try Quota.snapshots.check(try session.snapshotCount(of: account) + 1, of: account, .snapshot, session)
            try session.insert(record)
            for (key, value) in request.tags { try session.setTag(key, to: value, on: record.id) }
            try session.insert(task)
            try request.recording?(session, record)
        }
        Failpoint.hit("copy.recorded")
        house.copies.add(CopyUpload(record.id))
        house.announce(record.id)
        return record
    }

    /// After a start: everything under way goes on.
    func resume() async throws {
        for record in try await house.catalog.change({ try $0.pendingCopies() }) where !record.isDeleted {
            house.copies.add(CopyUpload(record.id))
        }
        house.copies.open { copy($0) }
    }

    // MARK: One try, on a thread of the desk

    func copy(_ upload: CopyUpload) -> UploadVerdict {
        do {
            guard let record = try pending(upload.snapshot) else { return .finished }
            guard let source = house.neighbours[record.copy?.region ?? ""] else {
                throw Fault(.noSource)
            }
            guard let begun = try placed(record, source) else { return .again(after: .milliseconds(500)) }
            upload.buildsOn(begun.parentID)
            if let parent = begun.parentID, house.care.isHealing(parent) { return .again(after: .seconds(1)) }
            let lost = try damage(ofParentOf: begun, source)
            if lost?.mustNotBeBuiltOn == true {
                try startAnew(begun)
                return .again(after: .zero)
            }
            guard let manifest = try write(begun, source, lost?.runs ?? [], upload) else { return .again(after: .zero) }
            Failpoint.hit("copy.uploaded")
            try complete(begun.id, manifest)
            return .finished
        } catch RepositoryFailure.cancelled {
            // Deleted, or the house closes: whoever cancelled it decides what becomes of it.
            return .again(after: .zero)
        } catch {
            return react(to: error, of: upload)
        }
    }

    private struct Fault: Error {
        let fault: CopyFault
        init(_ fault: CopyFault) { self.fault = fault }
    }

    private func pending(_ id: String) throws -> SnapshotRecord? {
        let record = try house.catalog.changeWaiting { try $0.snapshot(id) }
        guard let record, record.state == .pending, !record.isDeleted else { return nil }
        return record
    }

    /// Step 2, unless that was done: at last a record that is placed.
    ///
    /// - Returns: nil while another copy of the same volume comes first, on which this one can build.
    private func placed(_ record: SnapshotRecord, _ source: Household) throws -> SnapshotRecord? {
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

    // MARK: Copying

    /// What of the copy it builds on was found to be lost, be it since it was chosen. Nil too where it builds on its source: there
    /// is no more of that anywhere, and the copy is as whole as it is.
    private func damage(ofParentOf record: SnapshotRecord, _ source: Household) throws -> DamageRecord? {
        guard let parent = record.parentID, source !== house || parent != record.copy?.source else { return nil }
        return try house.catalog.changeWaiting { try $0.damage(of: parent) }
    }

    /// Nobody can say what its parent lost: another is chosen, among those that are whole, or none. A crash between the two steps
    /// leaves packs that the next try, or the caretaker, takes for nobody's.
    private func startAnew(_ record: SnapshotRecord) throws {
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

    /// Steps 3 and 4.
    ///
    /// - Returns: nil if it was cancelled before it began.
    private func write(
        _ record: SnapshotRecord, _ source: Household, _ lost: [BlockRange], _ upload: CopyUpload
    ) throws -> Manifest? {
        let id = record.id, from = try StoreDoor.id(record.copy?.source ?? "")
        let reader: SnapshotReader
        do { reader = try source.door.repository().reader(of: from) } catch RepositoryFailure.missing {
            throw Fault(.noSource)
        }
        let content = try CopiedContent(
            reader, changes: try changes(in: record, source), of: id, in: house.catalog)
        var options = UploadOptions(memory: Household.uploadMemoryMin, isBackground: true)
        // What the parent lost is not inherited: the source has it.
        options.distrusted = lost
        options.progress = { [house] _ in house.bulletin.announce(id) }
        let writer = try house.door.repository().writer(
            try SnapshotPlan(
                record, on: record.parentID, tags: [Self.tag: record.copy.map { "\($0.region)/\($0.source)" }]),
            content: content, options: options)
        guard upload.begin(writer) else { return nil }
        let manifest = try writer.run()
        upload.note(problem: nil)
        return manifest
    }

    /// What may differ from the copy's parent.
    private func changes(in record: SnapshotRecord, _ source: Household) throws -> CopiedContent.Changes {
        guard let parent = record.parentID, let copy = record.copy else { return .everything }
        // It builds on its source itself.
        if source === house, parent == copy.source { return .runs([]) }
        let base = try house.catalog.changeWaiting { try $0.snapshot(parent) }?.copy
        guard let base, base.region == copy.region else { return .everything }
        do {
            let diff = try source.door.repository().diff(
                from: StoreDoor.id(base.source), to: StoreDoor.id(copy.source))
            return .runs(try diff.ranges())
        } catch let failure as RepositoryFailure {
            switch failure {
            // The older source is gone, or cannot be read: the hashes of the copy's own parent tell as well.
            case .missing, .corrupt, .keyMissing: return .everything
            default: throw failure
            }
        }
    }

    // MARK: Ending

    /// Step 5.
    private func complete(_ id: String, _ manifest: Manifest) throws {
        try house.recordCompleted(id, manifest, .copySnapshot)
        Failpoint.hit("copy.completed")
        ended(id)
    }

    /// Those wake up who wait for it: later copies, and deletions in every region.
    private func ended(_ id: String) {
        house.announce(id)
        house.copies.hurry()
        house.neighbours.announceAnything()
    }

    /// A store may come back; nothing else mends itself.
    private func react(to error: any Error, of upload: CopyUpload) -> UploadVerdict {
        let fault = (error as? Fault)?.fault
        let reason = fault?.rawValue ?? ServiceError.from(error, .snapshot).message
        house.copies.noteFailure()
        guard fault != nil || TakeSnapshot.isPermanent(error) else { return again(upload, reason) }
        do {
            try fail(upload.snapshot, reason)
            return .finished
        } catch { return again(upload, reason) }
    }

    private func again(_ upload: CopyUpload, _ reason: String) -> UploadVerdict {
        let pause = upload.course.pause(after: reason)
        house.bulletin.announce(upload.snapshot)
        return .again(after: pause)
    }

    /// This is the thread that ran its writer.
    private func fail(_ id: String, _ reason: String) throws {
        try house.recordFailed(id, reason, .copySnapshot)
        try? house.door.repository().abandonUpload(StoreDoor.id(id))
        ended(id)
    }
}
