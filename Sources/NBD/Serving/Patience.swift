internal import Blocks

/// How long to look for the next request before going to sleep.
///
/// Waking a sleeping thread takes longer than most answers of a page cache, so a client that asks one thing at a time
/// is served faster by looking again for a moment. That pays only while requests follow each other closely and a
/// processor is free: what recent waits took decides, and once another thread has run in between two looks, this one
/// sleeps at once for a good while.
struct Patience {
    private static let spinMax = Duration.microseconds(60)
    /// Between two looks; more means that the processor was taken away.
    private static let gapMax = Duration.microseconds(20)
    private static let restMax = 1 << 16
    private static let mayPay = Machine.coreCount > 1

    private let clock = SystemClock()
    /// A running average of waits, each counted as at most eight times ``spinMax``.
    private var usual = Duration.zero
    /// So many waits are slept through; after the next disturbance so many.
    private var rest = 0
    private var nextRest = 256
    private var start = Duration.zero
    private var lastLook = Duration.zero

    /// A wait begins.
    mutating func begin() {
        start = clock.uptime()
        lastLook = start
    }

    /// Is another look worth it?
    mutating func looksAgain() -> Bool {
        guard Self.mayPay, rest == 0, usual < Self.spinMax else { return false }
        let now = clock.uptime()
        if now - lastLook > Self.gapMax {
            rest = nextRest
            nextRest = min(nextRest * 2, Self.restMax)
            return false
        }
        lastLook = now
        return now - start < Self.spinMax
    }

    /// The wait ended.
    mutating func end() {
        let wait = min(clock.uptime() - start, Self.spinMax * 8)
        usual += (wait - usual) / 8
        if rest > 0 { rest -= 1 }
    }
}
