internal import Blocks
internal import Catalog
internal import ObjectStore
internal import Repository
internal import VolumeEngine

/// Keeps the marks of damaged snapshots true, heals what can be healed, and sees to it that damage is not inherited.
///
/// One round, begun by a scrub, a verification, or a snapshot that was completed on a degraded one:
/// 1. Find the snapshots that need a suspect pack, and those that are marked.
/// 2. Find out, to the block, what of each cannot be read; mark, or take the mark away.
/// 3. Heal from volumes that hold the same content; look again at what was healed.
/// 4. In each volume that counts its changes from a degraded snapshot, count the damaged blocks as changed, so that the
///    next snapshot captures them anew.
/// Each step may run twice; a crash between any two only leaves the rest to the next round.
///
/// Healing replaces manifests. While a snapshot is healed its deletion waits, and no upload that builds on it runs: each
/// side first says what it is about to do and then looks at the other (``isHealing(_:)``), so one of them gives way.
final class Caretaker: Sendable {
    private struct State {
        var isBusy = false
        var healing: Set<String> = []
        /// What was done in each volume: the snapshot it counts from, and which damage of that was marked there.
        var protected: [String: [String: [BlockRange]]] = [:]
        /// Something could not be done because snapshots were on their way, or the store was not: when to try again, by
        /// uptime.
        var againAt: Duration?
        /// Packs that something is known against, and that no round has come to its end with yet.
        var owed: Set<PackName> = []
        /// Snapshots of which something could not be read, whichever pack is to blame; owed likewise.
        var doubted: Set<String> = []
        /// Rounds that failed since one did not.
        var failures = 0
        var healedFrames = 0
        var healedBytes = ByteCount.zero
    }
    private let state = Guarded(State())

    /// Is this snapshot's manifest about to be replaced? Then neither delete it nor build on it now.
    func isHealing(_ snapshot: String) -> Bool { state.withLock { $0.healing.contains(snapshot) } }
    /// Frames and bytes that were healed since the start.
    var healed: (frames: Int, bytes: ByteCount) { state.withLock { ($0.healedFrames, $0.healedBytes) } }

    /// Is there something left to do that had to give way to uploads, or that failed?
    func wantsAnotherRound(at now: Duration) -> Bool { state.withLock { $0.againAt.map { $0 <= now } ?? false } }
    private static let pause = Duration.seconds(10)
    private func comeBack(_ house: Household) {
        let time = house.clock.uptime() + Self.pause
        state.withLock { $0.againAt = time }
    }
    /// 10 s, 20 s, 40 s ... 320 s.
    private func comeBackAfterFailure(_ house: Household) {
        let now = house.clock.uptime()
        state.withLock { state in
            state.againAt = now + Self.pause * (1 << min(state.failures, 5))
            state.failures += 1
        }
    }

    /// Something of this snapshot could not be read: the next round reads all of it.
    func doubt(_ snapshot: String) { state.withLock { _ = $0.doubted.insert(snapshot) } }

    /// One round. Blocks on the store: from a plain thread. Rounds run one after another. After one that throws another
    /// is wanted, with the same suspects: whoever asked for it need not ask again.
    ///
    /// - Returns: the snapshots that are degraded now.
    @discardableResult
    func round(suspects: Set<PackName>, in house: Household) throws -> [String] {
        let (owed, doubted) = state.wait { state -> (Set<PackName>, Set<String>)? in
            if state.isBusy { return nil }
            state.isBusy = true
            state.againAt = nil
            state.owed.formUnion(suspects)
            return (state.owed, state.doubted)
        }
        defer { state.change { $0.isBusy = false } }
        do {
            let left = try work(owed, doubted, house)
            // Only rounds add to what is owed, and this is the only one.
            state.withLock { state in
                state.owed = []
                state.doubted.subtract(doubted)
                state.failures = 0
            }
            return left
        } catch {
            comeBackAfterFailure(house)
            throw error
        }
    }

    private func work(_ suspects: Set<PackName>, _ doubted: Set<String>, _ house: Household) throws -> [String] {
        let degraded = try look(suspects, doubted, house)
        if !degraded.isEmpty { try heal(degraded, house) }
        let left = try house.catalog.changeWaiting { try $0.damages() }
        protect(left, house)
        return left.map(\.snapshotID)
    }

    // MARK: Looking

    private func look(
        _ suspects: Set<PackName>, _ doubted: Set<String>, _ house: Household
    ) throws -> [SnapshotDamage] {
        let repository = try house.door.repository()
        try repository.confirm()
        try unpin(repository, house)
        let marks = try house.catalog.changeWaiting { try $0.damages() }
        let known = suspects.union(marks.flatMap(\.packs).compactMap(PackName.init(text:)))
        let risk = try repository.atRisk(known)
        let records = try completed(house)
        let marked = Set(marks.map(\.snapshotID))
        let wanted = records.filter { record in
            guard let id = SnapshotID(record.id) else { return false }
            return marked.contains(record.id) || risk.snapshots.contains(id) || !risk.committed.contains(id)
        }
        let (whole, partly) = (wanted + records, wanted.filter { !doubted.contains($0.id) })
        let doubtful = whole.filter { doubted.contains($0.id) }
        var seen: Set<String> = []
        return try examine(doubtful.filter { seen.insert($0.id).inserted }, nil, repository, house)
            + examine(partly, risk.packs, repository, house)
    }

    /// Pins whose writers have ended. Records are read before pins: what ends in between is left to the next round.
    ///
    /// * `completed`: the writer had returned before that was recorded, and no other is made; a healing would be this
    ///   round's. So a pin of one is what a healing left that was cut off.
    /// * `error`: its upload left the desk before, or just after, that was recorded, with its writer ended. Only a start
    ///   takes one up again, before rounds begin, and only if its cut could not be given up, so it is pending still
    ///   (``Reconcile``): that one keeps its pin. So does one that this house never saw, of a recovered catalog: another
    ///   house may be at it. Its owner deletes it, and the pin goes then.
    /// * Not `pending`, whatever lies in the store: its writer may be between its commit and its second look at the pin.
    private func unpin(_ repository: Repository, _ house: Household) throws {
        let records = try house.catalog.changeWaiting { try $0.snapshots() }
        let committed = records.filter { $0.state == .completed }
        let pending = Set(house.live.allOpen.flatMap { $0.volume.pendingCuts.map(\.snapshot) })
        let failed = records.filter { $0.state == .error && $0.volumeSize > .zero && !pending.contains($0.id) }
        try repository.unpin(
            committed: Set(committed.compactMap { SnapshotID($0.id) }),
            abandoned: Set(failed.compactMap { SnapshotID($0.id) }))
    }

    /// Oldest first: those are healed first, and later ones share what that made.
    private func completed(_ house: Household) throws -> [SnapshotRecord] {
        try house.catalog.changeWaiting { try $0.snapshots(in: .completed).filter { !$0.isDeleted } }
    }

    /// Looks at snapshots and brings their marks up to date.
    private func examine(
        _ wanted: [SnapshotRecord], _ suspects: Set<PackName>?, _ repository: Repository, _ house: Household
    ) throws -> [SnapshotDamage] {
        guard !wanted.isEmpty else { return [] }
        let found = try repository.damage(
            of: wanted.map { (id: try StoreDoor.id($0.id), size: $0.volumeSize) }, suspects: suspects,
            isStopped: { house.scrub.isClosed })
        // Gone meanwhile? Then what was found says nothing.
        try repository.confirm()
        let now = house.clock.now()
        let notices = try house.catalog.changeWaiting { session in
            var notices: [HouseNotice] = []
            for (record, damage) in zip(wanted, found) {
                // Its key is not here: what was known of it stays.
                if damage.isLocked, damage.isWhole { continue }
                // Deleted meanwhile: then that is why it could not be read.
                let former = try session.damage(of: record.id)
                guard let present = try session.snapshot(record.id), !present.isDeleted, !damage.isWhole else {
                    if former != nil { notices.append(.whole(record.id)) }
                    try session.unmark(record.id)
                    continue
                }
                var mark = DamageRecord(damage, at: now)
                if former?.bytes != mark.bytes { notices.append(.degraded(mark)) }
                if damage.isMapDamaged || damage.isLocked, let former {
                    // Not all of it could be looked at: what was known against other packs stays known.
                    mark.packs = Set(mark.packs).union(former.packs).sorted()
                }
                try session.mark(mark)
            }
            return notices
        }
        notices.forEach(house.notify)
        for record in wanted { house.announce(record.id) }
        return found.filter { !$0.isWhole }
    }

    // MARK: Healing

    private func heal(_ damages: [SnapshotDamage], _ house: Household) throws {
        let repository = try house.door.repository()
        let records = Dictionary(try completed(house).map { ($0.id, $0) }) { first, _ in first }
        var wanted = damages.filter { !$0.blocks.isEmpty && records[$0.snapshot.text] != nil }
        let ids = Set(wanted.map(\.snapshot.text))
        state.change { $0.healing = ids }
        defer {
            state.change { $0.healing = [] }
            house.bulletin.announce(TaskRunner.anything)
        }
        // Said before looked: whoever deletes, or uploads on top, has seen it, or is seen here.
        // Every upload on the desk, running or not: one that waits for its next try may be committed already.
        let deleted = try self.deleted(house)
        let building =
            house.desk.uploads.values.map(\.parent) + house.copies.uploads.values.map(\.parent)
            + house.writings.uploads.values.map(\.parent)
        wanted.removeAll { deleted.contains($0.snapshot.text) }
        if building.contains(where: { $0.map(ids.contains) ?? false }) {
            comeBack(house)
            return
        }
        guard !wanted.isEmpty else { return }
        let donors = self.donors(for: wanted.compactMap { records[$0.snapshot.text] }, house)
        guard !donors.isEmpty else { return }
        let report = try repository.heal(wanted, from: donors, isStopped: { house.scrub.isClosed })
        state.withLock { state in
            state.healedFrames += report.frames
            state.healedBytes += report.bytes
        }
        if report.frames > 0 { house.notify(.healed(report.frames, report.bytes)) }
        let healed = Set(report.snapshots.map(\.text))
        let suspects = Set(wanted.flatMap(\.packs))
        let again = records.values.filter { healed.contains($0.id) }.sorted { $0.createdAt < $1.createdAt }
        _ = try examine(again, suspects, repository, house)
    }

    private func deleted(_ house: Household) throws -> Set<String> {
        try house.catalog.changeWaiting { session in
            Set(try session.snapshots().filter(\.isDeleted).map(\.id))
        }
    }

    /// The volumes that the snapshots were taken of, what a roll back set aside of them, and those restored from one.
    private func donors(for snapshots: [SnapshotRecord], _ house: Household) -> [any FrameDonor] {
        let origins = Set(snapshots.map(\.volumeID)), ids = Set(snapshots.map(\.id))
        let asides = house.live.allOpen.filter { origins.contains($0.id) }.flatMap(\.volume.setAside)
        let related = house.live.allOpen.filter { id, volume in
            if origins.contains(id) { return true }
            let status = volume.status
            return [status.parent, status.source].contains { $0.map(ids.contains) ?? false }
        }
        return (related.map(\.volume) + asides).map { VolumeDonor($0) }
    }

    // MARK: Protecting

    /// Counts damaged blocks as changed where the next snapshot would build on them.
    private func protect(_ marks: [DamageRecord], _ house: Household) {
        let damageOf = Dictionary(marks.map { ($0.snapshotID, $0) }) { first, _ in first }
        for (id, volume) in house.live.allOpen {
            for snapshot in volume.countedSnapshots {
                guard let damage = damageOf[snapshot] else { continue }
                let isDone = state.withLock { $0.protected[id]?[snapshot] == damage.runs }
                if isDone { continue }
                do {
                    if damage.mustNotBeBuiltOn {
                        try volume.makeNextFull(instead: snapshot)
                    } else {
                        try volume.countAsChanged(damage.runs, since: snapshot)
                    }
                    state.withLock { $0.protected[id, default: [:]][snapshot] = damage.runs }
                } catch {
                    // Snapshots of it are pending: their uploads know of the damage.
                    comeBack(house)
                }
            }
        }
    }
}

extension DamageRecord {
    init(_ damage: SnapshotDamage, at time: WallTime) {
        self.init(
            snapshotID: damage.snapshot.text, at: time, bytes: damage.bytes, isMapDamaged: damage.isMapDamaged,
            runs: damage.blocks, packs: damage.packs.sorted().map(\.text),
            problems: Self.sentences(damage.problems))
    }

    /// At most 20, each once: one missing pack is the reason for many blocks.
    private static func sentences(_ findings: [Finding]) -> [String] {
        var seen: Set<String> = []
        return Array(
            findings.map { "\($0.object): \($0.problem)" }.filter { seen.insert($0).inserted }.prefix(20))
    }

    /// Is there no saying which blocks the next snapshot must capture anew?
    var mustNotBeBuiltOn: Bool { isMapDamaged || runCount > runs.count }
}

extension PackName {
    /// `snap-.../7`.
    var text: String { "\(snapshot.text)/\(number)" }

    init?(text: String) {
        let parts = text.split(separator: "/")
        guard parts.count == 2, let id = SnapshotID(String(parts[0])), let number = Int(parts[1]), number > 0 else {
            return nil
        }
        self.init(id, number)
    }
}

/// A live volume as a donor of content that the store lost. Guests may write meanwhile: what does not hash right is not
/// used.
final class VolumeDonor: FrameDonor {
    private let volume: Volume
    init(_ volume: Volume) { self.volume = volume }

    func bytes(of blocks: BlockRange) -> [UInt8]? {
        let end = ByteOffset(0) + volume.size
        guard let inside = blocks.bytes.intersection(ByteRange(from: 0, to: end)) else { return nil }
        var bytes = [UInt8](repeating: 0, count: blocks.count.size.bytes)
        do throws(BlockFailure) {
            try bytes.writeBytes { (all) throws(BlockFailure) in
                try all.withPart(0..<inside.count.bytes) { (part) throws(BlockFailure) in
                    try volume.read(inside, into: &part)
                }
            }
        } catch { return nil }
        return bytes
    }
}
