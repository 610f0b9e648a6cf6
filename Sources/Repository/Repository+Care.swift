public import Blocks

extension Repository {
    /// Moves a snapshot's manifest to the trash. Constant time; deleting one that is in the trash already succeeds.
    ///
    /// The caller has re-based the volume that has it as parent first (see the engine).
    public func delete(_ snapshot: SnapshotID) throws(RepositoryFailure) { throw .missing(snapshot) }

    /// Forgets an upload that will never be resumed: its packs become reclaimable. Refuses nothing; idempotent.
    public func abandonUpload(_ snapshot: SnapshotID) throws(RepositoryFailure) {}

    /// Frees packs that no manifest, no trash within the grace period, no upload nor its parent, and no pin needs.
    /// Deletes nothing at all if any listing or manifest cannot be read.
    public func reclaim(_ plan: ReclaimPlan = ReclaimPlan()) throws(RepositoryFailure) -> ReclaimReport {
        ReclaimReport()
    }

    /// Checks all snapshots, or the given ones. What is wrong comes as findings; throws only if the store fails.
    public func verify(
        _ level: VerifyLevel, snapshots: [SnapshotID]? = nil
    ) throws(RepositoryFailure) -> VerifyReport { VerifyReport() }

    /// What deleting each committed snapshot would free: bytes of the packs that it alone needs.
    public func exclusiveBytes() throws(RepositoryFailure) -> [SnapshotID: ByteCount] { [:] }

    /// Counts and bytes, from listings and manifests.
    public func status() throws(RepositoryFailure) -> StoreStatus { StoreStatus() }

    /// All that the store alone knows: what `varve store recover` rebuilds the catalog from.
    public func inventory() throws(RepositoryFailure) -> Inventory { Inventory() }
}
