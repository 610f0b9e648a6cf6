internal import Blocks

/// `cron(minutes hours day-of-month month day-of-week year)`, as Amazon writes it.
///
/// Lists, ranges and steps in all fields; `L`, `15W` and `LW` for days of the month; `6L` and `6#3` for days of the week, which
/// are counted from 1, Sunday. One of the two days is `?`.
struct CronExpression: Equatable {
    private enum Day: Equatable {
        case any
        case numbers([Int])
        case last
        case lastWorkday
        /// The working day nearest to a day of the same month.
        case workday(near: Int)
        /// By the number of `CalendarDay`, 0 for Monday.
        case weekdays([Int])
        case lastWeekday(Int)
        case nth(Int, Int)
    }
    private let times: [Int]
    private let months: [Int]
    private let years: [Int]?
    private let day: Day

    private static let textMax = 106
    private static let yearRange = 1970...2199
    private static let monthNames = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ]
    private static let dayNames = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]

    init(_ text: String) throws {
        guard text.utf8.count <= Self.textMax, text.hasPrefix("cron("), text.hasSuffix(")") else {
            throw Self.refusal(text, "it looks like cron(0 3 * * ? *)")
        }
        let fields = text.dropFirst(5).dropLast().split(separator: " ").map { $0.uppercased() }
        guard fields.count == 6 else { throw Self.refusal(text, "it has \(fields.count) fields, not 6") }
        guard let minutes = Self.numbers(fields[0], 0...59), let hours = Self.numbers(fields[1], 0...23),
            let months = Self.numbers(fields[3], 1...12, Self.monthNames, from: 1),
            let years = Self.numbers(fields[5], Self.yearRange)
        else { throw Self.refusal(text, "one of its numbers is out of range") }
        guard (fields[2] == "?") != (fields[4] == "?") else {
            throw Self.refusal(text, "one of its days, of the month and of the week, must be ? and the other not")
        }
        guard let day = fields[4] == "?" ? Self.dayOfMonth(fields[2]) : Self.dayOfWeek(fields[4]) else {
            throw Self.refusal(text, "its days cannot be read")
        }
        times = hours.flatMap { hour in minutes.map { hour * 60 + $0 } }
        self.months = months
        self.years = fields[5] == "*" ? nil : years
        self.day = day
    }

    private static func refusal(_ text: String, _ why: String) -> ServiceError {
        ServiceError(.invalid, .policy, "\"\(text.quotable)\" is no cron expression: \(why)")
    }

    // MARK: Reading

    /// `*`, `1,2`, `1-5`, `*/10`, `MON-FRI`; ascending. Nil: not that.
    private static func numbers(
        _ text: String, _ range: ClosedRange<Int>, _ names: [String] = [], from first: Int = 0
    ) -> [Int]? {
        var found: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.split(separator: "/", omittingEmptySubsequences: false)
            guard halves.count <= 2, let bounds = bounds(halves[0], range, names, first, isOpen: halves.count == 2)
            else {
                return nil
            }
            var step = 1
            if halves.count == 2 {
                guard let given = Int(halves[1]), (1...range.upperBound).contains(given) else { return nil }
                step = given
            }
            found.formUnion(stride(from: bounds.lowerBound, through: bounds.upperBound, by: step))
        }
        return found.sorted()
    }

    private static func bounds(
        _ text: Substring, _ range: ClosedRange<Int>, _ names: [String], _ first: Int, isOpen: Bool
    ) -> ClosedRange<Int>? {
        if text == "*" { return range }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { end in
            names.firstIndex(of: String(end)).map { $0 + first } ?? Int(end)
        }
        guard let start = ends[0], range.contains(start), ends.count <= 2 else { return nil }
        if ends.count == 1 { return start...(isOpen ? range.upperBound : start) }
        guard let end = ends[1], range.contains(end), start <= end else { return nil }
        return start...end
    }

    private static func dayOfMonth(_ text: String) -> Day? {
        switch text {
        case "*": return .any
        case "L": return .last
        case "LW": return .lastWorkday
        default:
            if text.hasSuffix("W") {
                return Int(text.dropLast()).flatMap { (1...31).contains($0) ? .workday(near: $0) : nil }
            }
            return numbers(text, 1...31).map { .numbers($0) }
        }
    }

    private static func dayOfWeek(_ text: String) -> Day? {
        /// Counted from 1, Sunday; wanted from 0, Monday.
        func weekday(_ number: Int) -> Int { (number + 5) % 7 }
        if text == "*" { return .any }
        if text == "L" { return .weekdays([weekday(7)]) }
        let parts = text.split(separator: "#", omittingEmptySubsequences: false)
        if parts.count == 2 {
            guard let day = numbers(String(parts[0]), 1...7, dayNames, from: 1), day.count == 1,
                let nth = Int(parts[1]), (1...5).contains(nth)
            else { return nil }
            return .nth(weekday(day[0]), nth)
        }
        if text.hasSuffix("L") {
            guard let day = numbers(String(text.dropLast()), 1...7, dayNames, from: 1), day.count == 1 else {
                return nil
            }
            return .lastWeekday(weekday(day[0]))
        }
        return numbers(text, 1...7, dayNames, from: 1).map { .weekdays($0.map(weekday)) }
    }

    // MARK: Going on

    /// The first time after `time` at which a clock in `zone` shows what it asks for; nil: none until the year 2199.
    func next(after time: WallTime, in zone: ZoneOffset) -> WallTime? {
        var day = LocalInstant(time, in: zone).day
        let last = years?.last ?? Self.yearRange.upperBound
        while case let date = day.date, date.year <= last {
            if years?.contains(Int(date.year)) == false {
                day = CalendarDay(year: date.year + 1, month: 1, day: 1)
                continue
            }
            guard months.contains(Int(date.month)) else {
                day = CalendarDay(year: date.year + date.month / 12, month: date.month % 12 + 1, day: 1)
                continue
            }
            if matches(day),
                let found = times.lazy.map({ LocalInstant.instant(day, $0, in: zone) }).first(where: { $0 > time })
            {
                return found
            }
            day = day + 1
        }
        return nil
    }

    private func matches(_ one: CalendarDay) -> Bool {
        let date = one.date
        let number = Int(date.day), last = Self.lastDay(ofMonth: date.month, year: date.year)
        switch day {
        case .any: return true
        case .numbers(let days): return days.contains(number)
        case .last: return number == last
        case .lastWorkday: return number == Self.workday(near: last, of: date, last)
        case .workday(let near): return near <= last && number == Self.workday(near: near, of: date, last)
        case .weekdays(let days): return days.contains(one.weekday)
        case .lastWeekday(let weekday): return one.weekday == weekday && number > last - 7
        case .nth(let weekday, let nth): return one.weekday == weekday && (number + 6) / 7 == nth
        }
    }

    static func lastDay(ofMonth month: Int64, year: Int64) -> Int {
        let first = CalendarDay(year: year, month: month, day: 1)
        let next = CalendarDay(year: year + month / 12, month: month % 12 + 1, day: 1)
        return Int(next.number - first.number)
    }

    /// Saturday moves to Friday, Sunday to Monday; never into another month.
    private static func workday(near day: Int, of date: (year: Int64, month: Int64, day: Int64), _ last: Int) -> Int {
        switch CalendarDay(year: date.year, month: date.month, day: Int64(day)).weekday {
        case 5: day == 1 ? 3 : day - 1
        case 6: day == last ? day - 2 : day + 1
        default: day
        }
    }
}
