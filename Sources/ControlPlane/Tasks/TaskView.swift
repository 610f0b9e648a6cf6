public import Blocks

/// A long operation as an operator sees it. The JSON of the native API has exactly these names.
public struct TaskView: Codable, Equatable, Sendable {
    /// What the operation does.
    public enum Kind: String, Codable, Sendable, CaseIterable {
        case createVolume = "create-volume"
        case deleteVolume = "delete-volume"
        case rollBackVolume = "roll-back-volume"
        case reinitialiseVolume = "reinitialise-volume"
        case takeSnapshot = "take-snapshot"
        case copySnapshot = "copy-snapshot"
        case writeSnapshot = "write-snapshot"
        case fetchSnapshot = "fetch-snapshot"
        case deleteSnapshot = "delete-snapshot"
        case runInstances = "run-instances"
        case createImage = "create-image"
        case copyImage = "copy-image"
        case rotateKeys = "rotate-keys"
        case scrubStore = "scrub-store"
        case runPolicy = "run-policy"
        case replaceRoot = "replace-root"
    }
    /// Where it is.
    public enum State: String, Codable, Sendable, CaseIterable {
        case running, waiting, succeeded, failed, cancelled
    }

    /// `task-` and 17 hexadecimal digits.
    public var id: String
    /// What it does.
    public var kind: Kind
    /// The volume, snapshot, image, key or repository it is about.
    public var subjectId: String
    /// Where it is; waiting means that it tries again later.
    public var state: State
    /// From 0 to 1.
    public var progress: Double
    /// Estimated seconds left, or nil.
    public var remainingSeconds: Int?
    /// How often it failed and was tried again.
    public var retries: Int
    /// What went wrong last, or nil.
    public var lastError: String?
    /// When it was recorded.
    public var createdAt: WallTime
    /// When its record last changed.
    public var updatedAt: WallTime

    /// Makes one.
    public init(id: String, kind: Kind, subjectId: String, state: State, createdAt: WallTime, updatedAt: WallTime) {
        self.id = id
        self.kind = kind
        self.subjectId = subjectId
        self.state = state
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        progress = 0
        retries = 0
    }
}
