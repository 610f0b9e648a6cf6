public import Blocks
internal import Catalog
internal import VolumeEngine

/// Filling a new volume with the content of a disk image.
extension VolumeService {
    /// Makes a volume in state `creating` that is to be filled, through ``fill(_:at:with:)`` or an attachment, and then
    /// finished. One that is never finished is deleted at the next start.
    public func beginImport(
        size: ByteCount, name: String?, encryption: VolumeEncryption? = nil
    ) async throws -> VolumeView {
        try await ServiceError.about(.volume) {
            try caller.mayChange(.volume)
            var order = MakeVolume.Order(CreateVolume(size: size, name: name, encryption: encryption))
            order.isImport = true
            return try await view(MakeVolume(house: house, account: caller.account).run(order))
        }
    }

    /// Writes part of an import, at most 32 MiB. Parts may come in any order; what is never written reads as zeros.
    public func fill(_ id: String, at offset: ByteOffset, with bytes: [UInt8]) async throws {
        try await ServiceError.about(.volume) {
            guard bytes.count <= Limits.fillMax.bytes else {
                throw ServiceError(
                    .invalid, .volume, "a part has \(bytes.count) bytes: at most \(Limits.fillMax.bytes) are allowed")
            }
            try await house.lanes.run(id) {
                // Many of them, between an import's beginning and its end.
                let record = try await importing(id, leavesEvent: false)
                let range = ByteRange(at: offset, count: ByteCount(bytes.count))
                guard range.fits(in: record.size) else {
                    throw ServiceError(
                        .invalid, .volume,
                        "a part of \(bytes.count) bytes at \(offset.bytes) ends past the volume's \(record.size.bytes)")
                }
                let volume = try house.live.open(id)
                try await house.local.run {
                    try bytes.readBytes { (all) throws(BlockFailure) in
                        // Zeros need no space: a new volume reads as zeros already, unless a part came twice.
                        if all.isAllZero {
                            try volume.zero(range, mayPunch: true, durably: false)
                        } else {
                            try volume.write(range, from: all, durably: false)
                        }
                    }
                }
            }
        }
    }

    /// Makes an import durable and the volume `available` (or `in-use`, if it was attached to be filled).
    public func finishImport(_ id: String) async throws -> VolumeView {
        try await ServiceError.about(.volume) {
            let record = try await house.lanes.run(id) {
                var record = try await importing(id, verb: "finishImport")
                let volume = try house.live.open(id)
                try await house.local.run { try volume.flush() }
                record.state = .available
                let done = record
                try await house.catalog.change { _ = try $0.update(done) }
                return done
            }
            Failpoint.hit("import.finished")
            house.announce(id)
            return try await view(record)
        }
    }

    /// Deletes an unfinished import, detaching it if need be.
    public func abandonImport(_ id: String) async throws {
        try await ServiceError.about(.volume) {
            try await house.lanes.run(id) {
                _ = try await importing(id, verb: "abandonImport")
                try await house.withdraw(volume: id)
                try await house.catalog.change { try $0.detachVolume(id) }
            }
            try await DeleteVolume(house: house).begin(id)
        }
    }

    private func importing(
        _ id: String, leavesEvent: Bool = true, verb: String = #function
    ) async throws -> VolumeRecord {
        try caller.mayChange(.volume, leavesEvent: leavesEvent, verb: verb)
        let record = try await house.volumeRecord(id, for: caller)
        guard record.state == .importing else {
            throw ServiceError(.wrongState, .volume, "the volume \(id) is \(record.state.rawValue), not being imported")
        }
        return record
    }
}
