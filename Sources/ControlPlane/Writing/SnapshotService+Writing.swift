internal import Blocks
internal import Catalog

extension SnapshotService {
    /// Begins a snapshot that is written piece by piece, without a volume: pending until it is finished and stored. What is not
    /// written is its parent's, or zeros. At most 100 of an account are being written at once.
    public func begin(_ request: BeginSnapshot) async throws -> SnapshotView {
        try await ServiceError.about(.snapshot) {
            try caller.mayChange(.snapshot)
            try Limits.check(size: request.size)
            try Limits.check(description: request.description, .snapshot)
            try TagRules.check(request.tags)
            try TagRules.check(count: request.tags.count, of: "the snapshot")
            guard Limits.writingTimeouts.contains(request.timeoutMinutes) else {
                throw ServiceError(
                    .invalid, .snapshot,
                    "the timeout is \(request.timeoutMinutes) minutes: \(Limits.writingTimeouts.lowerBound) to "
                        + "\(Limits.writingTimeouts.upperBound) are allowed")
            }
            guard request.parent == nil || request.encryption == nil else {
                throw ServiceError(
                    .invalid, .snapshot, "what has a parent is encrypted as that is: leave out one of the two")
            }
            do {
                return try await find(try await WriteSnapshot(house: house).begin(request, for: caller).id)
            } catch let used as RequestToken.Used {
                guard try await house.catalog.change({ try $0.snapshot(used.object)?.isPresent }) == true else {
                    throw used.gone
                }
                return try await find(used.object)
            }
        }
    }

    /// Keeps one piece of a snapshot that is being written. When it returns, the piece survives a crash. Of several for the same
    /// place the last one counts.
    public func put(_ piece: NewPiece, at number: Int, of id: String) async throws {
        try await ServiceError.about(.snapshot) {
            try caller.mayChange(.snapshot, leavesEvent: false)
            if house.rates != .off {
                _ = try await house.snapshotRecord(id, for: caller)
                try house.check(.write, about: id)
            }
            try await WriteSnapshot(house: house).put(piece, at: number, of: id, for: caller)
        }
    }

    /// Says that all is written; what was is compared with this, and stored, afterwards.
    ///
    /// - Parameters:
    ///   - count: of the pieces that were written.
    ///   - checksum: the SHA-256 of their SHA-256s in the order of their numbers, in hexadecimal digits; nil: not compared.
    /// - Returns: the snapshot as it is then. One that was finished before is left as it is.
    public func finish(_ id: String, count: Int, checksum: String?) async throws -> SnapshotView {
        try await ServiceError.about(.snapshot) {
            try caller.mayChange(.snapshot)
            try await WriteSnapshot(house: house).finish(id, count: count, checksum: checksum, for: caller)
            return try await find(id)
        }
    }
}
