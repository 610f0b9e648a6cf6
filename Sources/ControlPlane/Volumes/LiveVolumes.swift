internal import Blocks
internal import VolumeEngine

/// The volumes that are open, and those that could not be opened.
final class LiveVolumes: Sendable {
    enum Entry: Sendable {
        case open(Volume)
        /// It could not be opened; the text says why.
        case quarantined(String)
    }
    private let entries = Guarded<[String: Entry]>([:])

    subscript(_ id: String) -> Entry? { entries.withLock { $0[id] } }

    func set(_ id: String, _ entry: Entry?) { entries.withLock { $0[id] = entry } }

    /// The open volume, or why there is none.
    func open(_ id: String) throws -> Volume {
        switch self[id] {
        case .open(let volume): return volume
        case .quarantined(let reason):
            throw ServiceError(
                .wrongState, .volume, "the volume \(id) is quarantined: \(reason)")
        case nil: throw ServiceError(.wrongState, .volume, "the volume \(id) is not open")
        }
    }

    /// Every open volume with its id.
    var allOpen: [(id: String, volume: Volume)] {
        entries.withLock { entries in
            entries.compactMap { id, entry in
                guard case .open(let volume) = entry else { return nil }
                return (id, volume)
            }
        }
    }

    /// Forgets all; answers what was open.
    func removeAll() -> [(id: String, volume: Volume)] {
        let all = allOpen
        entries.withLock { $0 = [:] }
        return all
    }
}
