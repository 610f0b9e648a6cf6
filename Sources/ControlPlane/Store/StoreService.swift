internal import Blocks
internal import Catalog
internal import Repository

/// The verbs on the object store, which all accounts share: for whoever runs the house. Every error is a ``ServiceError``.
public struct StoreService: Sendable {
    let house: Household
    let caller: Caller

    init(_ house: Household, _ caller: Caller) {
        self.house = house
        self.caller = caller
    }

    /// What is in it, and whether it answers. A store that is away is no error here.
    public func status() async throws -> StoreStatus {
        try await ServiceError.about(.store) {
            try caller.mustRunHouse(.store, leavesEvent: false)
            let known = try await house.catalog.change { try $0.setting(StoreDoor.idSetting) }
            var status = StoreStatus(location: house.door.location, repositoryId: known ?? "")
            do {
                status = try await house.remote.run { [house] in
                    let repository = try house.door.repository()
                    try repository.confirm()
                    return try repository.count(at: house.door.location)
                }
            } catch {
                status.isReachable = false
                status.reason = ServiceError.from(error, .store).message
            }
            try await add(to: &status)
            status.advice = StoreAdvice(status).sentences
            return status
        }
    }

    /// What the house knows by itself, also while the store is away.
    private func add(to status: inout StoreStatus) async throws {
        let (uploads, courses) = (house.desk.uploads, house.courses)
        let (pending, damages) = try await house.catalog.change { session in
            let pending = try session.snapshots(in: .pending)
            let damages = try session.damages().compactMap { damage in
                try session.snapshot(damage.snapshotID).map { (damage, $0.volumeID) }
            }
            return (pending, damages)
        }
        status.pending = pending.filter { !$0.isDeleted }.map { record in
            let upload = uploads[record.id]
            return StoreStatus.Pending(
                id: record.id, volumeId: record.volumeID, progress: courses[record.id]?.fraction ?? 0,
                reason: upload == nil ? courses[record.id]?.problem : reason(upload, uploads),
                createdAt: record.createdAt)
        }
        status.degraded = damages.map { damage, volume in
            StoreStatus.Degraded(id: damage.snapshotID, volumeId: volume, bytes: damage.bytes.bytes)
        }
        status.scrub = house.scrub.view(uptime: house.clock.uptime())
    }

    private func reason(_ upload: Upload?, _ uploads: [String: Upload]) -> String? {
        guard let upload else { return nil }
        if let problem = upload.problem { return problem }
        if let parent = upload.parent, uploads[parent] != nil { return "\(parent), on which it builds, comes first" }
        return house.desk.running.contains { $0 === upload } ? nil : "others are uploaded first"
    }

    /// How the store is read again bit by bit.
    public func scrub() async throws -> ScrubView {
        try caller.mustRunHouse(.store, leavesEvent: false)
        return house.scrub.view(uptime: house.clock.uptime())
    }

    /// Begins to read all of the store again at once, as fast as allowed; one under way hurries. What it comes to is in
    /// ``scrub()``.
    public func beginScrub() throws {
        try caller.mustRunHouse(.store)
        house.scrub.request()
    }

    /// Frees what nothing needs and has not been needed for `grace`. Safe beside running uploads.
    public func reclaim(grace: Duration) async throws -> ReclaimReport {
        try await ServiceError.about(.store) {
            try caller.mustRunHouse(.store)
            guard grace >= .zero else { throw ServiceError(.invalid, .store, "the grace period is negative") }
            let sources = try await house.catalog.change { try $0.volumes().compactMap(\.sourceSnapshot) }
            return try await house.remote.run { [house] in
                let pins = Set(try sources.map(StoreDoor.id))
                let report = try house.door.repository().free(ReclaimPlan(grace: grace, pins: pins))
                house.reclaims.withLock { tally in
                    tally.runs += 1
                    tally.packs += report.freedPacks
                    tally.bytes += report.freedBytes
                }
                return report
            }
        }
    }

    /// Checks every snapshot in the store; at level `live` also the volumes that count their changes from one.
    public func verify(_ level: VerifyLevel = .everything) async throws -> VerifyReport {
        try await ServiceError.about(.store) {
            try caller.mustRunHouse(.store)
            var report = try await house.remote.run { [house] in try house.checked(level) }
            if level == .live { try await LiveCheck(house: house).run(nil, of: nil, into: &report) }
            return report
        }
    }

    /// Tries uploads, and local copies, that wait for the store at once, instead of after their pause.
    public func retryUploads() {
        house.desk.hurry()
        house.copies.hurry()
        house.writings.hurry()
        house.fast.hurry()
    }
}
