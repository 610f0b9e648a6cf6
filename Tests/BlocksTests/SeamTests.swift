import Blocks
import Simulation
import Testing

@Suite struct SeamTests {
    @Test("a manual clock stands still until moved, and wakes sleepers when they are due")
    func clock() {
        let clock = ManualClock(at: WallTime(milliseconds: 5000))
        #expect(clock.now() == WallTime(milliseconds: 5000))
        let woken = Guarded<[Int]>([])
        let threads = [2, 1].map { seconds in
            OSThread(name: "sleeper") {
                clock.sleep(.seconds(seconds))
                woken.change { $0.append(seconds) }
            }
        }
        #expect(clock.waitForSleepers(2, atMost: .seconds(120)))
        clock.advance(by: .milliseconds(1000))
        #expect(woken.wait(atMost: .seconds(120)) { $0 == [1] ? true : nil } == true)
        clock.advance(by: .milliseconds(1000))
        for thread in threads { thread.join() }
        #expect(woken.withLock { $0 } == [1, 2])
        #expect(clock.uptime() == .seconds(2))
        clock.set(WallTime(milliseconds: 0))
        #expect(clock.uptime() == .seconds(2) && clock.now() == WallTime(milliseconds: 0))
    }

    @Test("a clock that passes sleeps moves by them")
    func passing() {
        let clock = ManualClock(passesSleeps: true)
        clock.sleep(.seconds(3))
        #expect(clock.uptime() == .seconds(3))
    }

    @Test("a seed repeats its numbers, and bounds hold")
    func randomness() {
        var a = SeededRandom(seed: 7), b = SeededRandom(seed: 7), c = SeededRandom(seed: 8)
        let first = (0..<100).map { _ in a.next() }
        #expect(first == (0..<100).map { _ in b.next() })
        #expect(first != (0..<100).map { _ in c.next() })
        #expect(Set((0..<500).map { _ in a.below(7) }) == Set(0..<7))
        var fork = a.fork()
        #expect(fork.next() != a.next())
    }
}
