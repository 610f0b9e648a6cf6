import Blocks
import Testing

@Suite struct GuardedTests {
    @Test("no change is lost between threads")
    func exclusion() {
        let count = Guarded(0)
        let threads = (0..<4).map { _ in
            OSThread(name: "count") { for _ in 0..<20_000 { count.withLock { $0 += 1 } } }
        }
        for thread in threads { thread.join() }
        #expect(count.withLock { $0 } == 80_000)
    }

    @Test("a waiter sees the change it waits for")
    func waiting() {
        let turn = Guarded(0)
        let threads = (0..<3).map { mine in
            OSThread(name: "turn") {
                for round in 0..<100 {
                    _ = turn.wait { $0 == round * 3 + mine ? true : nil }
                    turn.change { $0 += 1 }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(turn.withLock { $0 } == 300)
    }

    @Test("a wait with a limit gives up after it, and not before")
    func limits() {
        let never = Guarded(false)
        let clock = ContinuousClock()
        let start = clock.now
        let result: Bool? = never.wait(atMost: .milliseconds(30)) { $0 ? true : nil }
        #expect(result == nil)
        #expect(clock.now - start >= .milliseconds(30))
        #expect(never.wait(atMost: .zero) { $0 ? nil : 7 } == 7)
    }

    @Test("a failure leaves the lock open")
    func failures() {
        let value = Guarded(1)
        #expect(throws: BlockFailure.noSpace) {
            try value.withLock { (number) throws(BlockFailure) in
                number = 2
                throw .noSpace
            }
        }
        #expect(throws: BlockFailure.failed) {
            try value.change { (number) throws(BlockFailure) in
                number += 1
                throw .failed
            }
        }
        #expect(value.withLock { $0 } == 3)
    }

    @Test("joining twice, or never, is harmless")
    func joining() {
        let done = Guarded(0)
        let thread = OSThread(name: "a name that is longer than fifteen characters", isBackground: true) {
            done.change { $0 += 1 }
        }
        thread.join()
        thread.join()
        _ = OSThread(name: "forgotten") { done.change { $0 += 1 } }
        #expect(done.wait(atMost: .seconds(120)) { $0 == 2 ? true : nil } == true)
    }
}
