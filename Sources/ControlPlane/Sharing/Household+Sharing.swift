internal import Catalog

/// Who may use what is another account's. Sharing lets others look at a snapshot and make volumes of it, and nothing else.
extension Household {
    static let accountDigits = 12

    /// A snapshot's record if the caller owns it or it is shared with them; else ``ServiceError/Code/missing``.
    ///
    /// - Parameter images: snapshots that the caller may use besides, since they may use an image that has them.
    func usableSnapshot(
        _ id: String, for caller: Caller, through images: Set<String> = []
    ) async throws -> SnapshotRecord {
        let record = try await snapshotRecord(id)
        if images.contains(id) { return record }
        let isUsable = try await catalog.change { try Self.mayUse(record, caller, $0) }
        guard isUsable else { throw Self.noSnapshot(id) }
        return record
    }

    static func mayUse(_ record: SnapshotRecord, _ caller: Caller, _ session: CatalogSession) throws -> Bool {
        try mayUse(record, caller.account, session)
    }

    static func mayUse(_ record: SnapshotRecord, _ account: String, _ session: CatalogSession) throws -> Bool {
        if record.account == account { return true }
        // Of one that is not there yet nobody else is told.
        guard record.state != .creating else { return false }
        let shares = try session.shares(of: record.id)
        if shares.contains(account) { return true }
        return try shares.contains(ShareRecord.everybody)
            && publicAccess(of: record.account, session) != .blockAllSharing
    }

    static func publicAccess(of account: String, _ session: CatalogSession) throws -> PublicAccess {
        guard let word = try session.setting(ShareRecord.publicAccess, of: account) else { return .unblocked }
        guard let access = PublicAccess(rawValue: word) else {
            throw CatalogFailure.corrupt("the account \(account) has the unknown \(ShareRecord.publicAccess) \(word)")
        }
        return access
    }

    static func set(publicAccess: PublicAccess, of account: String, _ session: CatalogSession) throws {
        try session.set(ShareRecord.publicAccess, of: account, to: publicAccess.rawValue)
    }
}
