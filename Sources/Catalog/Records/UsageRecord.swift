/// What takes space in an account's name.
public enum MeteredKind: String, Sendable, CaseIterable { case snapshot, volume }

/// So many bytes for so many hours, of what is alike.
public struct UsageSum: Equatable, Sendable {
    /// What it is summed up by: an object's id; empty for all together.
    public var key: String
    /// Snapshots or volumes.
    public var kind: MeteredKind
    /// The kind of volume; `standard` of snapshots.
    public var type: String
    /// Bytes times hours. A double: whole numbers of 64 bits are too small for a year of many disks.
    public var byteHours: Double

    /// Makes one.
    public init(key: String, kind: MeteredKind, type: String, byteHours: Double) {
        self.key = key
        self.kind = kind
        self.type = type
        self.byteHours = byteHours
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        key = try row.text("key")
        kind = try row.word("kind", as: MeteredKind.self)
        type = try row.text("type")
        byteHours = try row.real("byte_hours")
    }
}

/// That so many bytes of one kind and type were there from one hour up to another.
public struct UsageLevel: Equatable, Sendable {
    /// Snapshots or volumes.
    public var kind: MeteredKind
    /// The kind of volume; `standard` of snapshots.
    public var type: String
    /// Hours since 1970.
    public var hours: Range<Int>
    /// All of them together.
    public var bytes: Double

    init(_ row: SQLRow) throws(CatalogFailure) {
        kind = try row.word("kind", as: MeteredKind.self)
        type = try row.text("type")
        let start = try row.integer("start_hour"), end = try row.integer("end_hour")
        guard start <= end else { throw .corrupt("usage_spans has one from \(start) to \(end)") }
        hours = start..<end
        bytes = try row.real("bytes")
    }
}

/// What usage is summed up by.
public enum UsageGrouping: Sendable {
    /// Everything together.
    case nothing
    /// Each object by itself, of one kind.
    case object(MeteredKind)
    /// Each volume with the snapshots taken of it.
    case volume
}

extension Range<Int> {
    /// Hours since 1970 by the days that they are of: how many of each.
    public var hoursByDay: [(day: Int, hours: Int)] {
        var days: [(day: Int, hours: Int)] = []
        var hour = lowerBound
        while hour < upperBound {
            let next = Swift.min(upperBound, (hour / 24 + 1) * 24)
            days.append((hour / 24, next - hour))
            hour = next
        }
        return days
    }
}
