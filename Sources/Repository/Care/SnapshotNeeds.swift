public import Blocks

/// What a committed snapshot needs of the store.
public struct SnapshotNeeds: Equatable, Sendable {
    /// Bytes of a full copy of it (``Manifest/fullBytes``).
    public var full: ByteCount
    /// By pack, the bytes in it that the snapshot refers to.
    public var packs: [PackName: ByteCount]

    /// Makes one.
    public init(full: ByteCount, packs: [PackName: ByteCount]) {
        self.full = full
        self.packs = packs
    }
}

extension Repository {
    /// What a snapshot needs, by its manifest and its table of packs: two reads, for which no key is needed.
    ///
    /// - Throws: ``RepositoryFailure/missing(_:)`` if it is not committed, or is deleted.
    public func needs(of snapshot: SnapshotID) throws(RepositoryFailure) -> SnapshotNeeds {
        let manifest = try manifest(of: snapshot)
        return SnapshotNeeds(
            full: manifest.fullBytes, packs: try table(of: manifest).packs.mapValues { ByteCount($0.live) })
    }
}
