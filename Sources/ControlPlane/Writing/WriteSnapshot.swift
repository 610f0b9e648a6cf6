internal import Blocks
internal import Catalog
internal import Repository

/// Makes a snapshot of pieces that a client sends, in any order and several at once, on top of another snapshot or of nothing.
///
/// 1. Record it as `pending`, with its task.                                          Undo: remove the record.
/// 2. Make the file of its pieces, durably by name; answer.
/// 3. Keep pieces: each is acknowledged when it would survive power loss (``PieceFile``).
/// 4. Its owner says that all is written: seal the file, so that no piece comes or goes any more, and record that.
///    From here on it ends by itself.
/// 5. Compare what is there with what its owner says of it.                           Undo: record `error`.
/// 6. Upload the pieces; what is stored is recorded pack by pack.
/// 7. The writer puts the manifest: the commit. From here on only forward.
/// 8. Record `completed`; remove the file.
///
/// A kill after 1 leaves one that can be written to: the file is made when it is first needed. After 3, one that has all that
/// was acknowledged; after 4 the next start goes on with 5, after 7 with 6, which finds the manifest. A file without a pending
/// record is removed at the next start. Nobody writes for as long as was said: recorded as `error`, and the file goes. A start
/// begins that time anew.
///
/// 4, a deletion's mark, and the opening of the file are in the snapshot's lane, so that one sees the other. A deletion takes
/// the upload off the desk, which ends its writer, and then records `error`; whoever comes later finds that and ends. The parent
/// stays: it is named in the record since 1, by the transaction that saw it completed, and its deletion waits for that.
struct WriteSnapshot: Sendable {
    let house: Household

    /// What tokens are for.
    static let action = "write-snapshot"
    /// Under which its manifest says that it is of no volume.
    static let tag = "written"

    // MARK: Beginning

    /// Steps 1 and 2. Everything in the request was checked but for its parent.
    ///
    /// - Throws: ``RequestToken/Used`` when it was begun before.
    func begin(_ request: BeginSnapshot, for caller: Caller) async throws -> SnapshotRecord {
        let parent = try await parent(request, caller)
        let key = try await key(request, parent, caller)
        var planned = SnapshotRecord(
            id: Identifier.snapshot.next(), volumeID: Identifier.volume.next(isHidden: true), state: .pending,
            volumeSize: request.size, createdAt: house.clock.now())
        if let parent, parent.written != nil { planned.volumeID = parent.volumeID }
        planned.account = caller.account
        planned.parentID = parent?.id
        planned.description = request.description
        planned.dataKey = parent?.dataKey ?? key?.id
        planned.written = WrittenRecord(timeout: .seconds(60 * request.timeoutMinutes))
        let record = planned, task = house.newTask(.writeSnapshot, about: record.id, of: record.account)
        try await house.catalog.change { session in
            try session.mustHave(account: record.account)
            try request.token?.take(
                for: Self.action, by: record.account, making: record.id, at: record.createdAt, session)
            let others = try session.pendingWritten().count { $0.account == record.account && !$0.isDeleted }
            guard others < Limits.writingsMax else {
                throw ServiceError(
                    .limitExceeded, .snapshot,
                    "\(others) snapshots are being written: at most \(Limits.writingsMax) are allowed at once")
            }
            try Quota.snapshots.check(
                try session.snapshotCount(of: record.account) + 1, of: record.account, .snapshot, session)
            if let parent {
                let present = try session.snapshot(parent.id)
                try Self.check(present, parent.id, request.size)
                try present?.mustNotBeArchived(at: record.createdAt)
            }
            if let key { try session.insert(key) }
            try session.insert(record)
            for (key, value) in request.tags { try session.setTag(key, to: value, on: record.id) }
            try session.insert(task)
        }
        Failpoint.hit("write.recorded")
        // In the lane: whoever deleted it meanwhile has freed its file.
        do { _ = try await file(of: record.id, for: caller) } catch let error as ServiceError
            where error.code == .missing
        {
            throw error
        } catch {
            try await undo(record, task, "\(error)")
            throw error
        }
        Failpoint.hit("write.begun")
        house.announce(record.id)
        return record
    }

    private func parent(_ request: BeginSnapshot, _ caller: Caller) async throws -> SnapshotRecord? {
        guard let id = request.parent else { return nil }
        let record = try await house.snapshotRecord(id, for: caller)
        try Self.check(record, id, request.size)
        // What was stored with it must be readable, or nothing could be built on it.
        try await house.requireKey(record.dataKey)
        return record
    }

    private static func check(_ parent: SnapshotRecord?, _ id: String, _ size: ByteCount) throws {
        guard let parent, parent.isPresent else { throw Household.noSnapshot(id) }
        guard parent.state == .completed else {
            throw ServiceError(.wrongState, .snapshot, "Source snapshot (\(id)) is not complete.")
        }
        guard parent.volumeSize <= size else {
            throw ServiceError(
                .invalid, .volume,
                "the size \(size.bytes) is less than that of the parent \(id), \(parent.volumeSize.bytes) bytes")
        }
    }

    private func key(
        _ request: BeginSnapshot, _ parent: SnapshotRecord?, _ caller: Caller
    ) async throws -> KeyRecord? {
        guard parent == nil, let wanted = try await house.encryption(request.encryption, of: caller.account) else {
            return nil
        }
        return try await house.newDataKey(wanted)
    }

    private func undo(_ record: SnapshotRecord, _ task: TaskRecord, _ reason: String) async throws {
        let failed = house.ended(task, .failed, reason)
        try await house.catalog.change { session in
            try session.deleteSnapshot(record.id)
            try session.deleteTokens(of: record.id)
            try session.update(failed)
        }
        try? await house.pieces.pool.run { [house] in house.pieces.discard(record.id) }
        house.announce(record.id)
    }

    /// After a start: what was finished goes on, the rest can be written to.
    func resume() async throws {
        let records = try await house.catalog.change { try $0.pendingWritten() }
        try await house.pieces.pool.run { [house] in
            try house.pieces.sweep(keeping: Set(records.map(\.id)))
            // One that cannot be opened says so when it is needed.
            for record in records where !record.isDeleted { _ = try? house.pieces.open(record) }
        }
        for record in records where !record.isDeleted && record.written?.count != nil {
            house.writings.add(WrittenUpload(record))
        }
        house.writings.open { upload($0) }
        house.pieces.startWatching(house)
    }

    // MARK: Writing

    /// Step 3.
    func put(_ piece: NewPiece, at number: Int, of id: String, for caller: Caller) async throws {
        let file = try await file(of: id, for: caller)
        guard number >= 0, number < file.count else {
            throw ServiceError(.invalid, .volume, "Block index \(number) is beyond the volume size extent")
        }
        guard try await house.pieces.pool.run({ try file.put(piece, at: number) }) else {
            throw ServiceError(.wrongState, .snapshot, "Snapshot is already completed")
        }
    }

    /// An open file is its owner's until its snapshot has ended.
    private func file(of id: String, for caller: Caller) async throws -> PieceFile {
        if let file = house.pieces[id], file.account == caller.account { return file }
        return try await house.lanes.run(id) {
            let record = try await record(id, for: caller)
            guard record.state == .pending else {
                throw ServiceError(.wrongState, .snapshot, record.reason ?? "Snapshot is already completed")
            }
            return try await house.pieces.pool.run { [house] in try house.pieces.open(record) }
        }
    }

    /// One that is, or was, written piece by piece; any other is none.
    private func record(_ id: String, for caller: Caller) async throws -> SnapshotRecord {
        let record = try await house.snapshotRecord(id, for: caller)
        guard record.written != nil else { throw Household.noSnapshot(id) }
        return record
    }

    /// Step 4. Once more is no error, whatever is said then.
    func finish(_ id: String, count: Int, checksum: String?, for caller: Caller) async throws {
        try await house.lanes.run(id) {
            let record = try await record(id, for: caller)
            guard record.state == .pending, record.written?.count == nil else { return }
            let file = try await house.pieces.pool.run { [house] in
                let file = try house.pieces.open(record)
                file.seal()
                return file
            }
            do {
                let isPending = try await house.catalog.change { session in
                    guard try session.snapshot(id)?.state == .pending else { return false }
                    try session.endWriting(of: id, count: count, checksum: checksum)
                    return true
                }
                guard isPending else { return }
            } catch {
                file.unseal()
                throw error
            }
            Failpoint.hit("write.finished")
            house.writings.add(WrittenUpload(record))
        }
        house.announce(id)
    }

    /// In the lane: so it comes before a deletion or a finish, or finds what they did. Its file was sealed for that.
    func giveUpForgotten(_ id: String) async throws {
        try await house.lanes.run(id) {
            let record = try await house.catalog.change { try $0.snapshot(id) }
            guard let record, record.state == .pending, !record.isDeleted else {
                return try await house.pieces.pool.run { [house] in house.pieces.discard(id) }
            }
            guard record.written?.count == nil else { return }
            try await house.pieces.pool.run { [self] in try fail(id, WritingFault.timeout.rawValue) }
        }
    }
}
