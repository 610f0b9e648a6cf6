public import Blocks

/// What of a completed snapshot cannot be read: the snapshot is degraded for as long as there is such a record.
public struct DamageRecord: Equatable, Sendable {
    /// The most runs that are kept; `runCount` says how many there are.
    public static let runsMax = 10_000

    /// `snap-...`.
    public var snapshotID: String
    /// Since when it is known.
    public var foundAt: WallTime
    /// When it was last looked at.
    public var checkedAt: WallTime
    /// How much cannot be read.
    public var bytes: ByteCount
    /// Can nothing build on it, because part of its map is damaged?
    public var isMapDamaged: Bool
    /// How many runs of blocks there are.
    public var runCount: Int
    /// The first ``runsMax`` of them, ascending.
    public var runs: [BlockRange]
    /// The packs to blame, as the repository writes their names.
    public var packs: [String]
    /// A sentence each.
    public var problems: [String]

    /// Makes one.
    public init(
        snapshotID: String, at time: WallTime, bytes: ByteCount, isMapDamaged: Bool, runs: [BlockRange],
        packs: [String], problems: [String]
    ) {
        self.snapshotID = snapshotID
        foundAt = time
        checkedAt = time
        self.bytes = bytes
        self.isMapDamaged = isMapDamaged
        runCount = runs.count
        self.runs = Array(runs.prefix(Self.runsMax))
        self.packs = packs
        self.problems = problems
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        snapshotID = try row.text("snapshot_id")
        foundAt = try row.time("found_at")
        checkedAt = try row.time("checked_at")
        bytes = ByteCount(try row.integer("bytes"))
        isMapDamaged = try row.integer("is_map_damaged") != 0
        runCount = try row.integer("run_count")
        runs = try RunsText.runs(try row.text("runs"), "damage.runs")
        packs = try row.text("packs").split(separator: " ").map(String.init)
        problems = try row.text("problems").split(separator: "\n").map(String.init)
    }
}

/// Runs of blocks as text: `start+count`, with spaces between.
enum RunsText {
    static func text(_ runs: [BlockRange]) -> String {
        runs.map { "\($0.start.number)+\($0.count.count)" }.joined(separator: " ")
    }

    static func runs(_ text: String, _ column: String) throws(CatalogFailure) -> [BlockRange] {
        var runs: [BlockRange] = []
        for word in text.split(separator: " ") {
            let parts = word.split(separator: "+")
            guard parts.count == 2, let start = Int(parts[0]), let count = Int(parts[1]), start >= 0, count > 0 else {
                throw .corrupt("the column \(column) holds \"\(word)\", which is no run of blocks")
            }
            runs.append(BlockRange(at: BlockIndex(start), count: BlockCount(count)))
        }
        return runs
    }
}
