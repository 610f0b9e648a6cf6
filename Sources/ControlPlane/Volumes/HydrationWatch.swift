internal import Blocks
internal import Catalog
internal import VolumeEngine

/// Notices when a restored volume has everything and no longer needs its source, and records that; and when it finds its source
/// damaged, which the caretaker is told.
final class HydrationWatch: Sendable {
    private struct State {
        var volumes: Set<String> = []
        /// Sources that were found damaged, by volume: told once.
        var told: [String: String] = [:]
    }
    private let state = Guarded(State())
    /// How late it may notice. Nobody waits for it but the deletion of a source.
    private let rounds = Rounds(pause: .milliseconds(200))

    /// Starts to look after a volume.
    func add(_ volume: String) { state.withLock { _ = $0.volumes.insert(volume) } }

    /// Stops looking after a volume.
    func remove(_ volume: String) {
        state.withLock { state in
            state.volumes.remove(volume)
            state.told[volume] = nil
        }
    }

    /// Starts looking.
    func open(_ house: Household) {
        rounds.open { [self] in
            for volume in state.withLock({ $0.volumes }) { await look(at: volume, house) }
        }
    }

    private func look(at id: String, _ house: Household) async {
        guard case .open(let volume) = house.live[id] else { return }
        guard let status = try? await house.status(of: volume) else { return }
        if let source = status.source {
            guard status.isSourceDamaged else { return }
            let told = state.withLock { $0.told.updateValue(source, forKey: id) }
            guard told != source else { return }
            house.care.doubt(source)
            house.scrub.lookSoon()
            return
        }
        do {
            // In the volume's lane: a roll back may be giving it a new source, or other files.
            try await house.lanes.run(id) {
                guard case .open(let volume) = house.live[id],
                    try await house.status(of: volume).source == nil
                else { return }
                try await house.catalog.change { session in
                    guard var record = try session.volume(id) else { return }
                    record.sourceSnapshot = nil
                    try session.update(record)
                }
                remove(id)
            }
            house.announce(id)
        } catch {
            // The catalog's disk may be full; the next round tries again.
        }
    }

    /// Stops looking.
    func close() async { await rounds.close() }
}
