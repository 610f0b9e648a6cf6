public import Blocks

/// A clock that only moves when told to.
///
/// Who sleeps on it waits until another thread has moved it far enough; made with `passesSleeps`, a sleep moves it.
public final class ManualClock: HouseClock {
    private struct Time: Sendable {
        var wall: WallTime
        var up: Duration = .zero
        var sleepers = 0
    }
    private let time: Guarded<Time>
    private let passesSleeps: Bool

    /// Starts at `wall`.
    public init(at wall: WallTime = WallTime(milliseconds: 1_800_000_000_000), passesSleeps: Bool = false) {
        time = Guarded(Time(wall: wall))
        self.passesSleeps = passesSleeps
    }

    /// The wall time it was moved to.
    public func now() -> WallTime { time.withLock { $0.wall } }
    /// How far it was moved.
    public func uptime() -> Duration { time.withLock { $0.up } }
    /// Waits to be moved, or moves it.
    public func sleep(_ duration: Duration) {
        if passesSleeps { return advance(by: duration) }
        let end = time.change { time in
            time.sleepers += 1
            return time.up + duration
        }
        _ = time.wait { $0.up >= end ? true : nil }
        time.change { $0.sleepers -= 1 }
    }

    /// Moves both clocks forward and wakes who slept long enough.
    public func advance(by duration: Duration) {
        precondition(duration >= .zero, "uptime never runs backwards; set(_:) moves the wall clock alone")
        time.change { time in
            time.up += duration
            time.wall = time.wall + duration
        }
    }
    /// Sets the wall clock, in either direction, as an administrator or NTP would.
    public func set(_ wall: WallTime) { time.change { $0.wall = wall } }
    /// Waits until at least `count` threads sleep on it; false if `limit` passes first.
    public func waitForSleepers(_ count: Int, atMost limit: Duration) -> Bool {
        time.wait(atMost: limit) { $0.sleepers >= count ? true : nil } ?? false
    }
}
