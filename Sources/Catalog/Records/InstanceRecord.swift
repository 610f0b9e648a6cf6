public import Blocks

/// A host that volumes attach to, as far as the house knows of it.
public struct InstanceRecord: Equatable, Sendable {
    /// Where it is in its life.
    public enum State: String, Sendable, CaseIterable { case running, stopped, terminated }

    /// `i-...`.
    public var id: String
    /// Whose it is, for good.
    public var account: String
    /// Where it is in its life.
    public var state: State
    /// The zone it is in.
    public var zone: String
    /// Its type, as its owner calls it: the house knows nothing of it.
    public var kind: String
    /// The image it is said to be made from, or nil.
    public var imageID: String?
    /// Is it protected from being terminated?
    public var isKept = false
    /// Shared by those that one request made.
    public var launchID: String
    /// When it was made.
    public var launchedAt: WallTime
    /// When its state was last changed.
    public var changedAt: WallTime

    /// Makes a running one.
    public init(
        id: String, account: String, zone: String, kind: String, imageID: String?, launchID: String,
        launchedAt: WallTime
    ) {
        self.id = id
        self.account = account
        self.zone = zone
        self.kind = kind
        self.imageID = imageID
        self.launchID = launchID
        self.launchedAt = launchedAt
        state = .running
        changedAt = launchedAt
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        id = try row.text("id")
        account = try row.text("account_id")
        state = try row.word("state", as: State.self)
        zone = try row.text("zone")
        kind = try row.text("kind")
        imageID = try row.optionalText("image_id")
        isKept = try row.integer("is_kept") != 0
        launchID = try row.text("launch_id")
        launchedAt = try row.time("launched_at")
        changedAt = try row.time("changed_at")
    }
}
