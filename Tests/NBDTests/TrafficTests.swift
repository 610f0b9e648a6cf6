import Testing

@testable import NBD

@Suite struct TrafficTests {
    @Test("a time falls into the first bucket whose bound is not less, and into the last beyond all")
    func buckets() {
        for (index, bound) in TrafficCounts.bounds.enumerated() {
            #expect(TrafficCounts.bucket(of: bound) == index)
            #expect(TrafficCounts.bucket(of: bound + 1) == index + 1)
        }
        #expect(TrafficCounts.bucket(of: 0) == 0)
        #expect(TrafficCounts.bucket(of: .max / 2) == TrafficCounts.bounds.count)
    }

    @Test("what the connection's thread and its crew count is summed by kind")
    func sums() {
        let traffic = Traffic()
        traffic.own.count(.read, bytes: 4096, failed: false, begun: 0, now: 100)
        traffic.own.count(.read, bytes: 512, failed: true, begun: 0, now: 20_000)
        traffic.crew.count(.read, bytes: 1024, failed: false, begun: 50, now: 100)
        traffic.crew.count(.flush, bytes: 0, failed: false, begun: 9, now: 9)
        var counts = TrafficCounts()
        traffic.add(to: &counts)
        let read = counts.rows[.read]
        #expect(read?.requests == 3 && read?.failures == 1 && read?.bytes == 5120 && read?.nanoseconds == 20_150)
        #expect(read?.buckets.prefix(2) == [2, 1])
        #expect(counts.rows[.flush]?.requests == 1 && counts.rows[.write]?.requests == 0)
    }
}
