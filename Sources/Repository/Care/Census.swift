internal import Blocks
internal import ObjectStore

/// What a repository holds and who needs it, as one look at the store sees it.
///
/// The order of the listings matters. Packs first: a pack put later is in no list of candidates. Then uploads, then
/// manifests: an upload that ended in between is seen in one of the two. Then the trash: a snapshot deleted in between
/// is seen in one of the two.
struct Census {
    let repository: Repository
    private(set) var packs: [PackName: ByteCount] = [:]
    private(set) var uploads: [UploadPin] = []
    private(set) var manifests: [Manifest] = []
    /// Deleted snapshots and when they were, by the store's clock.
    private(set) var trash: [SnapshotID: WallTime] = [:]

    /// - Throws: if anything cannot be listed or read: whoever deletes must not go on then.
    init(of repository: Repository) throws(RepositoryFailure) {
        self.repository = repository
        let keys = repository.keys
        let access = repository.access
        var packs: [PackName: ByteCount] = [:]
        try access.list(keys.packs) { entry in
            if let name = keys.packName(entry.key) { packs[name] = entry.size }
        }
        self.packs = packs
        for id in try Census.ids(access, keys.uploads, keys) {
            guard let bytes = try access.object(keys.upload(id)) else { continue }
            uploads.append(try repository.decodePin(bytes, id))
        }
        for id in try Census.ids(access, keys.snapshots, keys) {
            // Deleted since the listing: then it is in the trash, which is listed next.
            guard let manifest = try repository.findManifest(id, alsoTrashed: false) else { continue }
            manifests.append(manifest)
        }
        var trash: [SnapshotID: WallTime] = [:]
        try access.list(keys.trash) { entry in
            if let id = keys.id(entry.key, in: keys.trash) { trash[id] = entry.modified }
        }
        self.trash = trash
    }

    private static func ids(
        _ access: PackAccess, _ folder: String, _ keys: Keys
    ) throws(RepositoryFailure) -> [SnapshotID] {
        var ids: [SnapshotID] = []
        try access.list(folder) { entry in
            if let id = keys.id(entry.key, in: folder) { ids.append(id) }
        }
        return ids
    }

    /// The packs that committed snapshots, uploads and their parents, and `pins` need.
    func needed(pins: Set<SnapshotID>) throws(RepositoryFailure) -> Set<PackName> {
        var needed: Set<PackName> = []
        for manifest in manifests { needed.formUnion(try repository.packs(of: manifest)) }
        let uploading = Set(uploads.map(\.snapshot))
        needed.formUnion(packs.keys.filter { uploading.contains($0.snapshot) })
        for id in protected(pins) where trash[id] != nil {
            // Nil: the trash was emptied since; then nobody can use it any more.
            guard let manifest = try repository.findManifest(id, alsoTrashed: true) else { continue }
            needed.formUnion(try repository.packs(of: manifest))
        }
        return needed
    }

    /// Snapshots that count as live even in the trash.
    func protected(_ pins: Set<SnapshotID>) -> Set<SnapshotID> { pins.union(uploads.compactMap(\.parent)) }
}

extension Repository {
    /// Every pack that a snapshot needs.
    func packs(of manifest: Manifest) throws(RepositoryFailure) -> Set<PackName> {
        var packs = Set(try table(of: manifest).packs.keys)
        if let root = manifest.root { packs.insert(root.pack) }
        if let table = manifest.packs { packs.insert(table.pack) }
        return packs
    }

    func table(of manifest: Manifest) throws(RepositoryFailure) -> PackTable {
        guard let pointer = manifest.packs else { return PackTable() }
        return try access.table(pointer)
    }
}
