internal import Catalog

extension SnapshotService {
    /// The tags of the account's snapshot groups themselves, by group.
    public func groupTags() async throws -> [String: [String: String]] {
        try await ServiceError.about(.snapshot) {
            try await house.catalog.change { [caller] in try $0.tags(ofAll: .snapshotGroups, in: caller.account) }
        }
    }
}
