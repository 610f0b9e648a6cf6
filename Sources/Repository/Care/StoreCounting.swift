internal import Blocks
internal import ObjectStore

/// Counts what a repository holds. For people only: what is damaged is named and passed over, while whoever deletes goes
/// by a ``Census``, which passes over nothing.
struct StoreCounting {
    private let repository: Repository
    private var status = StoreStatus()
    private var needed: Set<PackName> = []

    init(_ repository: Repository) { self.repository = repository }

    mutating func run() throws(RepositoryFailure) -> StoreStatus {
        let keys = repository.keys
        // Packs first: one put later would count as unneeded.
        let packs = try repository.listedPacks()
        let uploads = try repository.ids(in: keys.uploads)
        let snapshots = try repository.ids(in: keys.snapshots)
        let trash = Set(try repository.ids(in: keys.trash))
        for id in uploads { try count(upload: id, trash) }
        for id in snapshots { try count(snapshot: id) }
        let uploading = Set(uploads)
        status.snapshots = snapshots.count
        status.trashed = trash.count
        status.uploads = uploads.count
        status.packs = packs.count
        status.packBytes = packs.values.reduce(.zero, +)
        guard status.unreadable.isEmpty else { return status }
        status.unneededBytes = packs.reduce(.zero) { sum, pack in
            needed.contains(pack.key) || uploading.contains(pack.key.snapshot) ? sum : sum + pack.value
        }
        return status
    }

    private mutating func count(upload id: SnapshotID, _ trash: Set<SnapshotID>) throws(RepositoryFailure) {
        do throws(RepositoryFailure) {
            guard let bytes = try repository.access.object(repository.keys.upload(id)),
                let parent = try repository.decodePin(bytes, id).parent, trash.contains(parent),
                let manifest = try repository.findManifest(parent, alsoTrashed: true)
            else { return }
            needed.formUnion(try repository.packs(of: manifest))
        } catch { try note(error, id) }
    }

    private mutating func count(snapshot id: SnapshotID) throws(RepositoryFailure) {
        do throws(RepositoryFailure) {
            guard let manifest = try repository.findManifest(id, alsoTrashed: false) else { return }
            status.fullBytes += manifest.fullBytes
            needed.formUnion(try repository.packs(of: manifest))
        } catch { try note(error, id) }
    }

    private mutating func note(_ failure: RepositoryFailure, _ id: SnapshotID) throws(RepositoryFailure) {
        guard case .corrupt(let object, _, let reason) = failure else { throw failure }
        status.unreadable.append(Finding(object: object, snapshot: id, blocks: nil, problem: reason))
    }
}
