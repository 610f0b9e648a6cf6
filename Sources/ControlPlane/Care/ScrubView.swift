public import Blocks

/// How the store is read again bit by bit. The JSON of the native API has exactly these names.
public struct ScrubView: Codable, Equatable, Sendable {
    /// Seconds from one to the next; nil: only on request.
    public var everySeconds: Int?
    /// Is one under way?
    public var isRunning = false
    /// Its task.
    public var taskId: String?
    /// From 0 to 1.
    public var progress = 0.0
    /// Estimated seconds left.
    public var remainingSeconds: Int?
    /// What the one under way has read and has to read in all.
    public var bytesRead: Int?
    /// See `bytesRead`.
    public var bytesToRead: Int?
    /// What it found wrong so far.
    public var findings: Int?
    /// Why it waits, or nil.
    public var reason: String?
    /// The last one that came to its end.
    public var lastStartedAt: WallTime?
    /// See `lastStartedAt`.
    public var lastCompletedAt: WallTime?
    /// See `lastStartedAt`.
    public var lastBytesRead: Int?
    /// See `lastStartedAt`: damaged frames and packs that it read. Not all of them need be in use.
    public var lastFindings: Int?
    /// See `lastStartedAt`: frames that were healed from volumes.
    public var lastHealed: Int?
    /// See `lastStartedAt`: snapshots that were degraded at its end, also for what is missing.
    public var lastDegraded: Int?
    /// A sentence each, at most 20.
    public var lastProblems: [String] = []
    /// When the next one is due.
    public var nextAt: WallTime?
    /// Over all scrubs.
    public var bytesReadTotal = 0
    /// Over all scrubs.
    public var findingsTotal = 0

    /// Nothing has been scrubbed yet.
    public init() {}
}
