internal import Blocks
internal import FoundationEssentials
internal import Repository

/// What the catalog keeps of scrubbing, as one setting: so that a restart goes on where it stopped.
struct ScrubRecord: Codable, Equatable, Sendable {
    /// The setting's name.
    static let setting = "scrub"
    /// Problems and packs that are kept of one scrub.
    static let problemsMax = 20
    static let suspectsMax = 10_000

    /// A scrub under way.
    struct Run: Codable, Equatable, Sendable {
        var task: String
        var startedAt: WallTime
        var isHurried: Bool
        /// The last pack that was looked at.
        var cursor: String?
        var packCount: Int
        var bytes: Int
        var packsDone = 0
        var bytesDone = 0
        var findings = 0
        var suspects: [String] = []
        var problems: [String] = []
        /// Frames that were healed meanwhile.
        var healed: Int?
    }
    /// The last scrub that came to its end.
    struct Done: Codable, Equatable, Sendable {
        var startedAt: WallTime
        var completedAt: WallTime
        var packCount: Int
        var bytesRead: Int
        var findings: Int
        var problems: [String]
        /// Snapshots that were degraded at its end.
        var degraded: Int?
        var healed: Int?
    }

    /// When this house first thought of scrubbing: the first scrub is due one period later.
    var since: WallTime
    var run: Run?
    var last: Done?
    /// Over all scrubs that this data directory saw.
    var bytesReadEver = 0
    var findingsEver = 0

    init(since: WallTime) { self.since = since }

    init?(text: String) {
        guard let record = try? JSONDecoder().decode(ScrubRecord.self, from: Data(text.utf8)) else { return nil }
        self = record
    }
    var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let data = try? encoder.encode(self) else { preconditionFailure("a scrub's record is always encodable") }
        return String(decoding: data, as: UTF8.self)
    }
}
