internal import Blocks
internal import Synchronization

/// What one connection was asked, counted where it happens: its own counters, so that no two connections wait for each
/// other's cache lines. They are summed when somebody asks.
///
/// Written by the connection's thread and its crew, read by anyone; relaxed, because no count says anything about another.
final class Traffic: Sendable {
    private final class Row: Sendable {
        let requests = Atomic(0)
        let failures = Atomic(0)
        let bytes = Atomic(0)
        let nanoseconds = Atomic(0)
        let buckets: [Cell] = (0...TrafficCounts.bounds.count).map { _ in Cell() }
    }
    private final class Cell: Sendable {
        let value = Atomic(0)
    }
    private let rows: [Row] = TrafficCounts.Kind.allCases.map { _ in Row() }

    /// Counts a request that was begun at `begun` (``Machine/nanoseconds()``) and is done now.
    func count(_ kind: TrafficCounts.Kind, bytes: Int, failed: Bool, begun: Int, now: Int) {
        let row = rows[kind.rawValue]
        let time = max(0, now - begun)
        row.requests.wrappingAdd(1, ordering: .relaxed)
        row.nanoseconds.wrappingAdd(time, ordering: .relaxed)
        if failed {
            row.failures.wrappingAdd(1, ordering: .relaxed)
        } else {
            row.bytes.wrappingAdd(bytes, ordering: .relaxed)
        }
        var bucket = 0
        while bucket < TrafficCounts.bounds.count, time > TrafficCounts.bounds[bucket] { bucket += 1 }
        row.buckets[bucket].value.wrappingAdd(1, ordering: .relaxed)
    }

    /// Adds what was counted so far.
    func add(to counts: inout TrafficCounts) {
        for (kind, row) in zip(TrafficCounts.Kind.allCases, rows) {
            var sum = counts.rows[kind] ?? TrafficCounts.Row()
            sum.requests += row.requests.load(ordering: .relaxed)
            sum.failures += row.failures.load(ordering: .relaxed)
            sum.bytes += row.bytes.load(ordering: .relaxed)
            sum.nanoseconds += row.nanoseconds.load(ordering: .relaxed)
            for (index, cell) in row.buckets.enumerated() { sum.buckets[index] += cell.value.load(ordering: .relaxed) }
            counts.rows[kind] = sum
        }
    }
}

/// What the connections to one export were asked since it was published.
public struct TrafficCounts: Sendable, Equatable {
    /// What a client may ask for.
    public enum Kind: Int, CaseIterable, Sendable {
        case read, write, flush, discard, other
    }
    /// The upper bounds of the histogram's buckets, in nanoseconds: 16 us, and four times as much each.
    public static let bounds = (0..<10).map { 16_000 << (2 * $0) }

    /// The counts of one kind.
    public struct Row: Sendable, Equatable {
        /// Requests that were answered.
        public var requests = 0
        /// Those among them that failed.
        public var failures = 0
        /// Bytes of those that did not.
        public var bytes = 0
        /// Time they took together.
        public var nanoseconds = 0
        /// How many took at most each of ``TrafficCounts/bounds`` and more than the one before; last, the others.
        public var buckets = [Int](repeating: 0, count: TrafficCounts.bounds.count + 1)
    }
    /// By kind.
    public var rows: [Kind: Row] = [:]
    /// Connections open now.
    public var connections = 0

    /// Nothing was asked.
    public init() {}
}
