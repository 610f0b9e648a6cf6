import Blocks
import ObjectStore
import Testing

@testable import ControlPlane

@Suite struct StoreHealthTests {
    private func put(_ store: any ObjectStore) -> Bool {
        (try? [UInt8]([1]).readBytes { (span) throws(StoreFailure) in try store.put(span, at: "k") }) != nil
    }

    @Test("three failures in a row are trouble, one is none, and a success ends it")
    func failuresInARow() {
        let meter = StoreMeter(), recovered = Guarded(0)
        meter.onRecovery { recovered.withLock { $0 += 1 } }
        let faulty = FaultyStore(MemoryStore()) { [2, 4, 5, 6].contains($0.number) ? .transient : nil }
        let store = MeteredStore(faulty, meter: meter)
        #expect(put(store) && !put(store))
        #expect(!StoreHealth(meter).isDegraded)
        #expect(put(store) && recovered.withLock { $0 } == 0)
        for _ in 0..<3 { #expect(!put(store)) }
        #expect(StoreHealth(meter).isDegraded && StoreHealth(meter).reason?.contains("injected") == true)
        #expect(put(store) && !StoreHealth(meter).isDegraded)
        #expect(recovered.withLock { $0 } == 1)
        let health = StoreHealth(meter)
        #expect(health.calls == ["put": 7] && health.sentBytes == 7 && health.transientFailures == 4)
    }

    @Test("one refusal is trouble")
    func refusal() {
        let meter = StoreMeter()
        #expect(!put(MeteredStore(FaultyStore(MemoryStore()) { _ in .permanent }, meter: meter)))
        #expect(StoreHealth(meter).isDegraded && meter.counts.refusals == 1)
    }

    @Test("what is not there is no trouble")
    func missing() {
        let meter = StoreMeter()
        let store = MeteredStore(MemoryStore(), meter: meter)
        #expect(throws: StoreFailure.missing(key: "k")) { try store.get("k", range: nil) }
        #expect(meter.trouble == nil && meter.quiet != nil)
    }
}
