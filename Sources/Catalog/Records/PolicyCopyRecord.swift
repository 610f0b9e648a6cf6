public import Blocks

/// That a policy is to copy a snapshot or an image to another region.
public struct PolicyCopyRecord: Equatable, Sendable {
    /// The snapshot or image, here.
    public var objectID: String
    /// The other region.
    public var region: String
    /// The policy.
    public var policyID: String
    /// The copy, there; nil: it is owed.
    public var copyID: String?
    /// When it was seen that the one under way had failed; nil: none has.
    public var failedAt: WallTime?

    /// Makes one that is owed.
    public init(of objectID: String, to region: String, by policyID: String) {
        self.objectID = objectID
        self.region = region
        self.policyID = policyID
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        objectID = try row.text("object_id")
        region = try row.text("region")
        policyID = try row.text("policy_id")
        copyID = try row.optionalText("copy_id")
        failedAt = try row.optionalTime("failed_at")
    }
}
