import Blocks
import ObjectStore
import TestSupport
import Testing

@Suite struct ObjectStoreLawTests {
    @Test("a store in memory keeps every law", arguments: ObjectStoreLaw.allCases)
    func memory(_ law: ObjectStoreLaw) throws { try law.check(MemoryStore()) }

    @Test("a store in a directory keeps every law", arguments: ObjectStoreLaw.allCases)
    func directory(_ law: ObjectStoreLaw) throws {
        let scratch = try ScratchDirectory()
        try law.check(DirectoryStore(at: scratch.path + "/store"))
    }

    @Test("a faulty store without faults keeps every law", arguments: ObjectStoreLaw.allCases)
    func faultless(_ law: ObjectStoreLaw) throws { try law.check(FaultyStore(MemoryStore()) { _ in nil }) }

    @Test("a metered store keeps every law", arguments: ObjectStoreLaw.allCases)
    func metered(_ law: ObjectStoreLaw) throws { try law.check(MeteredStore(MemoryStore(), meter: StoreMeter())) }

    @Test("a metered store counts every request by what came of it")
    func meter() throws {
        let meter = StoreMeter()
        let store = MeteredStore(FaultyStore(MemoryStore()) { $0.number == 4 ? .transient : nil }, meter: meter)
        let bytes = [UInt8](repeating: 7, count: 100)
        try bytes.readBytes { (span) throws(StoreFailure) in try store.put(span, at: "a") }
        #expect(try store.get("a", range: ByteRange(at: 0, count: 40)).count == 40)
        #expect(throws: StoreFailure.missing(key: "b")) { try store.get("b", range: nil) }
        #expect(throws: StoreFailure.self) { try store.size(of: "a") }
        try store.delete(["a"])
        let counts = meter.counts
        #expect(counts.sent == 100 && counts.received == 40)
        typealias Kind = StoreMeter.Kind
        let expected = [
            Kind(operation: .put, outcome: .ok): 1, Kind(operation: .get, outcome: .ok): 1,
            Kind(operation: .get, outcome: .missing): 1, Kind(operation: .size, outcome: .transient): 1,
            Kind(operation: .delete, outcome: .ok): 1,
        ]
        #expect(counts.requests == expected)
    }

    @Test(
        "retries keep every law over a store that fails and loses answers",
        arguments: ObjectStoreLaw.allCases, [FaultyStore.Fault.transient, .lostResponse])
    func retrying(_ law: ObjectStoreLaw, _ fault: FaultyStore.Fault) throws {
        let faulty = FaultyStore(MemoryStore()) { $0.number % 3 == 1 ? fault : nil }
        try law.check(RetryingStore(faulty, clock: RecordingClock()))
    }
}

/// A clock whose sleeps take no time and are remembered.
final class RecordingClock: HouseClock {
    private let slept = Guarded<[Duration]>([])
    var pauses: [Duration] { slept.withLock { $0 } }
    func now() -> WallTime { WallTime(milliseconds: 1_700_000_000_000) }
    func uptime() -> Duration { pauses.reduce(.zero, +) }
    func sleep(_ duration: Duration) { slept.withLock { $0.append(duration) } }
}
