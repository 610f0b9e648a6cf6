import Blocks
import ObjectStore
import Testing

@Suite struct RetryingStoreTests {
    private func put(_ store: any ObjectStore, _ key: String = "k") throws {
        try [UInt8](repeating: 7, count: 9).readBytes { (span) throws(StoreFailure) in try store.put(span, at: key) }
    }

    @Test("pauses double up to the limit, and jitter only shortens them")
    func backoff() throws {
        let clock = RecordingClock()
        let faulty = FaultyStore(MemoryStore()) { $0.number < 6 ? .transient : nil }
        let patience = RetryingStore.Patience(attempts: 6, pause: .milliseconds(100), pauseMax: .milliseconds(500))
        try put(RetryingStore(faulty, patience: patience, clock: clock, random: { 0 }))
        #expect(clock.pauses == [100, 200, 400, 500, 500].map { .milliseconds($0) })
        let jittered = RecordingClock()
        let again = FaultyStore(MemoryStore()) { $0.number < 3 ? .transient : nil }
        try put(RetryingStore(again, patience: patience, clock: jittered, random: { 1 }))
        #expect(jittered.pauses == [50, 100].map { .milliseconds($0) })
    }

    @Test("gives up after so many attempts, with the last failure")
    func givesUp() {
        let faulty = FaultyStore(MemoryStore()) { _ in .transient }
        let store = RetryingStore(faulty, patience: .init(attempts: 4), clock: RecordingClock())
        #expect(throws: StoreFailure.transient("injected in call 4")) { try put(store) }
        #expect(faulty.calls == 4)
    }

    @Test("does not repeat what cannot help")
    func permanent() {
        let faulty = FaultyStore(MemoryStore()) { _ in .permanent }
        let store = RetryingStore(faulty, clock: RecordingClock())
        #expect(throws: StoreFailure.permanent("injected in call 1")) { try put(store) }
        #expect(throws: StoreFailure.missing(key: "k")) {
            try RetryingStore(MemoryStore(), clock: RecordingClock()).get("k", range: nil)
        }
    }

    @Test("a conditional put whose answer was lost is recognised as one's own, another's is not")
    func lostConditionalPut() throws {
        let memory = MemoryStore()
        let faulty = FaultyStore(memory) { $0.number == 1 ? .lostResponse : nil }
        let store = RetryingStore(faulty, clock: RecordingClock())
        let mine: [UInt8] = [1, 2, 3], other: [UInt8] = [9]
        #expect(try mine.readBytes { (span) throws(StoreFailure) in try store.putIfAbsent(span, at: "k") })
        let late = RetryingStore(FaultyStore(memory) { $0.number == 1 ? .transient : nil }, clock: RecordingClock())
        #expect(try !other.readBytes { (span) throws(StoreFailure) in try late.putIfAbsent(span, at: "k") })
        #expect(try memory.get("k", range: nil) == mine)
    }

    @Test("a ranged answer that is too short is asked for again")
    func shortAnswer() throws {
        let memory = MemoryStore()
        try put(memory)
        let faulty = FaultyStore(memory) { $0.number == 1 ? .truncatedRead : nil }
        let bytes = try RetryingStore(faulty, clock: RecordingClock()).get("k", range: ByteRange(at: 1, count: 8))
        #expect(bytes.count == 8)
    }
}
