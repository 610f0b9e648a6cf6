internal import Blocks
internal import Catalog
internal import Repository

/// The verbs on the object store. Every error is a ``ServiceError``.
public struct StoreService: Sendable {
    let house: Household
    init(_ house: Household) { self.house = house }

    /// What is in it, and whether it answers. A store that is away is no error here.
    public func status() async throws -> StoreStatus {
        try await ServiceError.about(.store) {
            let known = try await house.catalog.change { try $0.setting(StoreDoor.idSetting) }
            var status = StoreStatus(location: house.door.location, repositoryId: known ?? "")
            do {
                return try await house.remote.run { [house] in
                    try house.door.repository().count(at: house.door.location)
                }
            } catch {
                status.isReachable = false
                status.reason = ServiceError.from(error, .store).message
                return status
            }
        }
    }

    /// Frees what nothing needs and has not been needed for `grace`. Safe beside running uploads.
    public func reclaim(grace: Duration) async throws -> ReclaimReport {
        try await ServiceError.about(.store) {
            guard grace >= .zero else { throw ServiceError(.invalid, .store, "the grace period is negative") }
            let sources = try await house.catalog.change { try $0.volumes().compactMap(\.sourceSnapshot) }
            return try await house.remote.run { [house] in
                let pins = Set(try sources.map(StoreDoor.id))
                return try house.door.repository().free(ReclaimPlan(grace: grace, pins: pins))
            }
        }
    }

    /// Checks every snapshot in the store; at level `live` also the volumes that count their changes from one.
    public func verify(_ level: VerifyLevel = .everything) async throws -> VerifyReport {
        try await ServiceError.about(.store) {
            var report = try await house.remote.run { [house] in try house.door.repository().check(level) }
            if level == .live { try await LiveCheck(house: house).run(nil, into: &report) }
            return report
        }
    }

    /// Tries uploads that wait for the store at once, instead of after their pause.
    public func retryUploads() { house.desk.hurry() }
}
