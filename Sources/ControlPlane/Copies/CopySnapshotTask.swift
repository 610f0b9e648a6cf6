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
            id: Identifier.snapshot.next(), volumeID: SnapshotRecord.noVolume, state: .pending, volumeSize: .zero,
            createdAt: house.clock.now())
        planned.account = account
        planned.name = request.name
        planned.description = request.description
        planned.copy = copy
        planned.releaseAt = request.release?.time(madeAt: planned.createdAt)
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
            try session.place(record.id, of: account, in: request.resourceGroup)
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

    struct Fault: Error {
        let fault: CopyFault
        init(_ fault: CopyFault) { self.fault = fault }
    }

    private func pending(_ id: String) throws -> SnapshotRecord? {
        let record = try house.catalog.changeWaiting { try $0.snapshot(id) }
        guard let record, record.state == .pending, !record.isDeleted else { return nil }
        return record
    }

    // MARK: Copying

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
