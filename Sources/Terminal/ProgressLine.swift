/// One line of progress: a bar, the share, the amount, the rate and the remaining time. Pure: the caller has the clock.
///
/// ```
/// Uploading  [############----------]  55 %  4.40 GiB of 8 GiB  412 MiB/s  9 s left
/// ```
public struct ProgressLine: Sendable {
    /// What is going on.
    public let title: String
    /// The whole amount in bytes, or nil when only a share is known.
    public let total: Int?
    private var samples: [(at: Duration, done: Double)] = []

    /// How far back the rate looks.
    private static let window: Duration = .seconds(5)

    /// Makes a line for an amount that starts at nothing.
    public init(_ title: String, total: Int? = nil) {
        self.title = title
        self.total = total
    }

    /// Notes that `share` (0 to 1) is done `at` a time on any clock that only runs forward.
    public mutating func note(share: Double, at instant: Duration) {
        samples.append((instant, min(max(share, 0), 1)))
        while samples.count > 2, instant - samples[1].at > Self.window { samples.removeFirst() }
    }

    /// The share per second over the last seconds; nil until that can be said.
    private var speed: Double? {
        guard let first = samples.first, let last = samples.last, last.at > first.at, last.done > first.done else {
            return nil
        }
        return (last.done - first.done) / Seconds.of(last.at - first.at)
    }

    /// The line, no wider than `width` columns.
    public func text(width: Int) -> String {
        let share = samples.last?.done ?? 0
        var parts = ["\(Int(share * 100)) %"]
        if let total {
            let done = Size(bytes: Int(share * Double(total)))
            parts.append("\(done) of \(Size(bytes: total))")
            if let speed { parts.append("\(Size(bytes: Int(speed * Double(total))))/s") }
        }
        if let speed, share < 1 { parts.append("\(Seconds.text(.seconds((1 - share) / speed))) left") }
        let tail = parts.joined(separator: "  ")
        let room = width - title.count - tail.count - 6
        let bar = room >= 10 ? "[" + Self.bar(share, width: min(room, 30)) + "]  " : ""
        return String("\(title)  \(bar)\(tail)".prefix(max(width, 0)))
    }

    private static func bar(_ share: Double, width: Int) -> String {
        let full = Int(share * Double(width))
        return String(repeating: "#", count: full) + String(repeating: "-", count: width - full)
    }
}

/// Spans of time for people.
public enum Seconds {
    /// The span in seconds.
    public static func of(_ span: Duration) -> Double {
        Double(span.components.seconds) + Double(span.components.attoseconds) / 1e18
    }

    /// `850 ms`, `3.2 s`, `45 s`, `2 min 5 s`, `3 h 20 min`.
    public static func text(_ span: Duration) -> String {
        let seconds = of(span)
        if seconds < 0.9995 { return "\(Int((seconds * 1000).rounded())) ms" }
        if seconds < 9.95 { return "\(Decimals.fixed(seconds, places: 1)) s" }
        let whole = Int(seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }

    /// Reads `90`, `90s`, `5m`, `12h` or `7d`; nil for anything else.
    public static func span(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let factors = ["": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let count = Int(digits), count <= 1_000_000_000,
            let factor = factors[String(text.dropFirst(digits.count))]
        else { return nil }
        return .seconds(count * factor)
    }
}
