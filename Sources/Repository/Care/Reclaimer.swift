internal import Blocks
internal import ObjectStore

/// Frees what nobody needs.
///
/// 1. Look at everything (``Census``). Any doubt ends it here, with nothing deleted.
/// 2. A pack that nothing live needs is a candidate; `reclaim/candidates` keeps since when, by the store's clock.
/// 3. Free the candidates of an earlier look that are still unneeded after the grace period, and not needed by a
///    snapshot deleted within it. With no grace the earlier look is made right here.
///
/// Two looks, because one look is not an instant: a parent may be deleted, and a child pinned, while it lasts. A writer
/// pins first and then finds its parent undeleted; so a look at which the parent is deleted is followed by one that
/// sees the pin. Deleted manifests go before their packs: a writer that slept past the grace period finds its parent
/// gone, and does not commit.
///
/// Of a deleted snapshot that is damaged nobody can say what it needs while its grace period runs. Then no pack at all is
/// freed; all else goes on, so that the time of other packs runs meanwhile, and the trash empties.
struct Reclaimer {
    let repository: Repository
    let plan: ReclaimPlan

    func run() throws(RepositoryFailure) -> ReclaimReport {
        let now = try storeTime()
        var since = try candidates()
        if plan.grace <= .zero {
            let first = try Census(of: repository)
            let live = try first.needed(pins: plan.pins)
            since = Dictionary(uniqueKeysWithValues: first.packs.keys.filter { !live.contains($0) }.map { ($0, now) })
            return try free(since, trashed: Set(first.trash.keys), now: now)
        }
        return try free(since, trashed: nil, now: now)
    }

    /// The second look, and what follows from it. `trashed`: only these may leave the trash (nil: any expired one).
    private func free(
        _ since: [PackName: WallTime], trashed: Set<SnapshotID>?, now: WallTime
    ) throws(RepositoryFailure) -> ReclaimReport {
        let census = try Census(of: repository)
        let limit = WallTime(milliseconds: now.milliseconds - milliseconds(plan.grace))
        let protected = census.protected(plan.pins)
        let expired = census.trash.filter { id, deleted in
            deleted <= limit && !protected.contains(id) && trashed?.contains(id) ?? true
        }
        let live = try census.needed(pins: plan.pins)
        var kept = live
        var doubts: [Finding] = []
        for id in census.trash.keys.sorted() where expired[id] == nil && !protected.contains(id) {
            do throws(RepositoryFailure) {
                guard let manifest = try repository.findManifest(id, alsoTrashed: true) else { continue }
                kept.formUnion(try repository.packs(of: manifest))
            } catch {
                // Only of what is in the trash and counted as live by nobody: above, damage has ended it already.
                guard case .corrupt(let object, _, let reason) = error else { throw error }
                doubts.append(Finding(object: object, snapshot: id, blocks: nil, problem: reason))
            }
        }
        let unneeded = census.packs.filter { !live.contains($0.key) }
        let due = unneeded.filter { pack, _ in
            guard doubts.isEmpty, let first = since[pack] else { return false }
            return first <= limit && !kept.contains(pack)
        }
        var report = ReclaimReport()
        report.doubts = doubts
        try remove(expired.keys.map { repository.keys.trashed($0) })
        report.manifestsFreed = expired.count
        Failpoint.hit("reclaim.trash.removed")
        try remove(due.keys.map { repository.keys.pack($0) })
        Failpoint.hit("reclaim.packs.removed")
        report.packsFreed = due.count
        report.bytesFreed = due.values.reduce(.zero, +)
        let waiting = unneeded.filter { due[$0.key] == nil }
        report.packsWaiting = waiting.count
        report.bytesWaiting = waiting.values.reduce(.zero, +)
        try record(waiting.keys, since, now)
        return report
    }

    private func remove(_ keys: [String]) throws(RepositoryFailure) {
        let sorted = keys.sorted()
        for start in stride(from: 0, to: sorted.count, by: 1000) {
            try repository.access.delete(Array(sorted[start..<min(sorted.count, start + 1000)]))
        }
    }

    // MARK: The record of the first look

    /// Since when each pack has been unneeded. A record that cannot be read counts as none: everything waits anew.
    private func candidates() throws(RepositoryFailure) -> [PackName: WallTime] {
        guard let bytes = try repository.access.object(repository.keys.candidates),
            let record = try? RecordJSON.decode(CandidatesRecord.self, bytes)
        else { return [:] }
        var since: [PackName: WallTime] = [:]
        for (key, time) in record.packs {
            let time = WallTime(milliseconds: time)
            if time.isReadable, let pack = repository.keys.packName(repository.keys.packs + key) { since[pack] = time }
        }
        return since
    }

    private func record(
        _ packs: some Collection<PackName>, _ since: [PackName: WallTime], _ now: WallTime
    ) throws(RepositoryFailure) {
        var record = CandidatesRecord(time: now.milliseconds, packs: [:])
        for pack in packs {
            let key = String(repository.keys.pack(pack).dropFirst(repository.keys.packs.count))
            record.packs[key] = (since[pack] ?? now).milliseconds
        }
        try repository.access.put(RecordJSON.encode(record), at: repository.keys.candidates)
    }

    /// What time the store has: the clock that stamps deleted manifests too.
    private func storeTime() throws(RepositoryFailure) -> WallTime {
        let key = repository.keys.clockMark
        try repository.access.put(Array("the store's clock\n".utf8), at: key)
        var found: WallTime?
        try repository.access.list(key) { entry in
            if entry.key == key { found = entry.modified }
        }
        guard let found else { throw .store(.transient("the store does not list \(key), which was just put")) }
        return found
    }

    private func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
