public import Blocks

/// What the catalog keeps of a long operation, so that a crash cannot lose it.
public struct TaskRecord: Equatable, Sendable {
    /// Where it is. Running and waiting ones are taken up again after a restart.
    public enum State: String, Sendable, CaseIterable {
        case running, waiting, succeeded, failed, cancelled

        /// Is there nothing left to do?
        public var isFinal: Bool {
            switch self {
            case .running, .waiting: false
            case .succeeded, .failed, .cancelled: true
            }
        }
    }

    /// `task-...`.
    public var id: String
    /// What it does; the control plane's word.
    public var kind: String
    /// The volume or snapshot it is about.
    public var subjectID: String
    /// Whose it is; nil: the house's own.
    public var account: String?
    /// What else the operation needs to know, such as the snapshot to roll back to.
    public var argument: String?
    /// Where it is.
    public var state: State
    /// How often it was tried again.
    public var retries: Int
    /// What went wrong last.
    public var lastError: String?
    /// When it was recorded.
    public var createdAt: WallTime
    /// When the record last changed.
    public var updatedAt: WallTime

    /// Makes a running one.
    public init(
        id: String, kind: String, subjectID: String, account: String?, argument: String? = nil, createdAt: WallTime
    ) {
        self.id = id
        self.account = account
        self.kind = kind
        self.subjectID = subjectID
        self.argument = argument
        self.createdAt = createdAt
        state = .running
        retries = 0
        updatedAt = createdAt
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        id = try row.text("id")
        kind = try row.text("kind")
        subjectID = try row.text("subject_id")
        account = try row.optionalText("account_id")
        argument = try row.optionalText("argument")
        state = try row.word("state", as: State.self)
        retries = try row.integer("retries")
        lastError = try row.optionalText("last_error")
        createdAt = try row.time("created_at")
        updatedAt = try row.time("updated_at")
    }
}
