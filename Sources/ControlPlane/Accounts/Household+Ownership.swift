internal import Catalog

/// What a caller may know of. Whose something is never changes and ids are never given twice, so what was checked before a
/// verb holds through it.
extension Household {
    /// A volume's record, or ``ServiceError/Code/missing``: also if it is another account's, of which nobody is to learn.
    func volumeRecord(_ id: String, for caller: Caller) async throws -> VolumeRecord {
        let record = try await volumeRecord(id)
        guard record.account == caller.account else { throw Self.noVolume(id) }
        return record
    }

    /// How an account may hear of a volume or a snapshot: by its id if it is theirs.
    static func name(_ id: String, of owner: String?, for account: String) -> String {
        owner == account ? id : "something of another account"
    }

    /// A snapshot's record, likewise.
    func snapshotRecord(_ id: String, for caller: Caller) async throws -> SnapshotRecord {
        let record = try await snapshotRecord(id)
        guard record.account == caller.account else { throw Self.noSnapshot(id) }
        return record
    }
}
