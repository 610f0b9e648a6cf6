internal import Blocks
internal import Catalog
internal import VolumeEngine

/// Deletes a volume. Its snapshots stay.
///
/// One for which a rule of the bin holds is put there instead, by a mark in its record. It stays open, so its pending snapshots
/// are uploaded and what it is restored from goes on arriving. When its time is over the same begins from there.
///
/// 1. Mark it `deleting`, with a task.                            From here on only forward.
/// 2. Where its owner wants that, delete the snapshots that policies took of it, but for those that were taken back. Wait until none of its snapshots is pending: they
///    read from its files.
/// 3. Close it and remove its files.
/// 4. Remove the record.
/// Each step may run twice.
struct DeleteVolume: Sendable {
    let house: Household

    /// Step 1, then the first try of the rest; or into the bin.
    ///
    /// - Parameters:
    ///   - detaching: detach it first, if it is attached; otherwise that is refused.
    ///   - days: how long it is kept in the bin at least, whatever the rules say; nil: as they say.
    ///   - mayGo: asked with its attachments, in its lane and in the transaction that marks it.
    /// - Returns: false if it may not: then nothing was done.
    @discardableResult
    func begin(
        _ id: String, detaching: Bool = false, keptFor days: Int? = nil,
        where mayGo: @escaping @Sendable ([AttachmentRecord]) -> Bool = { _ in true }
    ) async throws -> Bool {
        do {
            guard let task = try await house.lanes.run(id, { try await mark(id, detaching, days, mayGo) }) else {
                Failpoint.hit("delete-volume.binned")
                house.bin.lookSoon()
                house.announce(id)
                return true
            }
            await goOn(task, id)
            return true
        } catch is MustStay { return false }
    }

    private struct MustStay: Error {}

    /// The same with what is in the bin and `mayGo`; else ``ServiceError/Code/missing``. In one transaction, so that it is
    /// restored before or not at all.
    func begin(fromBin id: String, where mayGo: @escaping @Sendable (BinStay, CatalogSession) throws -> Bool)
        async throws
    {
        let task = try await house.lanes.run(id) {
            try await house.catalog.change { [house] session in
                guard var volume = try session.volume(id), let stay = volume.bin, try mayGo(stay, session) else {
                    throw Household.noVolume(id)
                }
                let task = house.newTask(.deleteVolume, about: id, of: volume.account)
                volume.state = .deleting
                try session.set(bin: nil, ofVolume: id)
                try session.update(volume)
                try session.insert(task)
                return task
            }
        }
        await goOn(task, id)
    }

    private func goOn(_ task: TaskRecord, _ id: String) async {
        Failpoint.hit("delete-volume.recorded")
        house.announce(id)
        await run(task, id)
    }

    /// Nil: it is in the bin.
    private func mark(
        _ id: String, _ detaching: Bool, _ days: Int?, _ mayGo: @escaping @Sendable ([AttachmentRecord]) -> Bool
    ) async throws -> TaskRecord? {
        let record = try await house.volumeRecord(id)
        guard record.state != .deleting else {
            throw ServiceError(.wrongState, .volume, "the volume \(id) is being deleted already")
        }
        let attachments = try await house.catalog.change { try $0.volumeAttachments(ofVolume: id) }
        guard mayGo(attachments) else { throw MustStay() }
        if !attachments.isEmpty {
            guard detaching else {
                throw ServiceError(.inUse, .volume, "the volume \(id) is attached: detach it first")
            }
            try await house.withdraw(volume: id)
        }
        let task = house.newTask(.deleteVolume, about: id, of: record.account)
        var deleting = record
        deleting.state = .deleting
        let marked = deleting, now = house.clock.now()
        return try await house.catalog.change { session in
            guard mayGo(try session.volumeAttachments(ofVolume: id)) else { throw MustStay() }
            if detaching { try session.detachVolume(id) }
            // An unfinished import is nothing that anyone would want back.
            let ruled = try BinRules.stay(of: id, .volume, in: record.account, at: now, session)
            let asked = days.map { BinStay(since: now, until: now + .seconds($0 * 86_400)) }
            if record.state == .available,
                let stay = [ruled, asked].compactMap(\.self).max(by: { $0.until < $1.until })
            {
                try session.set(bin: stay, ofVolume: id)
                return nil
            }
            try session.update(marked)
            try session.insert(task)
            return task
        }
    }

    /// Takes up, or goes on with, a deletion that is recorded.
    func run(_ task: TaskRecord, _ id: String) async {
        _ = await house.runner.start(task) { try await attempt(id) }
    }

    private func attempt(_ id: String) async throws -> Attempt {
        try await deletePolicySnapshots(of: id)
        let attempt: Attempt = try await house.lanes.run(id) {
            guard let record = try await house.catalog.change({ try $0.volume(id) }) else { return .done }
            if let first = try await pendingSnapshot(in: id) { return .wait("\(first) is pending") }
            try await remove(record)
            try await house.catalog.change { try $0.deleteVolume(id) }
            return .done
        }
        house.announce(id)
        return attempt
    }

    /// Outside the volume's lane, in which what builds on them is re-based. The record says so until the volume is gone, so a stop
    /// loses nothing.
    private func deletePolicySnapshots(of id: String) async throws {
        let doomed = try await house.catalog.change { session -> [String] in
            guard let volume = try session.volume(id), try session.wishes(ofVolume: id).takesPolicySnapshots else {
                return []
            }
            let all = try session.snapshots(of: volume.account, volume: id).filter(\.isPresent).map(\.id)
            let policies = try session.details(ofSnapshots: all).policies
            // Each try asks again, and its owner may have taken one back from the bin meanwhile.
            return all.filter { policies[$0]?.isReleased == false }
        }
        for snapshot in doomed {
            do { try await DeleteSnapshot(house: house).begin(snapshot, waiting: false) } catch let error
                as ServiceError
            {
                // It is locked, an image needs it, or it was deleted just now.
                guard [.locked, .inUse, .missing].contains(error.code) else { throw error }
            }
        }
    }

    /// A snapshot that is uploaded from the volume's files. What a roll back set aside is another volume's affair; a
    /// quarantined volume has no cut to read from, and nobody waits for its snapshots.
    private func pendingSnapshot(in id: String) async throws -> String? {
        guard case .open(let volume) = house.live[id] else { return nil }
        let cuts = try await house.cuts(of: volume).map(\.snapshot)
        return try await house.catalog.change { session in
            for cut in cuts where try session.snapshot(cut)?.state == .pending { return cut }
            return nil
        }
    }

    private func remove(_ record: VolumeRecord) async throws {
        let id = record.id
        house.hydrations.remove(id)
        let entry = house.live[id]
        try await house.local.run { [house] in
            // Its content is not wanted any more, so a failure to sync it is no reason to keep it.
            if case .open(let volume) = entry { try? volume.close() }
            try Volume.destroy(at: house.directory.files(of: record), in: house.environment)
        }
        house.live.set(id, nil)
        house.paces.remove(id)
        Failpoint.hit("delete-volume.removed")
    }
}
