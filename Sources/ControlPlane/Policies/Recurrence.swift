public import Blocks

/// When something comes again and again. Pure: the next time follows from the one before.
public enum Recurrence: Codable, Equatable, Sendable {
    /// Every 1, 2, 3, 4, 6, 8, 12 or 24 hours, at a time of day in UTC and as many hours from it.
    case every(hours: Int, from: TimeOfDay)
    /// On some days of the week, at some times, by the clock of a zone (nil: UTC).
    case weekly(days: [Weekday], at: [TimeOfDay], zone: ZoneOffset?)
    /// `cron(minutes hours day-of-month month day-of-week year)`, by the clock of a zone (nil: UTC).
    case cron(expression: String, zone: ZoneOffset?)

    /// The hours that divide a day, so that a day looks like the next.
    public static let hours = [1, 2, 3, 4, 6, 8, 12, 24]
    private static let hour: Int64 = 3_600_000
    private static let minute: Int64 = 60_000

    /// The first time after `time`; nil: never again.
    public func next(after time: WallTime) -> WallTime? {
        switch self {
        case .every(let hours, let start):
            let period = Int64(hours) * Self.hour, anchor = Int64(start.minutes) * Self.minute
            let steps = (time.milliseconds - anchor).floored(by: period) + 1
            return WallTime(milliseconds: anchor + steps * period)
        case .weekly(let days, let times, let zone):
            let local = LocalInstant(time, in: zone ?? .utc), numbers = days.map(\.number)
            let minutes = Set(times.map(\.minutes)).sorted()
            return (0...7).lazy.map { local.day + $0 }
                .filter { numbers.contains($0.weekday) }
                .compactMap { day in
                    minutes.lazy.map { LocalInstant.instant(day, $0, in: zone ?? .utc) }.first { $0 > time }
                }
                .first
        case .cron(let text, let zone):
            return (try? CronExpression(text))?.next(after: time, in: zone ?? .utc)
        }
    }

    /// By whose days, weeks and months what it makes is counted.
    var zone: ZoneOffset {
        switch self {
        case .every: .utc
        case .weekly(_, _, let zone), .cron(_, let zone): zone ?? .utc
        }
    }

    /// Refuses what never comes, or more often than once an hour.
    func check(at now: WallTime) throws {
        switch self {
        case .every(let hours, _):
            guard Self.hours.contains(hours) else {
                throw Self.refusal(
                    "every \(hours) hours: \(Self.hours.map(String.init).joined(separator: ", ")) are allowed")
            }
        case .weekly(let days, let times, _):
            guard !days.isEmpty, !times.isEmpty, days.count <= 7, times.count <= 24 else {
                throw Self.refusal("a weekly schedule has 1 to 7 days and 1 to 24 times of day")
            }
        case .cron(let text, _): _ = try CronExpression(text)
        }
        guard var time = next(after: now) else { throw Self.refusal("the schedule never comes") }
        for _ in 0..<48 {
            guard let following = next(after: time) else { return }
            guard following - time >= .seconds(3600) else {
                throw Self.refusal(
                    "the schedule comes at \(time) and again at \(following): at most once an hour is allowed")
            }
            time = following
        }
    }

    private static func refusal(_ text: String) -> ServiceError { ServiceError(.invalid, .policy, text) }
}
