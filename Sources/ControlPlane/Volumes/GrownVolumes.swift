internal import Blocks
internal import Catalog
internal import VolumeEngine

/// Records the sizes of volumes that grew in a change which could then not be recorded, as soon as that goes. Nothing else of the
/// change holds then.
///
/// Until then their promises are kept (``VolumePromises``), so that what they have become counts. Opening a volume does the same,
/// so nothing is lost with the memory of them.
final class GrownVolumes: Sendable {
    private let rounds = Rounds()

    /// Starts it.
    func open(_ house: Household) { rounds.open { [self] in await turn(house) } }

    /// Ends after the volume at hand.
    func close() async { await rounds.close() }

    private func turn(_ house: Household) async {
        for id in house.promises.unrecorded.sorted() {
            if Task.isCancelled { return }
            // The catalog may not take anything yet: the next turn tries again.
            try? await house.lanes.run(id) { try await record(id, house) }
        }
    }

    /// In the volume's lane, where no change of it is under way.
    private func record(_ id: String, _ house: Household) async throws {
        guard house.promises.unrecorded.contains(id) else { return }
        if try await house.catalog.change({ try $0.volume(id) }) != nil {
            let size = try house.live.open(id).size, now = house.clock.now()
            let grown = try await house.catalog.change { [house] session -> VolumeRecord? in
                guard var record = try session.volume(id) else { return nil }
                let before = ModificationRecord.Shape(record, size: record.size)
                record.size = size
                // It is a change as any other, though whoever asked for it was told that it failed.
                try house.note(.modification, of: id, at: now, session)
                try session.put(
                    ModificationRecord(
                        volumeID: id, old: before, new: ModificationRecord.Shape(record, size: size), startedAt: now))
                try session.update(record)
                return record
            }
            // Of some kinds a larger one is faster.
            if let grown { house.pace(of: grown) }
        }
        house.promises.end(id)
        house.announce(id)
    }
}
