import Blocks
import Testing

@Suite struct FailureTests {
    @Test("kernel numbers become the failure they mean")
    func numbers() {
        let wanted: [(Int32, BlockFailure)] = [
            (28, .noSpace), (122, .noSpace), (30, .readOnly), (95, .unsupported), (5, .io(errno: 5)),
            (2, .io(errno: 2)),
        ]
        for (errno, failure) in wanted { #expect(BlockFailure(errno: errno) == failure) }
    }

    @Test("a disk failure says what, where and why")
    func words() {
        let failure = DiskFailure(errno: 2, action: "open", path: "/x/y")
        #expect(failure.description == "cannot open /x/y: No such file or directory")
        #expect(failure.isMissing)
        #expect(!DiskFailure(errno: 13, action: "open", path: "/x").isMissing)
        #expect(DiskFailure(errno: 28, action: "open", path: "/x").blockFailure == .noSpace)
    }

    @Test("wall time moves by durations, to the millisecond")
    func wallTime() {
        let start = WallTime(milliseconds: 1000)
        #expect(start + .milliseconds(1500) == WallTime(milliseconds: 2500))
        #expect(start + .seconds(-1) == WallTime(milliseconds: 0))
        #expect(start + .microseconds(900) == start)
        #expect((start + .seconds(90)) - start == .seconds(90))
        #expect(start < start + .seconds(1))
    }

    @Test("the machine's uptime runs forward and its sleeps last")
    func systemClock() {
        let clock = SystemClock()
        let start = clock.uptime()
        clock.sleep(.milliseconds(5))
        #expect(clock.uptime() - start >= .milliseconds(5))
        #expect(clock.now() > WallTime(milliseconds: 1_600_000_000_000))
    }
}
