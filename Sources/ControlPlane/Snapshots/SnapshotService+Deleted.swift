internal import Catalog

extension SnapshotService {
    /// Was it a snapshot of the account's, and is it deleted, for good or into the bin? True for ever. False of those that nobody
    /// ever had and of other accounts' alike.
    public func isDeleted(_ id: String) async throws -> Bool {
        try await ServiceError.about(.snapshot) {
            try Identifier.snapshot.check(id, .snapshot)
            return try await house.catalog.change { [account = caller.account] session in
                if let record = try session.snapshot(id), record.account == account, record.bin != nil { return true }
                return try session.isBuried(snapshot: id, of: account)
            }
        }
    }
}
