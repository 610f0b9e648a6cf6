internal import Blocks
internal import Catalog
internal import Repository
internal import VolumeEngine

/// Makes a volume count its changes from another snapshot, because the one it counts from is to be deleted (G6).
///
/// The new parent is the nearest older completed snapshot of the same volume or of the deleted one's volume; what
/// differs between the two counts as changed. Without one, everything allocated counts as changed.
///
/// A snapshot that is still pending is not in the store to be compared with: then the new parent is its own parent, and its
/// cut knows what changed between the two.
///
/// The new parent may itself be deleted while we work. Its deletion marks it first and looks at the volumes' parents
/// then; we set the parent first and look at the mark then. So at least one of the two sees the other, and
/// whoever does re-bases once more.
struct Rebase: Sendable {
    let house: Household
    /// The cut of the snapshot to be deleted, if that is pending.
    var pending: CutView?

    /// - Returns: nil when the volume does not build on `old` (any more), or what has to happen first.
    func run(_ volumeID: String, _ volume: Volume, awayFrom old: SnapshotRecord) async throws -> String? {
        var old = old
        while true {
            let target = try await target(volumeID, old)
            let changed = try await changes(from: target, to: old)
            let result = try await house.lanes.run(volumeID) {
                if let reason = try await obstacle(volumeID, volume, old) { return Result.wait(reason) }
                guard try await house.status(of: volume).parent == old.id else { return .done }
                try await rebase(volume, old.id, target?.id, changed)
                guard try await house.status(of: volume).parent != old.id else {
                    return .wait("\(volumeID) still builds on it")
                }
                guard let target, try await isDeleted(target.id) else { return .done }
                return .again(target)
            }
            switch result {
            case .done: return nil
            case .wait(let reason): return reason
            case .again(let next): old = next
            }
        }
    }
    private enum Result: Sendable { case done, wait(String), again(SnapshotRecord) }

    /// The engine's durable parent moves on only when a cut is settled, and falls back to the older one when a cut is
    /// given up. So nothing unsettled may count from `old`.
    private func obstacle(_ volumeID: String, _ volume: Volume, _ old: SnapshotRecord) async throws -> String? {
        let status = try await house.status(of: volume)
        if status.source == old.id {
            let owner = try await house.catalog.change { try $0.volume(volumeID)?.account }
            return "\(Household.name(volumeID, of: owner, for: old.account)) is being restored from it"
        }
        for id in status.pendingSnapshots {
            if id == old.id { return "\(volumeID) is putting its own changes in order" }
            let record = try await house.catalog.change { try $0.snapshot(id) }
            if record == nil || record?.parentID == old.id { return "\(id) builds on it and is not settled" }
        }
        return nil
    }

    private func isDeleted(_ id: String) async throws -> Bool {
        try await house.catalog.change { try $0.snapshot(id)?.isDeleted } ?? true
    }

    private func target(_ volumeID: String, _ old: SnapshotRecord) async throws -> SnapshotRecord? {
        if old.state != .completed {
            guard let parent = pending?.parent else { return nil }
            let record = try await house.catalog.change { try $0.snapshot(parent) }
            return record?.state == .completed && record?.isDeleted == false ? record : nil
        }
        return try await house.catalog.change { session in
            let own = try session.snapshots(ofVolume: volumeID)
            let lineage = volumeID == old.volumeID ? own : own + (try session.snapshots(ofVolume: old.volumeID))
            return lineage.filter {
                // Copies are of the volume they come from, and may be another account's or have another key.
                $0.id != old.id && $0.state == .completed && !$0.isDeleted && $0.createdAt <= old.createdAt
                    && $0.account == old.account && $0.dataKey == old.dataKey
            }.max { $0.createdAt < $1.createdAt }
        }
    }

    /// What differs between the two, or nil when that cannot be told: then everything counts as changed.
    private func changes(from target: SnapshotRecord?, to old: SnapshotRecord) async throws -> [BlockRange]? {
        guard let target else { return nil }
        if old.state != .completed {
            guard let view = pending, view.parent == target.id else { return nil }
            return try await house.local.run { try Self.changes(of: view) }
        }
        return try await house.remote.run { [house] in
            let repository = try house.door.repository()
            do {
                return try repository.diff(from: StoreDoor.id(target.id), to: StoreDoor.id(old.id)).ranges()
            } catch RepositoryFailure.missing, RepositoryFailure.corrupt, RepositoryFailure.keyMissing {
                // Without its key a snapshot can still be deleted; the next one is full then.
                return nil
            }
        }
    }

    private static func changes(of view: CutView) throws(BlockFailure) -> [BlockRange] {
        var runs: [BlockRange] = []
        while let run = try view.nextChange(from: runs.last?.end ?? 0) { runs.append(run) }
        return runs
    }

    private func rebase(_ volume: Volume, _ old: String, _ target: String?, _ changed: [BlockRange]?) async throws {
        try await house.local.run {
            // Ascending runs, asked for in order.
            var next = 0
            try volume.rebase(from: old, to: changed == nil ? nil : target) { (block) throws(BlockFailure) in
                guard let changed else { return try volume.nextAllocated(from: block) }
                while next < changed.count, changed[next].end <= block { next += 1 }
                return next < changed.count ? changed[next] : nil
            }
        }
    }
}
