internal import Blocks
internal import Catalog
internal import VolumeEngine

/// Opens a recorded volume, with the content that it still needs of a snapshot. One that cannot be opened is
/// quarantined with the reason; nothing of it is changed.
struct OpenVolume: Sendable {
    let house: Household

    /// Opens it, or quarantines it.
    func run(_ record: VolumeRecord) async {
        do {
            let volume = try await open(record)
            house.live.set(record.id, .open(volume))
            try await agree(record, volume)
        } catch {
            house.live.set(record.id, .quarantined(ServiceError.from(error, .volume).message))
        }
    }

    private func open(_ record: VolumeRecord) async throws -> Volume {
        let path = house.directory.files(of: record)
        let environment = house.environment
        let source = try await house.local.run { try Volume.sourceOfVolume(at: path, in: environment) }
        var content: (any BlockSource)?
        if let source {
            guard let snapshot = try await house.catalog.change({ try $0.snapshot(source) }) else {
                throw ServiceError(
                    .wrongState, .volume, "it is being restored from \(source), which is not in the catalog any more")
            }
            content = house.source(of: snapshot, for: record)
        }
        return try await house.local.run { [content] in
            try Volume.open(at: path, in: environment, source: content)
        }
    }

    /// The volume's own files are the truth about its size and its source; the catalog follows.
    private func agree(_ record: VolumeRecord, _ volume: Volume) async throws {
        let status = try await house.status(of: volume)
        if status.source != nil { house.hydrations.add(record.id) }
        guard record.size != status.size || record.sourceSnapshot != status.source else { return }
        try await house.catalog.change { session in
            guard var record = try session.volume(record.id) else { return }
            record.size = status.size
            record.sourceSnapshot = status.source
            try session.update(record)
        }
    }
}
