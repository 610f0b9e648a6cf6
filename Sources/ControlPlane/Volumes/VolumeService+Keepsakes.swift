internal import Catalog

extension VolumeService {
    /// Changes what a dialect keeps with a volume for its own answers, in one step; if `body` throws, nothing.
    public func keep(
        _ id: String, by body: @escaping @Sendable (inout [String: String]) throws -> Void
    ) async throws -> VolumeView {
        try await ServiceError.about(.volume) {
            try caller.mayChange(.volume)
            _ = try await house.volumeRecord(id, for: caller)
            let record = try await house.catalog.change { session in
                guard let record = try session.volume(id), record.isPresent else { throw Household.noVolume(id) }
                var kept = try session.keepsakes(ofVolume: id)
                try body(&kept)
                try session.set(keepsakes: kept, ofVolume: id)
                return record
            }
            house.announce(id)
            return try await view(record)
        }
    }
}
