public import Blocks
internal import ObjectStore

extension Repository {
    /// Moves a snapshot's manifest to the trash. Constant time; deleting one that is in the trash already succeeds.
    ///
    /// The caller has re-based the volume that has it as parent first (see the engine). A manifest that is damaged can
    /// be deleted too.
    public func delete(_ snapshot: SnapshotID) throws(RepositoryFailure) {
        guard let bytes = try manifestAsStored(snapshot) else {
            if try access.object(keys.trashed(snapshot)) != nil { return }
            throw .missing(snapshot)
        }
        // The copy first: at every moment the manifest is in at least one of the two places.
        try access.put(bytes, at: keys.trashed(snapshot))
        Failpoint.hit("delete.trashed")
        try access.delete([keys.manifest(snapshot)])
    }

    /// The bytes of a manifest, damaged or not. The copy in the trash is soon the only one, and a damaged one there stops
    /// every reclaim: so bytes that are no manifest are believed only when another look shows the same, in full length.
    private func manifestAsStored(_ snapshot: SnapshotID) throws(RepositoryFailure) -> [UInt8]? {
        let key = keys.manifest(snapshot)
        var before: [UInt8]?
        for _ in 0..<4 {
            guard let bytes = try access.object(key) else { return nil }
            if (try? decodeManifest(bytes, snapshot)) != nil { return bytes }
            if bytes == before, try length(of: key) == ByteCount(bytes.count) { return bytes }
            before = bytes
        }
        throw .store(.transient("\(key) reads differently each time"))
    }

    private func length(of key: String) throws(RepositoryFailure) -> ByteCount? {
        do throws(StoreFailure) { return try store.size(of: key) } catch { throw .store(error) }
    }

    /// Forgets an upload that will never be resumed: its packs become reclaimable. Idempotent.
    ///
    /// Call only when no ``SnapshotWriter`` of it runs or will be made again.
    public func abandonUpload(_ snapshot: SnapshotID) throws(RepositoryFailure) {
        try access.delete([keys.upload(snapshot)])
    }

    /// Frees packs that no manifest, no trash within the grace period, no upload nor its parent, and no pin needs.
    /// Deletes nothing at all if any listing or manifest cannot be read; only manifests, and no pack, if that is one in the
    /// trash whose grace period runs.
    public func reclaim(_ plan: ReclaimPlan = ReclaimPlan()) throws(RepositoryFailure) -> ReclaimReport {
        try Reclaimer(repository: self, plan: plan).run()
    }

    /// Checks all snapshots, or the given ones. What is wrong comes as findings; throws only if the store fails.
    public func verify(
        _ level: VerifyLevel, snapshots: [SnapshotID]? = nil
    ) throws(RepositoryFailure) -> VerifyReport {
        // Caches of its own: what was good when it was cached proves nothing about the store now.
        let fresh = Repository(id: id, store: store, options: options)
        var verifier = Verifier(fresh, level)
        return try verifier.run(snapshots)
    }

    /// Compares a snapshot with a volume that counts its changes from it, wherever that claims not to have changed since.
    /// What is damaged in the store is passed over: ``verify(_:snapshots:)`` finds that.
    ///
    /// - Throws: ``RepositoryFailure/content(_:)`` if the volume cannot be read, or what the store said.
    public func compare(
        _ snapshot: SnapshotID, with content: any LiveContent
    ) throws(RepositoryFailure) -> ComparisonReport {
        let manifest = try manifest(of: snapshot)
        var comparison = LiveComparison(manifest, content, try access(for: manifest))
        return try comparison.run()
    }

    /// What deleting each committed snapshot would free: bytes of the packs that it alone needs.
    public func exclusiveBytes() throws(RepositoryFailure) -> [SnapshotID: ByteCount] {
        var manifests: [Manifest] = []
        for id in try committed() {
            if let manifest = try findManifest(id, alsoTrashed: false) { manifests.append(manifest) }
        }
        var owners: [PackName: (owner: SnapshotID, size: Int, isShared: Bool)] = [:]
        for manifest in manifests {
            var sizes = try table(of: manifest).packs.mapValues(\.size)
            if let pointer = manifest.packs, sizes[pointer.pack] == nil {
                sizes[pointer.pack] = pointer.offset + pointer.storedLength
            }
            for (pack, size) in sizes {
                let isShared = owners[pack] != nil
                owners[pack] = (manifest.plan.id, size, isShared)
            }
        }
        var exclusive: [SnapshotID: ByteCount] = [:]
        for manifest in manifests { exclusive[manifest.plan.id] = .zero }
        for entry in owners.values where !entry.isShared {
            exclusive[entry.owner, default: .zero] += ByteCount(entry.size)
        }
        return exclusive
    }

    /// Counts and bytes, from listings and manifests. What is damaged of them is named, and not counted further.
    public func status() throws(RepositoryFailure) -> StoreStatus {
        var counting = StoreCounting(self)
        return try counting.run()
    }

    /// All that the store alone knows: what `varve store recover` rebuilds the catalog from. A manifest that cannot be
    /// read becomes a finding; the others are there.
    public func inventory() throws(RepositoryFailure) -> Inventory {
        var inventory = Inventory()
        for id in try committed() {
            do throws(RepositoryFailure) {
                if let manifest = try findManifest(id, alsoTrashed: false) { inventory.manifests.append(manifest) }
            } catch { try Repository.note(error, id, &inventory) }
        }
        inventory.manifests.sort { ($0.plan.created, $0.plan.id) < ($1.plan.created, $1.plan.id) }
        let done = Set(inventory.manifests.map(\.plan.id))
        for id in try ids(in: keys.uploads) where !done.contains(id) {
            do throws(RepositoryFailure) {
                if let bytes = try access.object(keys.upload(id)) { inventory.uploads.append(try decodePin(bytes, id)) }
            } catch { try Repository.note(error, id, &inventory) }
        }
        for id in try vault.dataKeyIDs() {
            do throws(RepositoryFailure) {
                inventory.dataKeys.append(DataKey(id: id, wrappedBy: try vault.record(id).wraps.map(\.key)))
            } catch { try Repository.note(error, nil, &inventory) }
        }
        return inventory
    }

    private static func note(
        _ failure: RepositoryFailure, _ id: SnapshotID?, _ inventory: inout Inventory
    ) throws(RepositoryFailure) {
        guard case .corrupt(let object, _, let reason) = failure else { throw failure }
        inventory.findings.append(Finding(object: object, snapshot: id, blocks: nil, problem: reason))
    }

    private func committed() throws(RepositoryFailure) -> [SnapshotID] { try ids(in: keys.snapshots) }

    func ids(in folder: String) throws(RepositoryFailure) -> [SnapshotID] {
        var ids: [SnapshotID] = []
        try access.list(folder) { entry in
            if let id = keys.id(entry.key, in: folder) { ids.append(id) }
        }
        return ids
    }
}
