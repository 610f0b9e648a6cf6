public import Blocks
internal import Catalog

/// What of a degraded snapshot cannot be read. The JSON of the native API has exactly these names.
public struct SnapshotDamageView: Codable, Equatable, Sendable {
    /// A run of bytes.
    public typealias Range = SnapshotDiff.Range

    /// How much cannot be read.
    public var bytes: Int
    /// In how many runs.
    public var rangeCount: Int
    /// The first 1000 runs, whole blocks (the last one cut to the disk's end); none in lists.
    public var ranges: [Range]
    /// Is part of its map damaged, so that nothing builds on it any more?
    public var isMapDamaged: Bool
    /// A sentence each, at most 20; none in lists.
    public var problems: [String]
    /// Since when it is known.
    public var foundAt: WallTime
    /// When it was last looked at.
    public var checkedAt: WallTime

    static let rangesMax = 1000

    init(_ record: DamageRecord, size: Int, all: Bool) {
        bytes = min(size, record.bytes.bytes)
        rangeCount = record.runCount
        ranges = all ? Self.ranges(Array(record.runs.prefix(Self.rangesMax)), below: ByteCount(size)) : []
        isMapDamaged = record.isMapDamaged
        problems = all ? record.problems : []
        foundAt = record.foundAt
        checkedAt = record.checkedAt
    }

    static func ranges(_ runs: [BlockRange], below size: ByteCount) -> [Range] {
        let disk = ByteRange(at: 0, count: size)
        return runs.compactMap { $0.bytes.intersection(disk) }
            .map { Range(offset: $0.start.bytes, length: $0.count.bytes) }
    }
}

extension ServiceError {
    /// A degraded snapshot is not restored as if it were whole.
    static func degraded(_ damage: DamageRecord, _ remedy: String) -> ServiceError {
        let shown = damage.runs.prefix(5).map { "\($0.bytes.start.bytes) to \($0.bytes.end.bytes)" }
        var places = shown.isEmpty ? "" : ": bytes " + shown.joined(separator: ", ")
        if damage.runCount > shown.count, !shown.isEmpty { places += " and \(damage.runCount - shown.count) more runs" }
        return ServiceError(
            .wrongState, .snapshot,
            "the snapshot \(damage.snapshotID) is degraded: \(damage.bytes.bytes) bytes of it cannot be read\(places); "
                + "bring the store's objects back, restore another snapshot, or \(remedy)")
    }
}
