internal import Catalog

/// What its owner calls a volume and says of it; what is nil stays, what is empty is taken away.
public struct VolumeLabels: Equatable, Sendable {
    /// 1 to 128 printable characters.
    public var name: String?
    /// At most 1024 printable characters.
    public var description: String?

    /// Makes a change.
    public init(name: String? = nil, description: String? = nil) {
        self.name = name
        self.description = description
    }
}

extension VolumeService {
    /// Gives another name; nil takes the name away.
    public func rename(_ id: String, to name: String?) async throws -> VolumeView {
        try await ServiceError.about(.volume) {
            try Limits.check(name: name, .volume)
            try caller.mayChange(.volume)
            return try await label(id, VolumeLabels(name: name ?? ""))
        }
    }

    /// Gives another name, another description, or both.
    public func label(_ id: String, _ labels: VolumeLabels) async throws -> VolumeView {
        try await ServiceError.about(.volume) {
            try Limits.check(name: labels.name?.isEmpty == true ? nil : labels.name, .volume)
            try Limits.check(description: labels.description, .volume)
            try caller.mayChange(.volume)
            _ = try await house.volumeRecord(id, for: caller)
            let record = try await house.lanes.run(id) {
                try await house.catalog.change { session in
                    guard var record = try session.volume(id), record.isPresent else {
                        throw Household.noVolume(id)
                    }
                    if let name = labels.name { record.name = name.isEmpty ? nil : name }
                    if let text = labels.description { record.description = text.isEmpty ? nil : text }
                    try session.update(record)
                    return record
                }
            }
            house.announce(id)
            return try await view(record)
        }
    }
}
