public import Blocks

/// That a policy made an image.
public struct PolicyImageRecord: Equatable, Sendable {
    /// The image.
    public var imageID: String
    /// The run that made it, which has one of an instance; of a copy: the image that it is made of.
    public var runID: String
    /// The instance.
    public var instanceID: String
    /// The policy, which may be gone.
    public var policyID: String
    /// The schedules for which it was made: it goes when all let it go.
    public var schedules: [String]
    /// When it may go, if that was known at once.
    public var expiresAt: WallTime?
    /// Of a copy: when its source was made.
    public var cutAt: WallTime?
    /// Did the policy deprecate it? Once: its owner may take that back.
    public var isDeprecated = false
    /// Snapshots of it that are to go, now that it went; nil: it was not let go, or they went.
    public var doomed: [String]?

    /// Makes one.
    public init(
        imageID: String, runID: String, instanceID: String, policyID: String, schedules: [String]
    ) {
        self.imageID = imageID
        self.runID = runID
        self.instanceID = instanceID
        self.policyID = policyID
        self.schedules = schedules
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        imageID = try row.text("image_id")
        runID = try row.text("run_id")
        instanceID = try row.text("instance_id")
        policyID = try row.text("policy_id")
        schedules = try row.text("schedule").split(separator: "\n").map(String.init)
        expiresAt = try row.optionalTime("expires_at")
        cutAt = try row.optionalTime("cut_at")
        isDeprecated = try row.integer("is_deprecated") != 0
        doomed = try row.optionalText("doomed").map { $0.split(separator: "\n").map(String.init) }
    }
}
