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
