internal import Blocks
internal import Catalog

extension Quota {
    /// Snapshots that were just recorded, of one account's request. What policies take is not refused: the day's backup of the
    /// hundred-and-first volume is not to be missed for being asked for together with the others.
    static func check(new snapshots: [SnapshotRecord], _ session: CatalogSession) throws {
        guard let account = snapshots.first?.account else { return }
        try Quota.snapshots.check(try session.snapshotCount(of: account), of: account, .snapshot, session)
        try pending.check(try session.pendingSnapshotCount(of: account), of: account, .snapshot, session)
        for snapshot in snapshots {
            let volume = try session.volume(snapshot.volumeID)
            let isSlow = volume.map { $0.isPaced && ["st1", "sc1"].contains($0.kind) } ?? false
            try (isSlow ? pendingPerSlowVolume : pendingPerVolume).check(
                try session.pendingSnapshotCount(of: account, volume: snapshot.volumeID), of: account, .snapshot,
                session)
        }
    }

    /// A volume that is to be like this, new or changed, if a kind was asked for.
    ///
    /// - Parameter promises: others that are being changed.
    static func check(_ volume: VolumeRecord, besides promises: VolumePromises, _ session: CatalogSession) throws {
        guard volume.isPaced else { return }
        let promised = promises.all(of: volume.account, kind: volume.kind, but: volume.id)
        let others = try session.provisioned(
            of: volume.account, kind: volume.kind, besides: [volume.id] + promised.map(\.id))
        if let quota = Quota(rawValue: "gib-\(volume.kind)") {
            // Each is so large at most that the sum of all cannot overflow.
            let size = promised.reduce(others.size + volume.size) { $0 + $1.size }
            try quota.check((size.bytes + (1 << 30) - 1) >> 30, of: volume.account, .volume, session)
        }
        if let quota = Quota(rawValue: "iops-\(volume.kind)"), let iops = volume.iops {
            let sum = promised.reduce(others.iops + iops) { $0 + ($1.iops ?? 0) }
            try quota.check(sum, of: volume.account, .volume, session)
        }
    }
}
