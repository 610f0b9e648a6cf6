import Blocks
import Testing

@testable import NBD

@Suite struct PatienceTests {
    @Test("an idle connection stops looking and sleeps at once")
    func idle() {
        var patience = Patience()
        for _ in 0..<20 {
            patience.begin()
            SystemClock().sleep(.milliseconds(1))
            patience.end()
        }
        patience.begin()
        let looks = patience.looksAgain()
        #expect(!looks)
    }

    @Test("one wait looks for a bounded time only")
    func bounded() {
        var patience = Patience()
        patience.begin()
        let start = SystemClock().uptime()
        var looks = 0
        while patience.looksAgain(), looks < 1_000_000 { looks += 1 }
        #expect(looks < 1_000_000)
        #expect(SystemClock().uptime() - start < .seconds(1))
    }

    @Test("a disturbance lets it rest for many waits, then it looks again")
    func rests() {
        guard Machine.coreCount > 1 else { return }
        var patience = Patience()
        patience.begin()
        SystemClock().sleep(.milliseconds(1))
        let looksOn = patience.looksAgain()
        #expect(!looksOn, "the processor was away")
        var restCount = 0
        patience.end()
        while restCount < 100_000 {
            patience.begin()
            let looks = patience.looksAgain()
            patience.end()
            if looks { break }
            restCount += 1
        }
        #expect(restCount >= 200 && restCount < 100_000)
    }
}
