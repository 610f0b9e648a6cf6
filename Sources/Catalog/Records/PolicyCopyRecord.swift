public import Blocks

/// That a policy's snapshot is to be copied to another region.
public struct PolicyCopyRecord: Equatable, Sendable {
    /// The snapshot, here.
    public var snapshotID: String
    /// The other region.
    public var region: String
    /// The policy.
    public var policyID: String
    /// The copy, there; nil: it is owed.
    public var copyID: String?
    /// When it was seen that the one under way had failed; nil: none has.
    public var failedAt: WallTime?

    /// Makes one that is owed.
    public init(snapshotID: String, region: String, policyID: String) {
        self.snapshotID = snapshotID
        self.region = region
        self.policyID = policyID
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        snapshotID = try row.text("snapshot_id")
        region = try row.text("region")
        policyID = try row.text("policy_id")
        copyID = try row.optionalText("copy_id")
        failedAt = try row.optionalTime("failed_at")
    }
}
