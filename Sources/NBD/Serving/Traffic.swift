internal import Blocks
internal import Synchronization

/// What one connection was asked, counted where it happens: its own counters, so that no two connections wait for each
/// other's cache lines. They are summed when somebody asks.
///
/// Relaxed, because no count says anything about another. The connection's own thread alone counts in `own`, where a load and
/// a store do; a locked addition costs ten times as much, and there are three to a request. Its crew counts in `crew`.
final class Traffic: Sendable {
    let own = Tally(isShared: false)
    let crew = Tally(isShared: true)

    /// Adds what was counted so far.
    func add(to counts: inout TrafficCounts) {
        own.add(to: &counts)
        crew.add(to: &counts)
    }
}

/// Counters of requests by kind. Read by anyone; written by one thread, or by several if it is shared.
final class Tally: Sendable {
    private final class Cell: Sendable {
        let value = Atomic(0)
    }
    private final class Row: Sendable {
        let failures = Cell()
        let bytes = Cell()
        let nanoseconds = Cell()
        let buckets: [Cell] = (0...TrafficCounts.bounds.count).map { _ in Cell() }
    }
    private let rows: [Row] = TrafficCounts.Kind.allCases.map { _ in Row() }
    private let isShared: Bool

    init(isShared: Bool) { self.isShared = isShared }

    /// Counts a request that was begun at `begun` (``Machine/nanoseconds()``) and is done now.
    func count(_ kind: TrafficCounts.Kind, bytes: Int, failed: Bool, begun: Int, now: Int) {
        let row = rows[kind.rawValue]
        let time = max(0, now - begun)
        add(time, to: row.nanoseconds)
        if failed { add(1, to: row.failures) } else { add(bytes, to: row.bytes) }
        add(1, to: row.buckets[TrafficCounts.bucket(of: time)])
    }

    private func add(_ number: Int, to cell: Cell) {
        if isShared {
            cell.value.wrappingAdd(number, ordering: .relaxed)
        } else {
            cell.value.store(cell.value.load(ordering: .relaxed) &+ number, ordering: .relaxed)
        }
    }

    /// Adds what was counted so far.
    func add(to counts: inout TrafficCounts) {
        for (kind, row) in zip(TrafficCounts.Kind.allCases, rows) {
            var sum = counts.rows[kind] ?? TrafficCounts.Row()
            sum.failures += row.failures.value.load(ordering: .relaxed)
            sum.bytes += row.bytes.value.load(ordering: .relaxed)
            sum.nanoseconds += row.nanoseconds.value.load(ordering: .relaxed)
            for (index, cell) in row.buckets.enumerated() {
                let number = cell.value.load(ordering: .relaxed)
                sum.buckets[index] += number
                sum.requests += number
            }
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
    public static let bounds = (0..<bucketCount).map { 16_000 << (2 * $0) }

    /// The bucket of a time: the first whose bound is not less, or the one past the last.
    static func bucket(of nanoseconds: Int) -> Int {
        let units = (nanoseconds + 15_999) / 16_000
        guard units > 1 else { return 0 }
        return min(bucketCount, (Int.bitWidth - (units - 1).leadingZeroBitCount + 1) / 2)
    }
    private static let bucketCount = 10

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
