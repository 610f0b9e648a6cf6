internal import Blocks

/// How it goes with a local copy that is wanted and not there.
struct FastCourse: Sendable {
    var done: ByteCount = 0
    var total: ByteCount = 0
    /// By uptime.
    var began: Duration?
    /// What keeps it.
    var problem: String?
    /// How often it failed, or its copy was spoilt, for as long as it is wanted.
    var retries = 0
    /// By uptime.
    var notBefore = Duration.zero

    private static let pauseMax = Duration.seconds(900)

    /// Twice as long after each failure.
    static func pause(_ first: Duration, after failures: Int) -> Duration {
        min(first * (1 << min(max(0, failures - 1), 10)), pauseMax)
    }

    /// From 0 to 1.
    var fraction: Double { total > .zero ? min(1, Double(done.bytes) / Double(total.bytes)) : 0 }

    /// How long the rest takes at the pace so far.
    func remaining(at uptime: Duration) -> Duration? {
        guard let began, uptime > began, done > .zero else { return nil }
        return (uptime - began) * (Double((total - min(done, total)).bytes) / Double(done.bytes))
    }
}
