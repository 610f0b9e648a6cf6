internal import Blocks
internal import Catalog
internal import VolumeEngine

/// Gives a volume the content again that it was made with: its snapshot's, or zeros.
///
/// It gets new files, as with a roll back beside pending snapshots: ``RollBackAside`` tells the steps, and what a crash finds. The
/// size stays; what the volume has grown by reads as zeros. Refused while it is attached, but to an instance that is stopped; and
/// where what it was made with is there no more.
struct ReinitialiseVolume: Sendable {
    let house: Household
    let caller: Caller

    /// Does it.
    func run(_ id: String) async throws {
        let rollBack = RollBackVolume(house: house)
        for _ in 0..<5 {
            let present = try await house.volumeRecord(id, for: caller)
            let host = try await rollBack.attachment(of: id)?.host
            let target = try await origin(of: present, on: host)
            // In the instance's lane, too, so that nobody starts it meanwhile.
            let isDone = try await house.lanes.run([id] + (host.map { [$0] } ?? [])) {
                let record = try await house.volumeRecord(id, for: caller)
                guard record.state == .available else {
                    throw ServiceError(.wrongState, .volume, "the volume \(id) is \(record.state.rawValue)")
                }
                try await rollBack.checkAttachment(id)
                guard try await rollBack.attachment(of: id)?.host == host else { return false }
                let volume = try house.live.open(id)
                try await rollBack.withdrawn(id) {
                    try await RollBackAside(house: house, kind: .reinitialiseVolume)
                        .run(id, volume, to: target, of: record.account)
                }
                return true
            }
            if isDone { return }
        }
        throw ServiceError(.wrongState, .volume, "\(id) is attached and detached all the time: try again later")
    }

    /// The snapshot that it was made of, which the caller must still have, by itself or through the image that the volume's instance
    /// was launched with; nil: of none.
    private func origin(of record: VolumeRecord, on host: String?) async throws -> SnapshotRecord? {
        if let source = record.sourceVolume {
            throw ServiceError(
                .missing, .snapshot,
                "\(record.id) was copied from \(source), and nobody keeps what that had then: make another copy")
        }
        guard let id = record.originSnapshot else {
            guard record.isMadeEmpty else {
                throw ServiceError(
                    .missing, .snapshot,
                    "nobody knows that \(record.id) was made empty: it was imported, or is older than that is recorded. "
                        + "Create a new volume instead")
            }
            return nil
        }
        let instance = try await house.catalog.change { session in try host.flatMap { try session.instance($0) } }
        let image = try? await house.launchableImage(instance?.imageID, for: caller)
        let snapshot = try await house.usableSnapshot(id, for: caller, through: image?.snapshots ?? [])
        try snapshot.mustHaveContent()
        try snapshot.mustNotBeArchived(at: house.clock.now())
        if snapshot.state == .completed { try await house.requireKey(snapshot.dataKey) }
        if let damage = try await house.catalog.change({ try $0.damage(of: id) }) {
            throw ServiceError.degraded(damage, "create a new volume from it with holes there (--skip-damaged)")
        }
        return snapshot
    }
}
