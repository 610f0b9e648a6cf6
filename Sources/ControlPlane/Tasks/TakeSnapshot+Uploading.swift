internal import Blocks
internal import Catalog
internal import Repository
internal import VolumeEngine

/// Steps 4 to 7. Everything here blocks and runs on the upload desk's threads.
extension TakeSnapshot {
    /// One try.
    func upload(_ upload: Upload) -> UploadDesk.Verdict {
        do {
            if let reason = upload.view.givenUpReason { return try giveUp(upload, reason) }
            // It counts as running before this looks: so either healing has seen it, or is seen here.
            if let parent = upload.parent, house.care.isHealing(parent) { return .again(after: .seconds(1)) }
            if let parent = try pendingParent(of: upload) {
                return again(upload, "the snapshot \(parent), which it builds on, is not stored yet")
            }
            let manifest = try write(upload)
            Failpoint.hit("snapshot.uploaded")
            try complete(upload, manifest)
            return .finished
        } catch RepositoryFailure.cancelled {
            // Deleted, or the house closes: whoever cancelled it decides what becomes of it.
            return .again(after: .zero)
        } catch {
            return react(to: error, of: upload)
        }
    }

    /// The parent, if there is nothing of it to build on yet. The desk lets no child run while its parent is on it, so this one left
    /// it, or never came to it:
    ///
    /// * It is being deleted, and this one was cut before the deletion got the volume's lane. The deletion then puts it back, because
    ///   this one builds on it, or has cancelled it, and this one builds on what is below; it hurries the desk afterwards.
    /// * It is of another volume that could not be opened. It may be at the next start, and what this one lacks is there, too.
    /// * It was completed a moment ago: then its record says so, and this asks the record.
    private func pendingParent(of upload: Upload) throws -> String? {
        guard let parent = upload.parent else { return nil }
        return try house.catalog.changeWaiting { try $0.snapshot(parent)?.state } == .pending ? parent : nil
    }

    private func write(_ upload: Upload) throws -> Manifest {
        let id = upload.snapshot
        let (found, damage) = try house.catalog.changeWaiting { session in
            (try session.snapshot(id), try upload.parent.flatMap { try session.damage(of: $0) })
        }
        guard let snapshot = found else {
            throw RepositoryFailure.broken("the snapshot is not in the catalog any more")
        }
        var options = UploadOptions(memory: house.uploadMemory, isBackground: true)
        // What the parent lost is not inherited, as far as the volume still has it.
        options.distrusted = damage?.runs ?? []
        options.progress = { [house] _ in house.bulletin.announce(id) }
        let writer = try house.door.repository().writer(
            try SnapshotPlan(snapshot, on: upload.parent, tags: ["group": snapshot.groupID]),
            content: CutContent(upload.view), options: options)
        guard upload.begin(writer) else { throw RepositoryFailure.cancelled }
        let manifest = try writer.run()
        upload.note(problem: nil)
        return manifest
    }

    private func complete(_ upload: Upload, _ manifest: Manifest) throws {
        let id = upload.snapshot, now = house.clock.now()
        let (isDoubtful, policy) = try house.catalog.changeWaiting { session in
            if var snapshot = try session.snapshot(id) {
                snapshot.state = .completed
                snapshot.reason = nil
                snapshot.changed = manifest.changedBytes
                snapshot.stored = manifest.storedBytes
                snapshot.full = manifest.fullBytes
                snapshot.completedAt = manifest.completed
                try session.update(snapshot)
            }
            try session.endTasks(ofSubject: id, kind: TaskView.Kind.takeSnapshot.rawValue, as: .succeeded, nil, at: now)
            let isDoubtful = try upload.parent.flatMap { try session.damage(of: $0) } != nil
            return (isDoubtful, try session.policySnapshot(id)?.policyID)
        }
        if isDoubtful { house.scrub.lookSoon() }
        house.fast.lookSoon()
        house.desk.noteCompleted(stored: manifest.storedBytes)
        Failpoint.hit("snapshot.completed")
        upload.view.volume.finish(id)
        Failpoint.hit("snapshot.finished")
        house.announce(id, upload.volume)
        if let policy { house.scheduler.look(at: policy) }
    }

    /// The store may come back, and a key at the next start; nothing else mends itself.
    private func react(to error: any Error, of upload: Upload) -> UploadDesk.Verdict {
        let reason = ServiceError.from(error, .snapshot).message
        house.desk.noteFailure()
        if Self.isPermanent(error) {
            do {
                if try isNeededHere(upload) { return again(upload, reason) }
                let verdict = try giveUp(upload, reason)
                if Self.isParentLost(error), let parent = upload.parent {
                    makeNextFull(upload.view.volume, instead: parent)
                }
                return verdict
            } catch {
                return .again(after: .seconds(1))
            }
        }
        return again(upload, reason)
    }

    /// Is a volume being restored from it? Its content may be nowhere else, so it is kept until that has all it needs.
    private func isNeededHere(_ upload: Upload) throws -> Bool {
        let id = upload.snapshot
        return try !house.catalog.changeWaiting { try $0.volumes(hydratingFrom: id) }.isEmpty
    }

    private func again(_ upload: Upload, _ reason: String) -> UploadDesk.Verdict {
        let pause = upload.course.pause(after: reason)
        house.bulletin.announce(upload.snapshot)
        return .again(after: pause)
    }

    /// Can no retry mend it? The store may come back, a full disk may get room, a source may be reachable again.
    static func isPermanent(_ error: any Error) -> Bool {
        switch error {
        case RepositoryFailure.alreadyExists, RepositoryFailure.corrupt, RepositoryFailure.broken,
            RepositoryFailure.parentGone, RepositoryFailure.invalid, RepositoryFailure.missing,
            RepositoryFailure.content(.outOfRange), RepositoryFailure.content(.io), RepositoryFailure.content(.failed),
            RepositoryFailure.content(.corrupt), RepositoryFailure.content(.readOnly):
            true
        default: false
        }
    }

    /// The snapshot cannot be finished: its changes count as changes of the volume again, and so do those of later
    /// ones, which find themselves given up at their own turn.
    private func giveUp(_ upload: Upload, _ reason: String) throws -> UploadDesk.Verdict {
        let id = upload.snapshot, now = house.clock.now()
        let origin = upload.view.volume
        _ = origin.cancel(id, reason: reason)
        for (_, volume) in house.live.allOpen where volume !== origin && volume.status.parent == id {
            makeNextFull(volume, instead: id)
        }
        try house.catalog.changeWaiting { session in
            if var snapshot = try session.snapshot(id), snapshot.state != .completed {
                snapshot.state = .error
                snapshot.reason = reason
                try session.update(snapshot)
            }
            try session.endTasks(ofSubject: id, kind: TaskView.Kind.takeSnapshot.rawValue, as: .failed, reason, at: now)
        }
        unpin(upload)
        house.announce(id, upload.volume)
        return .finished
    }

    /// A failed snapshot's pin would keep its packs, and all that its parent needs, for as long as nobody deletes it; and
    /// if it failed because its parent is damaged, stop every reclaim once that is in the trash.
    ///
    /// Its writer has ended: this is the thread that ran it. No other will be made: the record says `error`, and the cut
    /// is given up durably, so that no start takes it up again. A cut that could not be given up keeps its pin: a start
    /// may have to finish it for later ones. What fails here, or dies before, the caretaker's rounds do.
    private func unpin(_ upload: Upload) {
        guard upload.view.givenUpReason != nil else { return }
        try? house.door.repository().abandonUpload(StoreDoor.id(upload.snapshot))
    }

    private static func isParentLost(_ error: any Error) -> Bool {
        switch error {
        case RepositoryFailure.parentGone, RepositoryFailure.corrupt: true
        default: false
        }
    }

    /// The parent's data cannot be trusted, is gone, or never came: the next snapshot builds on none.
    private func makeNextFull(_ volume: Volume, instead parent: String) {
        // Refused while other cuts are pending: they fail for the same reason and come here in their turn.
        try? volume.makeNextFull(instead: parent)
    }
}
