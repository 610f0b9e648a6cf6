internal import Blocks

extension History {
    /// A shorter history that breaks the same law, found by leaving out steps, in ever smaller pieces, until none can
    /// be left out (delta debugging), or until `limit` has passed.
    public func shrunk(_ law: Law, within limit: Duration) -> (history: History, violation: Violation?) {
        let clock = SystemClock()
        let end = clock.uptime() + limit
        var best = self
        var found: Violation?
        var piece = max(1, steps.count / 2)
        while true {
            var start = 0
            var hasShrunk = false
            while start < best.steps.count, clock.uptime() < end {
                var shorter = best
                shorter.steps.removeSubrange(start..<min(best.steps.count, start + piece))
                if let violation = shorter.violation(of: law) {
                    best = shorter
                    found = violation
                    hasShrunk = true
                } else {
                    start += piece
                }
            }
            if clock.uptime() >= end || piece == 1 && !hasShrunk { return (best, found) }
            piece = max(1, piece / 2)
        }
    }

    /// Plays it, a second time if the first shows nothing: threads may have met otherwise.
    private func violation(of law: Law) -> Violation? {
        for _ in 0..<2 {
            do { try play() } catch {
                if let violation = error as? Violation, violation.law == law { return violation }
            }
        }
        return nil
    }
}
