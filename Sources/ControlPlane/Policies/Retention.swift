internal import Blocks

/// How long what a schedule took is kept. Pure.
public enum Retention: Codable, Equatable, Sendable {
    /// A span of the calendar.
    public enum Unit: String, Codable, Sendable, CaseIterable { case days, weeks, months, years }

    /// The newest ones of each volume.
    case newest(count: Int)
    /// Until they are so old; the last one stays until the next is there.
    case age(amount: Int, unit: Unit)
    /// The newest one of each of the last hours, days, weeks, months and years that have any; and the newest of all.
    case generations(hourly: Int?, daily: Int?, weekly: Int?, monthly: Int?, yearly: Int?)
    /// For ever.
    case forever

    private static let countMax = 1000
    private static let yearsMax = 100
    /// What some clouds take, and more than as many years.
    private static let daysMax = 65_536

    /// - Parameter least: what a count or an age is at least.
    func check(least: Int = 1) throws {
        switch self {
        case .forever: return
        case .newest(let count): try Self.check(count, least...Self.countMax, "snapshots")
        case .age(let amount, let unit):
            let most =
                switch unit {
                case .days: Self.daysMax
                case .weeks: Self.yearsMax * 52
                case .months: Self.yearsMax * 12
                case .years: Self.yearsMax
                }
            try Self.check(amount, least...most, unit.rawValue)
        case .generations(let hourly, let daily, let weekly, let monthly, let yearly):
            let counts = [hourly, daily, weekly, monthly, yearly].map { $0 ?? 0 }
            for count in counts { try Self.check(count, 0...Self.countMax, "generations") }
            guard counts.contains(where: { $0 > 0 }) else {
                throw ServiceError(.invalid, .policy, "a retention by generations keeps none: give at least one count")
            }
        }
    }

    private static func check(_ number: Int, _ range: ClosedRange<Int>, _ what: String) throws {
        guard range.contains(number) else {
            throw ServiceError(
                .invalid, .policy,
                "a retention of \(number) \(what): \(range.lowerBound) to \(range.upperBound) are allowed")
        }
    }

    /// When what was taken at `time` may go, if that is settled then.
    func expiry(of time: WallTime) -> WallTime? {
        guard case .age(let amount, let unit) = self else { return nil }
        switch unit {
        case .days: return time + .seconds(amount * 86_400)
        case .weeks: return time + .seconds(amount * 7 * 86_400)
        case .months: return Self.months(amount, after: time)
        case .years: return Self.months(amount * 12, after: time)
        }
    }

    /// The same day of a later month, or that month's last.
    private static func months(_ count: Int, after time: WallTime) -> WallTime {
        let here = LocalInstant(time, in: .utc), date = here.day.date
        let months = date.year * 12 + date.month - 1 + Int64(count)
        let (year, month) = (months.floored(by: 12), months % 12 + 1)
        let last = Int64(CronExpression.lastDay(ofMonth: month, year: year))
        let day = CalendarDay(year: year, month: month, day: min(date.day, last))
        return LocalInstant.instant(day, 0, in: .utc) + .milliseconds(here.rest)
    }
}

extension Retention {
    /// A snapshot that a schedule took of one volume.
    struct Kept: Equatable, Sendable {
        let id: String
        /// The instant of the cut.
        let takenAt: WallTime
        var state: State
        /// What was settled when it was taken.
        var expiresAt: WallTime?
        /// From when its age counts, if not from the cut: a copy's, from its beginning.
        var begunAt: WallTime?
        enum State { case pending, completed, failed }
    }

    /// Which of them may go now, and when to look again (nil: when another is completed).
    ///
    /// Only what is completed counts, so that nothing goes before what replaces it is safe; the newest completed one
    /// always stays. What failed holds nothing, and goes once a later one is completed.
    ///
    /// - Parameters:
    ///   - all: of one volume and schedule, oldest first.
    ///   - isTargetGone: no more will come. Counts then settle nothing any more.
    ///   - keepsLast: does the newest one stay, however old it is?
    func surplus(
        of all: [Kept], at now: WallTime, in zone: ZoneOffset, isTargetGone: Bool, keepsLast: Bool = true
    ) -> (surplus: [String], again: WallTime?) {
        let completed = all.filter { $0.state == .completed }
        guard let newest = completed.last else { return ([], nil) }
        let older = keepsLast ? completed.dropLast() : completed[...]
        let failed = all.filter { $0.state == .failed && $0.takenAt < newest.takenAt }.map(\.id)
        switch self {
        case .forever: return (failed, nil)
        case .newest(let count):
            return (failed + (isTargetGone ? [] : completed.dropLast(max(count, keepsLast ? 1 : 0)).map(\.id)), nil)
        case .age:
            let ends = older.map { (id: $0.id, end: $0.expiresAt ?? expiry(of: $0.begunAt ?? $0.takenAt) ?? now) }
            return (failed + ends.filter { $0.end <= now }.map(\.id), ends.map(\.end).filter { $0 > now }.min())
        case .generations(let hourly, let daily, let weekly, let monthly, let yearly):
            if isTargetGone { return (failed, nil) }
            var kept: Set<String> = [newest.id]
            let tiers: [(Int?, (LocalInstant) -> Int64)] = [
                (hourly, { $0.day.number * 24 + $0.rest / 3_600_000 }), (daily, { $0.day.number }),
                (weekly, { ($0.day.number + 3).floored(by: 7) }),
                (monthly, { $0.day.date.year * 12 + $0.day.date.month }),
                (yearly, { $0.day.date.year }),
            ]
            for (count, period) in tiers {
                var periods: Set<Int64> = []
                for one in completed.reversed() where periods.count < count ?? 0 {
                    if periods.insert(period(LocalInstant(one.takenAt, in: zone))).inserted { kept.insert(one.id) }
                }
            }
            return (failed + older.map(\.id).filter { !kept.contains($0) }, nil)
        }
    }
}
