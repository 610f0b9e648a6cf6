internal import Blocks
internal import Catalog
internal import Repository
internal import VolumeEngine

/// Sets a volume's content back to one of its snapshots.
///
/// 1. Find what differs between the volume's parent and the snapshot; the volume knows what changed since its parent.
/// 2. Record the task, and the snapshot as the volume's source, so that nobody deletes it meanwhile.
///                                                                 Undo: the old source; the task failed.
/// 3. The engine's roll back: one durable change of the volume's record.   Before it nothing happened, after it all.
/// 4. Record the end. What differs is fetched on demand and in the background.
///
/// Refused while the volume is attached, but to an instance that is stopped: then its exports are withdrawn as long as it takes,
/// and a crash meanwhile finds it attached as it was. While snapshots of it are pending their content is in its files, so it is given
/// other ones instead: see ``RollBackAside``. A crash before 3 is undone at the next start, a crash after it is finished.
struct RollBackVolume: Sendable {
    let house: Household

    /// Rolls back.
    func run(_ id: String, to snapshot: String) async throws {
        try Identifier.volume.check(id, .volume)
        // Snapshots come and go, and the parent with them, while the difference is sought outside the lane.
        for _ in 0..<5 {
            let target = try await house.restorableSnapshot(snapshot)
            let volume = try await check(id, target)
            if target.state == .completed { try await house.requireKey(target.dataKey) }
            let parent = try await house.status(of: volume).parent
            let isBusy = try await !house.cuts(of: volume).isEmpty
            let changed = isBusy ? nil : try await changes(from: parent, to: target)
            let host = try await attachment(of: id)?.host
            // In the instance's lane, too, so that nobody starts it meanwhile.
            let isDone = try await house.lanes.run([id] + (host.map { [$0] } ?? [])) {
                let volume = try await check(id, target)
                guard try await attachment(of: id)?.host == host else { return false }
                if try await !house.cuts(of: volume).isEmpty {
                    try await withdrawn(id) {
                        try await RollBackAside(house: house).run(id, volume, to: target, of: target.account)
                    }
                    return true
                }
                let isSame = try await house.status(of: volume).parent == parent
                guard !isBusy, isSame, target.state == .completed else { return false }
                try await withdrawn(id) { try await rollBack(id, volume, target, changed) }
                return true
            }
            if isDone { return }
        }
        throw ServiceError(.wrongState, .volume, "snapshots of \(id) come and go: try again later")
    }

    private func check(_ id: String, _ target: SnapshotRecord) async throws -> Volume {
        let record = try await house.volumeRecord(id)
        guard record.state == .available else {
            throw ServiceError(.wrongState, .volume, "the volume \(id) is \(record.state.rawValue)")
        }
        try await checkAttachment(id)
        guard target.volumeSize <= record.size else {
            throw ServiceError(.invalid, .volume, "the snapshot \(target.id) is larger than the volume \(id)")
        }
        if let damage = try await house.catalog.change({ try $0.damage(of: target.id) }) {
            throw ServiceError.degraded(damage, "create a new volume from it with holes there (--skip-damaged)")
        }
        let own = try await house.volumeRecord(id)
        // A copy is of its volume's lineage, and may have another key or one at all.
        guard target.dataKey == own.dataKey else {
            throw ServiceError(
                .invalid, .snapshot,
                "the snapshot \(target.id) is encrypted otherwise than \(id): create a volume from it instead")
        }
        let volume = try house.live.open(id)
        guard try await isLineage(volume, id, target) else {
            throw ServiceError(
                .invalid, .snapshot,
                "the snapshot \(target.id) is not of the volume \(id): create a volume from it instead")
        }
        return volume
    }

    func attachment(of id: String) async throws -> AttachmentRecord? {
        try await house.catalog.change { try $0.volumeAttachment(id) }
    }

    /// Refused while it is attached, but to one instance, which is stopped.
    func checkAttachment(_ id: String) async throws {
        guard let present = try await attachment(of: id) else { return }
        let count = try await house.catalog.change { try $0.volumeAttachments(ofVolume: id) }.count
        guard count == 1, let instance = try await house.catalog.change({ try $0.instance(present.host) }) else {
            throw ServiceError(.inUse, .volume, "the volume \(id) is attached: detach it first")
        }
        guard instance.state == .stopped else {
            throw ServiceError(
                .inUse, .instance,
                "the volume \(id) is attached to \(instance.id), which is \(instance.state.rawValue): stop that, or detach "
                    + "the volume, first")
        }
    }

    /// Runs `body` while nobody can reach the volume; afterwards it is offered where it was, whatever came of it.
    ///
    /// In the lanes of the volume and of the instance: nobody attaches, detaches, starts or terminates meanwhile. A crash finds it
    /// recorded as attached, and the next start offers it, after it has undone or finished the roll back. Attached is what is
    /// offered: where it cannot be any more, it is attached no more, and says so.
    func withdrawn(_ id: String, _ body: () async throws -> Void) async throws {
        guard let present = try await attachment(of: id) else { return try await body() }
        await house.exports.withdraw(present.export)
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        do { try await publish(id, present) } catch {
            try await house.catalog.change { try $0.detachVolume(id, from: present.host) }
            house.announce(id)
            try outcome.get()
            throw ServiceError(
                .unavailable, .attachment,
                "the content of \(id) is the other one, but it could not be offered to \(present.host) again (\(error)): attach it anew"
            )
        }
        try outcome.get()
    }

    private func publish(_ id: String, _ attachment: AttachmentRecord) async throws {
        let record = try await house.volumeRecord(id)
        try await house.exports.publish(
            ExportOffer(
                attachment.export, device: try house.live.open(id), at: attachment.place, pace: house.pace(of: record)))
        house.announce(id)
    }

    /// A snapshot of this volume, or one that it was made from.
    private func isLineage(_ volume: Volume, _ id: String, _ target: SnapshotRecord) async throws -> Bool {
        if target.volumeID == id { return true }
        let parent = try await house.status(of: volume).parent
        return try await house.catalog.change { session in
            var next = parent
            var seen: Set<String> = []
            while let current = next, seen.insert(current).inserted {
                if current == target.id { return true }
                next = try session.snapshot(current)?.parentID
            }
            return false
        }
    }

    /// Beyond this the engine takes a fresh file anyway.
    private static let listMax = 20_000

    private func changes(from parent: String?, to target: SnapshotRecord) async throws -> [BlockRange]? {
        guard let parent else { return nil }
        if parent == target.id { return [] }
        return try await house.remote.run { [house] in
            let repository = try house.door.repository()
            do {
                let diff = try repository.diff(from: StoreDoor.id(parent), to: StoreDoor.id(target.id))
                let ranges = try diff.ranges(limit: Self.listMax + 1)
                return ranges.count <= Self.listMax ? ranges : nil
            } catch RepositoryFailure.missing { return nil }
        }
    }

    private func rollBack(
        _ id: String, _ volume: Volume, _ target: SnapshotRecord, _ difference: [BlockRange]?
    ) async throws {
        let task = house.newTask(.rollBackVolume, about: id, of: target.account, argument: target.id)
        let old = try await begin(id, target, task)
        Failpoint.hit("roll-back.recorded")
        do {
            let source = house.source(of: target)
            try await house.local.run {
                try volume.rollBack(to: target.id, source: source, changed: difference)
            }
            Failpoint.hit("roll-back.done")
        } catch {
            let failed = house.ended(task, .failed, "\(error)")
            // Only opening anew tells whether the engine's record got through.
            if volume.isFailed { await reopen(old, volume, target) }
            let isRolledBack = (try? await house.status(of: house.live.open(id)).source) == target.id
            let isUnchanged = !isRolledBack
            try? await house.catalog.change { session in
                if isUnchanged { try session.update(old) }
                _ = try session.update(failed)
            }
            throw error
        }
        house.hydrations.add(id)
        let ended = house.ended(task, .succeeded)
        try await house.catalog.change { session in
            try session.setHoles(nil, of: id)
            try session.update(ended)
        }
        house.announce(id)
    }

    private func reopen(_ record: VolumeRecord, _ volume: Volume, _ target: SnapshotRecord) async {
        try? await house.local.run { try? volume.close() }
        await OpenVolume(house: house).run(record)
    }

    /// - Returns: the volume's record before.
    private func begin(_ id: String, _ target: SnapshotRecord, _ task: TaskRecord) async throws -> VolumeRecord {
        try await house.catalog.change { session in
            guard let record = try session.volume(id) else { throw Household.noVolume(id) }
            guard try session.snapshot(target.id)?.isPresent == true else { throw Household.noSnapshot(target.id) }
            var restoring = record
            restoring.sourceSnapshot = target.id
            try session.update(restoring)
            try session.insert(task)
            return record
        }
    }
}
