/// The time as the house sees it: the seam that tests move by hand.
public protocol HouseClock: Sendable {
    /// Wall time, UTC.
    func now() -> WallTime
    /// Time that only runs forward, from an arbitrary start.
    func uptime() -> Duration
    /// Waits at least this long. Never on the data path.
    func sleep(_ duration: Duration)
}

/// An instant in UTC, in milliseconds since 1970-01-01T00:00:00Z.
public struct WallTime: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970.
    public var milliseconds: Int64

    /// Makes an instant.
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }
    /// Orders by time.
    public static func < (a: WallTime, b: WallTime) -> Bool { a.milliseconds < b.milliseconds }
    /// The instant `duration` later, to the millisecond.
    public static func + (a: WallTime, b: Duration) -> WallTime {
        let (seconds, attoseconds) = b.components
        return WallTime(milliseconds: a.milliseconds + seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }
    /// The time between two instants.
    public static func - (a: WallTime, b: WallTime) -> Duration {
        .milliseconds(a.milliseconds - b.milliseconds)
    }
}
