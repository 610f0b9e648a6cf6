internal import Blocks
internal import Catalog
internal import VolumeEngine

/// Brings the catalog's snapshots and the volumes' cuts together after a stop.
///
/// | catalog            | cut      | then                                                              |
/// |--------------------|----------|-------------------------------------------------------------------|
/// | creating           | any      | undone: nobody was told of it. Cancel the cut, remove the record  |
/// | pending            | pending  | goes on uploading                                                 |
/// | pending            | gone     | the volume gave it up, or is lost: `error`                        |
/// | pending            | no volume open | the same: its content is unreachable                        |
/// | pending, a copy    | none     | goes on copying (``CopySnapshotTask``)                              |
/// | pending, being written | none | goes on being written, or uploading (``WriteSnapshot``)             |
/// | completed          | pending  | told to settle                                                    |
/// | error, or none     | pending  | cancelled                                                         |
/// | creating, error, none | pending, later ones pending on it | finished as one that its owner deleted     |
struct Reconcile: Sendable {
    let house: Household

    /// Does it for every snapshot and every cut.
    func run() async throws {
        let records = try await house.catalog.change { try $0.snapshots() }
        let recordOf = Dictionary(records.map { ($0.id, $0) }) { first, _ in first }
        var uploading: Set<String> = []
        let lineageOf = try await lineages()
        for (id, volume) in house.live.allOpen {
            let lineage = lineageOf[id] ?? id
            let views = try await house.cuts(of: volume)
            for (index, view) in views.enumerated() {
                let isBuiltOn = views[(index + 1)...].contains { recordOf[$0.snapshot]?.state == .pending }
                switch recordOf[view.snapshot]?.state {
                case .completed: volume.finish(view.snapshot)
                case .pending: upload(view, of: lineage, &uploading)
                case .creating, .error, nil:
                    if isBuiltOn {
                        try await adopt(view, of: lineage, recordOf[view.snapshot])
                        upload(view, of: lineage, &uploading)
                    } else {
                        _ = try await house.local.run { volume.cancel(view.snapshot, reason: "the server stopped") }
                    }
                }
            }
        }
        try await settle(records, uploading)
    }

    /// Volume -> the one that its snapshots are of, where that is another: files that a roll back set aside.
    private func lineages() async throws -> [String: String] {
        let records = try await house.catalog.change { try $0.volumes() }
        return Dictionary(records.compactMap { record in record.asideOf.map { (record.id, $0) } }) { first, _ in first }
    }

    private func upload(_ view: CutView, of volume: String, _ uploading: inout Set<String>) {
        house.desk.add(Upload(view, of: volume))
        uploading.insert(view.snapshot)
    }

    /// Cancelling it would give up the later snapshots, of which people know: so it is finished, and deleted then.
    private func adopt(_ view: CutView, of volume: String, _ record: SnapshotRecord?) async throws {
        let owner = try await house.catalog.change { try $0.volume(volume) }
        var adopted =
            record
            ?? SnapshotRecord(
                id: view.snapshot, volumeID: volume, state: .pending, volumeSize: view.size,
                createdAt: house.clock.now())
        adopted.state = .pending
        adopted.isDeleted = true
        adopted.parentID = view.parent
        // Whatever became of its record, it is of an encrypted volume or not.
        adopted.dataKey = record?.dataKey ?? owner?.dataKey
        if record == nil, let owner { adopted.account = owner.account }
        let hidden = adopted
        try await house.catalog.change { session in
            if try !session.update(hidden) { try session.insert(hidden) }
            // The run of a policy that it was for takes another.
            try session.deletePolicySnapshot(hidden.id)
        }
    }

    private func settle(_ records: [SnapshotRecord], _ uploading: Set<String>) async throws {
        let now = house.clock.now()
        let lost = records.filter { $0.state == .pending && !$0.isOfNoVolume && !uploading.contains($0.id) }
        let unborn = records.filter { $0.state == .creating && !uploading.contains($0.id) }
        guard !lost.isEmpty || !unborn.isEmpty else { return }
        try await house.catalog.change { session in
            for snapshot in unborn {
                try session.deleteSnapshot(snapshot.id)
                try session.deleteTokens(of: snapshot.id)
                try session.deletePolicySnapshot(snapshot.id)
            }
            for var snapshot in lost {
                snapshot.state = .error
                snapshot.reason = "the volume does not have its content any more"
                try session.update(snapshot)
                try session.endTasks(
                    ofSubject: snapshot.id, kind: TaskView.Kind.takeSnapshot.rawValue, as: .failed, snapshot.reason,
                    at: now)
            }
        }
    }
}
