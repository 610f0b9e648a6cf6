internal import Blocks
internal import Catalog
internal import VolumeEngine

/// Sets a volume back while snapshots of it are pending, or to what it was made with. The pending ones' content is in its files, so
/// these are set aside whole, and the volume goes on with new ones that are restored from the snapshot, which may itself be one of
/// the pending, or are empty.
///
/// 1. Record the task, and a volume `creating` that nobody knows.          Undo: remove the record; the task failed.
/// 2. Make its files, restored from the snapshot, and open them.           Undo: remove the files.
/// 3. Exchange the files of the two in one transaction: the volume has the new ones; the other has the old ones and is
///    `deleting`, as files that only pending snapshots need always are.    The commit: from here on only forward.
/// 4. The uploads go on from the old files; when the last of them has ended the files go (``DeleteVolume``).
/// A crash before 3 is undone at the next start: nobody was told of the other volume. After it, opening finds each with
/// its files.
///
/// Runs in the volume's lane, so no snapshot of it is half made, and nobody attaches it or starts its instance meanwhile.
struct RollBackAside: Sendable {
    let house: Household
    /// What its task is.
    var kind = TaskView.Kind.rollBackVolume

    /// Rolls back. The volume is offered to nobody.
    ///
    /// - Parameter target: nil: to zeros.
    func run(_ id: String, _ old: Volume, to target: SnapshotRecord?, of account: String) async throws {
        if old.isFailed {
            throw ServiceError(.wrongState, .volume, "the volume \(id) failed: stop the server and start it again")
        }
        let other = Identifier.volume.next()
        let task = house.newTask(kind, about: id, of: account, argument: target?.id)
        let made = try await begin(id, other, target, task)
        Failpoint.hit("roll-back.aside.recorded")
        let release = house.newTask(.deleteVolume, about: other, of: account, argument: id)
        var new: Volume?
        do {
            let volume = try await MakeVolume(house: house, account: account).makeFiles(of: made, from: target)
            new = volume
            Failpoint.hit("roll-back.aside.made")
            try await exchange(id, other, task, release)
            Failpoint.hit("roll-back.aside.exchanged")
            volume.setAside(old)
            house.live.set(other, .open(old))
            house.live.set(id, .open(volume))
        } catch {
            await undo(made, new, task, "\(error)")
            throw error
        }
        for volume in [id, other] { house.hydrations.add(volume) }
        house.announce(id, other)
        await DeleteVolume(house: house).run(release, other)
    }

    private func begin(
        _ id: String, _ other: String, _ target: SnapshotRecord?, _ task: TaskRecord
    ) async throws -> VolumeRecord {
        try await house.catalog.change { [now = house.clock.now()] session in
            guard let record = try session.volume(id) else { throw Household.noVolume(id) }
            if let target {
                guard try session.snapshot(target.id)?.isPresent == true else { throw Household.noSnapshot(target.id) }
            }
            var made = VolumeRecord(
                id: other, name: nil, state: .creating, size: record.size, sourceSnapshot: target?.id, createdAt: now)
            made.account = record.account
            made.asideOf = id
            made.dataKey = record.dataKey
            made.keyID = record.keyID
            try session.insert(made)
            try session.insert(task)
            return made
        }
    }

    private func exchange(_ id: String, _ other: String, _ task: TaskRecord, _ release: TaskRecord) async throws {
        let ended = house.ended(task, .succeeded)
        try await house.catalog.change { session in
            guard var mine = try session.volume(id), var aside = try session.volume(other) else {
                throw Household.noVolume(id)
            }
            swap(&mine.files, &aside.files)
            swap(&mine.sourceSnapshot, &aside.sourceSnapshot)
            aside.state = .deleting
            try session.update(mine)
            try session.update(aside)
            try session.setHoles(mine.holes, of: other)
            try session.setHoles(nil, of: id)
            try session.update(ended)
            try session.insert(release)
        }
    }

    /// What cannot be undone now is undone at the next start. If it is not known whether the exchange got through, both
    /// files are left alone, and the volume too until the next start knows: it may have the other content by then.
    private func undo(_ made: VolumeRecord, _ new: Volume?, _ task: TaskRecord, _ reason: String) async {
        let found = try? await house.catalog.change { try $0.volume(made.id) }
        var expected = made
        // A rotation may have come between; that is of no account here.
        expected.keyID = found?.keyID
        guard found == expected else {
            let why = "its roll back ended in doubt (\(reason)); start the server again"
            if let id = made.asideOf { house.live.set(id, .quarantined(why)) }
            return
        }
        let failed = house.ended(task, .failed, reason)
        do {
            try await house.local.run { [house] in
                try? new?.close()
                try Volume.destroy(at: house.directory.files(of: made), in: house.environment)
            }
            try await house.catalog.change { session in
                try session.deleteVolume(made.id)
                try session.update(failed)
            }
        } catch {}
    }
}
