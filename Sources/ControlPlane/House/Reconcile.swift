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
/// | completed          | pending  | told to settle                                                    |
/// | error, or none     | pending  | cancelled                                                         |
struct Reconcile: Sendable {
    let house: Household

    /// Does it for every snapshot and every cut.
    func run() async throws {
        let records = try await house.catalog.change { try $0.snapshots() }
        let recordOf = Dictionary(records.map { ($0.id, $0) }) { first, _ in first }
        var uploading: Set<String> = []
        for (id, volume) in house.live.allOpen {
            let views = try await house.local.run { volume.pendingCuts }
            for view in views {
                switch recordOf[view.snapshot]?.state {
                case .completed: volume.finish(view.snapshot)
                case .pending:
                    house.desk.add(Upload(view, of: id))
                    uploading.insert(view.snapshot)
                case .creating, .error, nil:
                    // It is the newest: later ones would have been refused or recorded after it. Those that the
                    // engine gives up with it are pending no more, and end as such.
                    let given = try await house.local.run { volume.cancel(view.snapshot, reason: "the server stopped") }
                    uploading.subtract(given)
                    for snapshot in given { _ = house.desk.remove(snapshot) }
                }
            }
        }
        try await settle(records, uploading)
    }

    private func settle(_ records: [SnapshotRecord], _ uploading: Set<String>) async throws {
        let now = house.clock.now()
        let lost = records.filter { $0.state == .pending && !uploading.contains($0.id) }
        let unborn = records.filter { $0.state == .creating }
        guard !lost.isEmpty || !unborn.isEmpty else { return }
        try await house.catalog.change { session in
            for snapshot in unborn { try session.deleteSnapshot(snapshot.id) }
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
