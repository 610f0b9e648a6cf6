internal import Catalog

extension VolumeService {
    /// Is it to take I/O again by itself after its data was found to be doubtful? Kept for those who ask: a volume here takes
    /// I/O as long as its disk does.
    public func startsIOItself(_ id: String) async throws -> Bool {
        try await ServiceError.about(.volume) {
            _ = try await house.volumeRecord(id, for: caller)
            return try await house.catalog.change { try $0.startsIOItself(volume: id) }
        }
    }

    /// Settles that.
    public func set(startsIOItself starts: Bool, of id: String) async throws {
        try await ServiceError.about(.volume) {
            try caller.mayChange(.volume)
            _ = try await house.volumeRecord(id, for: caller)
            try await house.catalog.change { session in
                guard try session.volume(id) != nil else { throw Household.noVolume(id) }
                try session.set(startsIOItself: starts, volume: id)
            }
        }
    }
}
