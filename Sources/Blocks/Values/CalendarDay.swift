/// A day of the proleptic Gregorian calendar, wherever it is that day.
public struct CalendarDay: Hashable, Comparable, Sendable {
    /// Days since 1970-01-01.
    public let number: Int64

    /// The day with this number, counted from 1970-01-01.
    public init(number: Int64) { self.number = number }

    /// A date; one that no calendar has, such as February 30, comes out as another (``date`` tells).
    ///
    /// The inverse of ``date``: years start in March, so that the leap day is the last of its year.
    public init(year: Int64, month: Int64, day: Int64) {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        number = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// Year, month and day (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    public var date: (year: Int64, month: Int64, day: Int64) {
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let isNewYear = month >= 10
        return (
            yearOfEra + era * 400 + (isNewYear ? 1 : 0), isNewYear ? month - 9 : month + 3,
            dayOfYear - (153 * month + 2) / 5 + 1
        )
    }

    /// 0: Monday, to 6: Sunday.
    public var weekday: Int { Int(((number + 3) % 7 + 7) % 7) }

    /// Orders by time.
    public static func < (a: CalendarDay, b: CalendarDay) -> Bool { a.number < b.number }
    /// The day so many days later.
    public static func + (day: CalendarDay, count: Int64) -> CalendarDay { CalendarDay(number: day.number + count) }
}
