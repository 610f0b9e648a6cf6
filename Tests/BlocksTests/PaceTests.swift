import Blocks
import Testing

@Suite struct PaceTests {
    private static let second = 1_000_000_000

    /// When each of so many requests is carried out if the next one is asked for as soon as the last was.
    private static func moments(_ pace: Pace, _ count: Int, of bytes: ByteCount, from start: Int = 0) -> [Int] {
        var now = start
        return (0..<count).map { _ in
            now += pace.admit(bytes, at: now)
            return now
        }
    }

    @Test("what is not limited never waits")
    func unlimited() {
        let pace = Pace()
        #expect(Self.moments(pace, 1000, of: .mebibytes(1)).allSatisfy { $0 == 0 })
    }

    @Test("so many operations a second, after what the bucket holds", arguments: [1, 7, 100, 3000, 80_000])
    func operations(rate: Int) {
        let limit = Pace.Limit(rate: rate)
        let moments = Self.moments(Pace(Pace.Limits(operations: [limit])), 5 * rate + 2 * limit.depth, of: 4096)
        #expect(moments[limit.depth] == 0)
        // In no second are there more than the rate and the bucket allow, and with the bucket empty not less than the rate.
        let last = Double(moments.last!) / 1e9
        let expected = Double(moments.count - 1 - limit.depth) / Double(rate)
        #expect(abs(last - expected) <= 1.5 / Double(rate), "\(last) \(expected)")
        for index in stride(from: 0, to: moments.count, by: max(1, moments.count / 50)) {
            let inOneSecond = moments[index...].prefix { $0 < moments[index] + Self.second }.count
            #expect(inOneSecond <= rate + limit.depth + 1)
        }
    }

    @Test("a large request counts as several operations, and bytes count as they are")
    func sizes() {
        let pace = Pace(Pace.Limits(operations: [Pace.Limit(rate: 100, depth: 1)], operationSize: 262_144))
        #expect(pace.admit(.mebibytes(1), at: 0) == 0)
        #expect(pace.admit(1, at: 0) == 30_000_000)
        let bytes = Pace(Pace.Limits(bytes: [Pace.Limit(rate: 1 << 20, depth: 1)]))
        #expect(bytes.admit(.mebibytes(2), at: 0) == 0)
        let wait = bytes.admit(4096, at: 0)
        #expect((1_999_990_000...2_000_000_000).contains(wait))
        // What has no bytes takes none.
        #expect(bytes.admit(.zero, at: 0) == 0)
    }

    @Test("a deep bucket is used at the higher rate, then the lower one holds, and time fills it again")
    func burst() {
        let pace = Pace(Pace.Limits(operations: [Pace.Limit(rate: 1000, depth: 1), Pace.Limit(rate: 100, depth: 500)]))
        let first = Self.moments(pace, 400, of: 4096)
        #expect(abs(Double(first.last!) / 1e9 - 0.4) < 0.01)
        let later = Self.moments(pace, 1000, of: 4096, from: first.last!)
        // 500 and what 1.4 seconds of filling add went fast, the rest at 100 a second.
        let rate = 100.0 / (Double(later[999] - later[899]) / 1e9)
        #expect(abs(rate - 100) < 2, "\(rate)")
        let rested = later.last! + 5 * Self.second
        let again = Self.moments(pace, 400, of: 4096, from: rested)
        #expect(abs(Double(again.last! - rested) / 1e9 - 0.4) < 0.01)
    }

    @Test("other limits hold from the next request on; those that stay keep what was used")
    func changed() {
        let pace = Pace(Pace.Limits(operations: [Pace.Limit(rate: 10, depth: 1)]))
        #expect(pace.admit(1, at: 0) == 0 && pace.admit(1, at: 0) == 0)
        pace.set(Pace.Limits(operations: [Pace.Limit(rate: 10, depth: 1)], bytes: [Pace.Limit(rate: 1 << 30)]))
        #expect(pace.admit(1, at: 0) == 100_000_000)
        pace.set(Pace.Limits())
        #expect(pace.admit(1, at: 0) == 0)
    }

    @Test("requests of several threads together keep the rate")
    func threads() {
        let pace = Pace(Pace.Limits(operations: [Pace.Limit(rate: 1000, depth: 1)]))
        let waits = Guarded<[Int]>([])
        let threads = (0..<4).map { _ in
            OSThread(name: "pace") {
                for _ in 0..<250 {
                    let wait = pace.admit(4096, at: 0)
                    waits.withLock { $0.append(wait) }
                }
            }
        }
        for thread in threads { thread.join() }
        // Each has a place of its own in the line.
        let sorted = waits.withLock { $0.sorted() }
        #expect(sorted == [0, 0] + (1..<999).map { $0 * 1_000_000 })
    }
}
