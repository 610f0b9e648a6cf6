public import Blocks
internal import Catalog

/// A policy as its owner sees it. The JSON of the native API has exactly these names.
public struct PolicyView: Codable, Equatable, Sendable {
    /// How one schedule stands.
    public struct Standing: Codable, Equatable, Sendable {
        /// The schedule's name.
        public var schedule: String
        /// When it runs next; nil: never, or not while the policy is paused.
        public var nextAt: WallTime?
        /// When it was last due and ran; nil: never yet.
        public var lastAt: WallTime?
        /// How many snapshots it keeps now.
        public var keptCount: Int
    }

    /// `policy-` and 17 hexadecimal digits.
    public var id: String
    /// The account it belongs to.
    public var ownerId: String
    /// Does it take snapshots and let them go?
    public var isEnabled: Bool
    /// What it does; nil: this version cannot read it, as of a newer one. Then it can be paused and deleted, and nothing else.
    public var plan: PolicyPlan?
    /// How each schedule stands, in the plan's order; none in an outline (``PolicyService/outlines()``).
    public var standings: [Standing]
    /// What went wrong in its last run, or what is wrong with its plan; nil: nothing.
    public var problem: String?
    /// Its tags by key; nil without any.
    public var tags: [String: String]?
    /// When it was made.
    public var createdAt: WallTime
    /// When its owner last changed it.
    public var modifiedAt: WallTime
}

/// Which policy took a snapshot. The JSON of the native API has exactly these names.
public struct SnapshotPolicyView: Codable, Equatable, Sendable {
    /// The policy, which may be gone.
    public var policyId: String
    /// The schedules for which it was taken: it goes when all of them let it go.
    public var schedules: [String]
    /// When it may go; nil: that depends on what comes after it.
    public var expiresAt: WallTime?
    /// When the policy put it into the archive; nil: it did not.
    public var archivedAt: WallTime?
}

extension SnapshotPolicyView {
    init(_ record: PolicySnapshotRecord) {
        self.init(
            policyId: record.policyID, schedules: record.schedules, expiresAt: record.expiresAt,
            archivedAt: record.archivedAt)
    }

    init(_ record: PolicyImageRecord) {
        self.init(policyId: record.policyID, schedules: record.schedules, expiresAt: record.expiresAt)
    }
}
