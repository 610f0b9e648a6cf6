public import Blocks

/// A rule by which snapshots are taken and let go.
public struct PolicyRecord: Equatable, Sendable {
    /// `policy-...`.
    public var id: String
    /// Whose it is, for good.
    public var account: String
    /// Does it take snapshots and let them go?
    public var isEnabled: Bool
    /// What it does, in the control plane's JSON.
    public var plan: String
    /// What went wrong in its last run; nil: nothing.
    public var problem: String?
    /// When it was made.
    public var createdAt: WallTime
    /// When its owner last changed it.
    public var modifiedAt: WallTime

    /// Its owner deleted it; it is there only until the last of what it took is let go. Changed by
    /// ``CatalogSession/end(policy:)`` alone.
    public var isDeleted = false

    /// Makes one.
    public init(id: String, account: String, isEnabled: Bool, plan: String, createdAt: WallTime) {
        self.id = id
        self.account = account
        self.isEnabled = isEnabled
        self.plan = plan
        self.createdAt = createdAt
        modifiedAt = createdAt
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        id = try row.text("id")
        account = try row.text("account_id")
        isEnabled = try row.integer("is_enabled") != 0
        plan = try row.text("plan")
        problem = try row.optionalText("problem")
        createdAt = try row.time("created_at")
        modifiedAt = try row.time("modified_at")
        isDeleted = try row.integer("is_deleted") != 0
    }
}

/// When one of a policy's schedules runs.
public struct PolicyScheduleRecord: Equatable, Sendable {
    /// The policy.
    public var policyID: String
    /// The schedule's name, which is its own within the policy.
    public var name: String
    /// When it is to run next; nil: never.
    public var nextAt: WallTime?
    /// When it was last due and ran.
    public var lastAt: WallTime?

    /// Makes one.
    public init(policyID: String, name: String, nextAt: WallTime?, lastAt: WallTime? = nil) {
        self.policyID = policyID
        self.name = name
        self.nextAt = nextAt
        self.lastAt = lastAt
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        policyID = try row.text("policy_id")
        name = try row.text("name")
        nextAt = try row.optionalTime("next_at")
        lastAt = try row.optionalTime("last_at")
    }
}

/// That a policy took a snapshot.
public struct PolicySnapshotRecord: Equatable, Sendable {
    /// The snapshot.
    public var snapshotID: String
    /// The run that took it, which has one of a volume; of a copy: the snapshot that it is made of.
    public var runID: String
    /// The volume.
    public var volumeID: String
    /// The policy, which may be gone.
    public var policyID: String
    /// The schedules for which it was taken, one or several that were due together: it goes when all let it go.
    public var schedules: [String]
    /// The volume or instance for which the policy took it.
    public var targetID: String
    /// When it may go, if that was known at once.
    public var expiresAt: WallTime?
    /// Of a copy: the instant of its source's cut.
    public var cutAt: WallTime?
    /// With whom the policy shared it and still is to share it no more.
    public var sharedWith: [PolicyShare] = []
    /// When it is to be shared with the first of those no more; nil: with none.
    public var sharedUntil: WallTime? { sharedWith.map(\.end).min() }
    /// The zones that the policy asked a fast restore in; nil: not yet; none: not any more.
    public var fastZones: [String]?
    /// Did its owner take it back, out of the bin or the archive? Read, never written:
    /// ``CatalogSession/releasePolicySnapshot(_:)`` does.
    public var isReleased = false
    /// When the policy put it into the archive; nil: it did not.
    public var archivedAt: WallTime?

    /// Makes one.
    public init(
        snapshotID: String, runID: String, volumeID: String, policyID: String, schedules: [String], targetID: String
    ) {
        self.snapshotID = snapshotID
        self.runID = runID
        self.volumeID = volumeID
        self.policyID = policyID
        self.schedules = schedules
        self.targetID = targetID
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        snapshotID = try row.text("snapshot_id")
        runID = try row.text("run_id")
        volumeID = try row.text("volume_id")
        policyID = try row.text("policy_id")
        schedules = try row.text("schedule").split(separator: "\n").map(String.init)
        targetID = try row.text("target_id")
        isReleased = try row.integer("is_released") != 0
        expiresAt = try row.optionalTime("expires_at")
        cutAt = try row.optionalTime("cut_at")
        let next = try row.optionalTime("shared_until")
        for line in try row.optionalText("shared_with")?.split(separator: "\n") ?? [] {
            sharedWith.append(try PolicyShare(String(line), else: next))
        }
        fastZones = try row.optionalText("fast_zones").map { $0.split(separator: "\n").map(String.init) }
        archivedAt = try row.optionalTime("archived_at")
    }
}
