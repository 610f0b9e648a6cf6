internal import Blocks
internal import Catalog
internal import Repository
internal import VolumeEngine

/// Deletes a snapshot. For its owner it is gone at once; what is left of it goes as soon as nobody needs it.
///
/// A completed one for which a rule of the bin holds is put there instead, by a mark in its record, and nothing else happens to
/// it. When its time is over the same begins from there. One that is pending is cancelled, and one that failed is no loss:
/// neither is kept.
///
/// 1. Mark the record deleted, with a task, and remember for ever whose it was.   From here on only forward.
/// Then, depending on its state, over and over until done:
/// * pending, and the newest cut of its volume, and nobody restores from it:
///   2. Re-base clones that have everything of it. 3. Stop the upload. 4. Cancel the cut: its changes count as changes
///   of the volume again. Go on as failed.
/// * pending otherwise: later snapshots or a clone build on it, so wait until it is completed.
/// * failed:
///   2. Re-base clones. 3. Let the store forget what was uploaded. 4. Remove the record.
/// * completed:
///   2. Wait for volumes that still fetch from it, and for pending snapshots that build on it.
///   3. Re-base every volume that counts its changes from it, durably.
///   4. Move the manifest to the trash, and remove what healing pinned. 5. Remove the record.
///
/// Each step may run twice. No volume can come to build on the snapshot after 1 (restores are refused) and 3 (a cut's
/// parent is what the volume was re-based to; both run in the volume's lane), so what 2 and 3 saw stays true.
struct DeleteSnapshot: Sendable {
    let house: Household

    /// Step 1, then the first try of the rest; or into the bin.
    ///
    /// - Parameters:
    ///   - waiting: for the first try, which asks the store; else it goes on by itself.
    ///   - condition: asked in the snapshot's lane, and in the transaction that marks it; if it throws, nothing happens.
    ///   - recording: what else is recorded in that transaction.
    func begin(
        _ id: String, waiting: Bool = true, provided condition: (@Sendable (CatalogSession) throws -> Void)? = nil,
        recording: (@Sendable (CatalogSession) throws -> Void)? = nil
    ) async throws {
        defer { house.fast.lookSoon() }
        guard let task = try await house.lanes.run(id, { try await mark(id, condition, recording) }) else {
            Failpoint.hit("delete-snapshot.binned")
            house.bin.lookSoon()
            return house.announce(id)
        }
        guard waiting else {
            Task { await goOn(task, id) }
            return
        }
        await goOn(task, id)
    }

    /// The same with what is in the bin and `mayGo`; else ``ServiceError/Code/missing``. In one transaction, so that it is
    /// restored before or not at all.
    func begin(fromBin id: String, where mayGo: @escaping @Sendable (BinStay, CatalogSession) throws -> Bool)
        async throws
    {
        let task = try await house.lanes.run(id) {
            try await house.catalog.change { [house] session in
                guard var snapshot = try session.snapshot(id), !snapshot.isDeleted, let stay = snapshot.bin,
                    try mayGo(stay, session)
                else { throw Household.noSnapshot(id) }
                let task = house.newTask(.deleteSnapshot, about: id, of: snapshot.account)
                snapshot.isDeleted = true
                try session.set(bin: nil, ofSnapshot: id)
                try session.bury(snapshot: id, of: snapshot.account)
                try session.update(snapshot)
                try session.recount(lineageOf: id, at: house.clock.now())
                try session.insert(task)
                return task
            }
        }
        await goOn(task, id)
    }

    private func goOn(_ task: TaskRecord, _ id: String) async {
        Failpoint.hit("delete-snapshot.recorded")
        house.inheritance.lookSoon()
        house.announce(id)
        await run(task, id)
    }

    /// Nil: it is in the bin.
    private func mark(
        _ id: String, _ condition: (@Sendable (CatalogSession) throws -> Void)?,
        _ recording: (@Sendable (CatalogSession) throws -> Void)?
    ) async throws -> TaskRecord? {
        let record = try await house.snapshotRecord(id)
        // Once it is cut it stays so: nobody need ask again below.
        try record.mustBeCut()
        let now = house.clock.now()
        // What is quickly told first: the condition may have to look at much.
        try await house.catalog.change { try Self.checkFree(id, now, $0) }
        if let condition { try await house.catalog.change(condition) }
        if try await house.catalog.change({ try $0.snapshotExport(id) }) != nil {
            // Reading a snapshot is no claim on it: its export ends, after what is in flight.
            await house.exports.withdraw(id)
            try await house.catalog.change { try $0.withdrawSnapshot(id) }
        }
        let task = house.newTask(.deleteSnapshot, about: id, of: record.account)
        return try await house.catalog.change { session in
            guard var snapshot = try session.snapshot(id), snapshot.isPresent else { throw Household.noSnapshot(id) }
            // Again, where nobody comes between: it may have been locked, or an image made of it, since.
            try Self.checkFree(id, now, session)
            try condition?(session)
            try recording?(session)
            if snapshot.state == .completed,
                let stay = try BinRules.stay(of: id, .snapshot, in: snapshot.account, at: now, session)
            {
                try session.set(bin: stay, ofSnapshot: id)
                // Whoever takes it out of the bin asks for these again.
                try session.set(releaseAt: nil, ofSnapshot: id)
                try session.deleteFastRestores(of: id)
                return nil
            }
            snapshot.isDeleted = true
            try session.update(snapshot)
            try session.bury(snapshot: id, of: snapshot.account)
            try session.recount(lineageOf: id, at: now)
            try session.insert(task)
            return task
        }
    }

    /// Refuses what is locked, and what an image needs.
    private static func checkFree(_ id: String, _ now: WallTime, _ session: CatalogSession) throws {
        if let lock = try session.lock(of: id), lock.state(at: now) != .expired {
            throw SnapshotService.locked(lock, "it cannot be deleted before")
        }
        if let image = try session.images(using: id).first {
            throw ServiceError(.inUse, .snapshot, "The snapshot \(id) is currently in use by \(image.id)")
        }
    }

    /// Takes up, or goes on with, a deletion that is recorded.
    func run(_ task: TaskRecord, _ id: String) async {
        _ = await house.runner.start(task) { try await attempt(id) }
    }

    private func attempt(_ id: String) async throws -> Attempt {
        guard let snapshot = try await house.catalog.change({ try $0.snapshot(id) }) else { return .done }
        switch snapshot.state {
        case .creating: return .wait("it is just being made")
        case .pending: return try await cancel(snapshot)
        case .error: return try await forgetFailed(snapshot)
        case .completed: return try await trash(snapshot)
        }
    }

    // MARK: Pending

    private func cancel(_ snapshot: SnapshotRecord) async throws -> Attempt {
        let id = snapshot.id
        if snapshot.copy != nil { return try await cancelCopy(snapshot) }
        if snapshot.written != nil { return try await cancelWriting(snapshot) }
        let clones = try await house.catalog.change { try $0.volumes(hydratingFrom: id) }
        if let clone = clones.first { return .wait(Self.restoring(clone, from: snapshot)) }
        guard let volume = house.desk.upload(of: id)?.view.volume else { return try await cancelOffDesk(snapshot) }
        guard let view = try await house.cuts(of: volume).last, view.snapshot == id else {
            return .wait("a later snapshot builds on it")
        }
        if let reason = try await rebaseClones(of: snapshot, view) { return .wait(reason) }
        // Outside the volume's lane: the writer may be inside a call on the store.
        guard let upload = try await house.remote.run({ house.desk.remove(id) }) else {
            return .wait("its upload has just ended")
        }
        // Whoever was cut meanwhile, and builds on it, waits for what becomes of it.
        defer { house.desk.hurry() }
        return try await house.lanes.run(snapshot.volumeID) {
            do {
                // A writer that had committed before it heard of the cancellation has recorded that.
                guard try await isPending(id) else { return .wait("its upload has just ended") }
                guard try await house.cuts(of: volume).last?.snapshot == id else {
                    house.desk.add(Upload(upload.view, of: snapshot.volumeID))
                    return .wait("a later snapshot builds on it")
                }
            } catch {
                // Still a pending one like any other: the next try finds it where this one did.
                house.desk.add(Upload(upload.view, of: snapshot.volumeID))
                throw error
            }
            // From here on a try that cannot go on leaves no cut, and nothing on the desk (``cancelOffDesk(_:)``).
            _ = try await house.local.run { volume.cancel(id, reason: "it was deleted") }
            Failpoint.hit("delete-snapshot.cancelled")
            try await recordCancelled(id)
            return .wait("its upload was cancelled")
        }
    }

    private func isPending(_ id: String) async throws -> Bool {
        try await house.catalog.change { try $0.snapshot(id)?.state } == .pending
    }

    /// A pending one that is not on the desk: its upload has just ended, and the record says so by now; or it has just been cut, and
    /// comes there before the volume's lane is left; or a try before this cancelled its cut and could not record that. Only that
    /// one is pending, off the desk and not cut: nobody else records it before the next start.
    private func cancelOffDesk(_ snapshot: SnapshotRecord) async throws -> Attempt {
        let id = snapshot.id
        return try await house.lanes.run(snapshot.volumeID) {
            guard house.desk.upload(of: id) == nil, try await isPending(id), try await !isCut(id) else {
                return .wait("its upload has just ended")
            }
            try await recordCancelled(id)
            return .wait("its upload was cancelled")
        }
    }

    /// Also in files that a roll back set aside.
    private func isCut(_ id: String) async throws -> Bool {
        try await house.local.run { [house] in
            house.live.allOpen.contains { $0.volume.pendingCuts.contains { $0.snapshot == id } }
        }
    }

    /// Nothing builds on a copy under way, nor is read from it. One that is not on the desk has just ended, or was deleted
    /// before a start, or is just being put there: then whoever takes it up finds that it is over.
    private func cancelCopy(_ snapshot: SnapshotRecord) async throws -> Attempt {
        let id = snapshot.id
        _ = try await house.remote.run { [house] in house.copies.remove(id) }
        try await recordCancelled(id)
        Failpoint.hit("delete-snapshot.copy.cancelled")
        house.neighbours.announceAnything()
        return .wait("its copying has ended")
    }

    /// Likewise. In the snapshot's lane, so that nobody opens the file of its pieces anew after it was removed.
    private func cancelWriting(_ snapshot: SnapshotRecord) async throws -> Attempt {
        let id = snapshot.id
        _ = try await house.remote.run { [house] in house.writings.remove(id) }
        return try await house.lanes.run(id) {
            try await recordCancelled(id)
            Failpoint.hit("delete-snapshot.write.cancelled")
            try await house.pieces.pool.run { [house] in house.pieces.discard(id) }
            return .wait("its writing has ended")
        }
    }

    /// A clone may have everything of a snapshot that is not completed, and count its changes from it.
    ///
    /// - Returns: what has to happen first, or nil.
    private func rebaseClones(of snapshot: SnapshotRecord, _ view: CutView?) async throws -> String? {
        let counting = try await house.openVolumes { $1.parent == snapshot.id }
        for (volumeID, volume) in counting where volume !== view?.volume {
            let rebase = Rebase(house: house, pending: view)
            if let reason = try await rebase.run(volumeID, volume, awayFrom: snapshot) { return reason }
        }
        let children = try await house.catalog.change { try $0.unfinishedChildren(ofSnapshot: snapshot.id) }
        return children.first.map { Self.building($0, on: snapshot) }
    }

    private static func restoring(_ clone: VolumeRecord, from snapshot: SnapshotRecord) -> String {
        "\(Household.name(clone.id, of: clone.account, for: snapshot.account)) is being restored from it"
    }
    private static func building(_ child: SnapshotRecord, on snapshot: SnapshotRecord) -> String {
        "\(Household.name(child.id, of: child.account, for: snapshot.account)) builds on it and is pending"
    }

    private func recordCancelled(_ id: String) async throws {
        let now = house.clock.now()
        try await house.catalog.change { session in
            guard var snapshot = try session.snapshot(id), snapshot.state == .pending else { return }
            snapshot.state = .error
            snapshot.reason = "it was deleted before it was completed"
            try session.update(snapshot)
            try session.deleteCopiedPacks(of: id)
            for kind in [TaskView.Kind.takeSnapshot, .copySnapshot, .writeSnapshot] {
                try session.endTasks(ofSubject: id, kind: kind.rawValue, as: .cancelled, nil, at: now)
            }
        }
        house.announce(id)
    }

    private func forgetFailed(_ snapshot: SnapshotRecord) async throws -> Attempt {
        let id = snapshot.id
        if let reason = try await rebaseClones(of: snapshot, nil) { return .wait(reason) }
        // A commit whose answer was lost, with a cut cancelled afterwards: the manifest must go as well.
        try await house.remote.run { [house] in
            let repository = try house.door.repository()
            do { try repository.delete(StoreDoor.id(id)) } catch RepositoryFailure.missing {}
            try repository.abandonUpload(StoreDoor.id(id))
        }
        try await forget(id)
        return .done
    }

    // MARK: Completed

    private func trash(_ snapshot: SnapshotRecord) async throws -> Attempt {
        let id = snapshot.id
        let clones = try await house.catalog.change { try $0.volumes(hydratingFrom: id) }
        if let clone = clones.first { return .wait(Self.restoring(clone, from: snapshot)) }
        let concerned = try await house.openVolumes {
            $0 == snapshot.volumeID || $1.parent == id || $1.source == id
        }
        for (volumeID, volume) in concerned {
            if let reason = try await Rebase(house: house).run(volumeID, volume, awayFrom: snapshot) {
                return .wait(reason)
            }
        }
        let children = try await house.catalog.change { try $0.unfinishedChildren(ofSnapshot: id) }
        if let child = children.first { return .wait(Self.building(child, on: snapshot)) }
        if let reason = try await copying(snapshot) { return .wait(reason) }
        // Marked as deleted before this looks: so either healing has seen that, or it is seen here.
        if house.care.isHealing(id) { return .wait("it is being healed") }
        Failpoint.hit("delete-snapshot.rebased")
        try await house.remote.run { [house] in
            let repository = try house.door.repository()
            do { try repository.delete(StoreDoor.id(id)) } catch RepositoryFailure.missing {}
            // What a healing left that was cut off: once the record is gone, nobody would know that it is nobody's. No
            // healing puts another, since it would have seen the mark of 1. A crash before this does all of it again.
            try repository.abandonUpload(StoreDoor.id(id))
        }
        Failpoint.hit("delete-snapshot.trashed")
        try await forget(id)
        return .done
    }

    /// A copy in some region is being made of it. Marked as deleted before this looks (``CopySnapshotTask``).
    private func copying(_ snapshot: SnapshotRecord) async throws -> String? {
        for other in house.neighbours.all {
            let copies = try await other.catalog.change { [region = house.region.name] session in
                try session.pendingCopies(of: snapshot.id, in: region)
            }
            guard let copy = copies.first else { continue }
            return "it is being copied to \(Household.name(copy.id, of: copy.account, for: snapshot.account))"
        }
        return nil
    }

    private func forget(_ id: String) async throws {
        let now = house.clock.now()
        try await house.catalog.change { session in
            // Once more: what built on it was pending when this was marked, and may need what it stored.
            try session.recount(lineageOf: id, at: now)
            try session.deleteSnapshot(id)
        }
        house.inheritance.lookSoon()
        Failpoint.hit("delete-snapshot.forgotten")
        house.announce(id)
    }
}
