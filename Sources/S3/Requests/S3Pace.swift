/// How fast a store may be asked, learnt from its refusals ("slow down"): a pure value, shared by all threads of a store.
///
/// Every such refusal doubles the gap that is kept between two requests, at most twice a second, because all requests in
/// flight are refused for one reason. Every success shortens it by a tenth, until it is gone.
struct S3Pace: Equatable {
    private(set) var gap = Duration.zero
    private var free = Duration.zero
    private var lastRaise: Duration?

    static let gapMin = Duration.milliseconds(20)
    static let gapMax = Duration.seconds(1)

    /// Takes the next turn; returns how long to wait for it.
    mutating func turn(at now: Duration) -> Duration {
        guard gap > .zero else { return .zero }
        let start = max(now, free)
        free = start + gap
        return start - now
    }

    mutating func noteThrottled(at now: Duration) {
        if let lastRaise, now - lastRaise < .milliseconds(500) { return }
        lastRaise = now
        gap = min(Self.gapMax, max(Self.gapMin, gap * 2))
    }

    mutating func noteSuccess() {
        guard gap > .zero else { return }
        gap = gap / 10 * 9
        if gap < .milliseconds(2) { gap = .zero }
    }
}
