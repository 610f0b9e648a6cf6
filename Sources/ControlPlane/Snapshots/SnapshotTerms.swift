internal import Blocks
internal import Catalog

/// What a cloud asks of a volume before it takes a snapshot of it, besides what the house does. Each door has its own.
public struct SnapshotTerms: Sendable {
    /// Kinds of volumes of which it takes none.
    public var refusedKinds: Set<String> = []
    /// Snapshots of the volume that may be pending, the new one among them; nil: as many as the quota allows. Those with instant
    /// access are none of them, but for the new one.
    public var pendingMax: Int?
    /// Snapshots of the volume that no policy took, the new one among them; nil: as many as the quota allows.
    public var keptMax: Int?
    /// Must the volume have been attached once, at whichever door?
    public var mustHaveBeenAttached = false
    /// Does it take none of volumes that several instances may have at a time?
    public var refusesShared = false

    /// Asks nothing.
    public init() {}

    /// Refuses what they do not allow. In the transaction that recorded the new snapshot, so that two at once cannot pass together.
    func check(_ snapshot: SnapshotRecord, _ session: CatalogSession) throws {
        let volume = try session.volume(snapshot.volumeID)
        if let volume, mustHaveBeenAttached, !volume.wasAttached {
            throw ServiceError(
                .wrongState, .attachment,
                "the volume \(volume.id) was never attached, and this cloud takes no snapshots of such: attach it first"
            )
        }
        if let volume, refusesShared, volume.isShared {
            throw ServiceError(
                .unsupported, .volume,
                "several instances may have the volume \(volume.id) at a time, and this cloud takes none of such here")
        }
        if let volume, refusedKinds.contains(volume.kind) {
            throw ServiceError(
                .unsupported, .volume,
                "the volume \(volume.id) is of kind \(volume.kind), of which this cloud takes no snapshots")
        }
        if let pendingMax, try pending(with: snapshot, session) > pendingMax {
            throw ServiceError(
                .limitExceeded, .snapshot,
                "\(pendingMax) snapshots of the volume \(snapshot.volumeID) are being created: wait until one is done",
                quota: .pendingPerVolume)
        }
        if let keptMax, try kept(of: snapshot, session) > keptMax {
            throw ServiceError(
                .limitExceeded, .snapshot,
                "the volume \(snapshot.volumeID) has \(keptMax) snapshots that no policy took: delete one first",
                quota: .snapshots)
        }
    }

    private func pending(with new: SnapshotRecord, _ session: CatalogSession) throws -> Int {
        let others = try session.unavailableSnapshotCount(of: new.account, volume: new.volumeID)
        return new.hasInstantAccess ? others + 1 : others
    }

    private func kept(of snapshot: SnapshotRecord, _ session: CatalogSession) throws -> Int {
        let all = try session.snapshots(of: snapshot.account, volume: snapshot.volumeID).filter(\.isPresent)
        let policies = try session.details(ofSnapshots: all.map(\.id)).policies
        return all.count { policies[$0.id] == nil }
    }
}
