/// The verbs on the object store. Every error is a ``ServiceError``.
public struct StoreService: Sendable {
    let notYet = ServiceError(.unsupported, .store, "the store is not served yet")

    /// What is in it, and whether it answers.
    public func status() async throws -> StoreStatus { throw notYet }

    /// Frees what nothing needs and has not been needed for `grace`. Safe beside running uploads.
    public func reclaim(grace: Duration) async throws -> ReclaimReport { throw notYet }

    /// Checks every snapshot in the store.
    public func verify(_ level: VerifyLevel = .everything) async throws -> VerifyReport { throw notYet }
}
