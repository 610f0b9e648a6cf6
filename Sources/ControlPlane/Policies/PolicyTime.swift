internal import Blocks

/// A time of day, to the minute. Its text is `03:30`.
public struct TimeOfDay: Hashable, Comparable, Sendable {
    /// From 0 to 1439.
    public let minutes: Int

    /// `03:30`; nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, text.utf8.count == 5, text.utf8.allSatisfy({ $0 == 58 || (48...57).contains($0) }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), hour < 24, minute < 60
        else { return nil }
        minutes = hour * 60 + minute
    }

    /// A time so many minutes after midnight.
    public init(minutes: Int) {
        precondition((0..<1440).contains(minutes))
        self.minutes = minutes
    }

    /// `03:30`.
    public var text: String { Self.padded(minutes / 60) + ":" + Self.padded(minutes % 60) }

    static func padded(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }

    /// Orders by time.
    public static func < (a: TimeOfDay, b: TimeOfDay) -> Bool { a.minutes < b.minutes }
}

/// How far a clock on the wall is from UTC, all year round. Its text is `UTC` or `+08:00`.
public struct ZoneOffset: Hashable, Sendable {
    /// East of Greenwich.
    public let minutes: Int

    /// No offset.
    public static let utc = ZoneOffset(minutes: 0)

    /// From -14 to +14 hours.
    public init(minutes: Int) {
        precondition((-840...840).contains(minutes))
        self.minutes = minutes
    }

    /// `UTC`, `Z`, `+08:00` or `-05:30`; nil for anything else.
    public init?(_ text: String) {
        if text == "UTC" || text == "Z" {
            minutes = 0
            return
        }
        guard let sign = text.first, sign == "+" || sign == "-", let time = TimeOfDay(String(text.dropFirst())),
            time.minutes <= 840
        else { return nil }
        minutes = sign == "+" ? time.minutes : -time.minutes
    }

    /// `UTC` or `+08:00`.
    public var text: String {
        minutes == 0 ? "UTC" : (minutes < 0 ? "-" : "+") + TimeOfDay(minutes: abs(minutes)).text
    }
}

/// A day of the week.
public enum Weekday: String, Codable, Sendable, CaseIterable {
    case monday, tuesday, wednesday, thursday, friday, saturday, sunday

    /// 0: Monday, to 6: Sunday.
    var number: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// An instant as a clock on a wall shows it.
struct LocalInstant {
    private static let dayLength: Int64 = 86_400_000
    let day: CalendarDay
    /// Milliseconds since midnight.
    let rest: Int64

    init(_ time: WallTime, in zone: ZoneOffset) {
        let local = time.milliseconds + Int64(zone.minutes) * 60_000
        let number = local.floored(by: Self.dayLength)
        day = CalendarDay(number: number)
        rest = local - number * Self.dayLength
    }

    /// The instant at which a clock in `zone` shows this.
    static func instant(_ day: CalendarDay, _ minutes: Int, in zone: ZoneOffset) -> WallTime {
        WallTime(milliseconds: day.number * dayLength + Int64(minutes - zone.minutes) * 60_000)
    }
}

extension Int64 {
    /// The quotient, rounded down also below zero.
    func floored(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

extension TimeOfDay: Codable {
    /// Reads the text form.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let time = TimeOfDay(text) else {
            throw decoder.refusal("\"\(text.quotable)\" is no time of day: it looks like 03:30")
        }
        self = time
    }
    /// Writes the text form.
    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        try value.encode(text)
    }
}

extension ZoneOffset: Codable {
    /// Reads the text form.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let zone = ZoneOffset(text) else {
            throw decoder.refusal("\"\(text.quotable)\" is no time zone: it looks like UTC or +08:00")
        }
        self = zone
    }
    /// Writes the text form.
    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        try value.encode(text)
    }
}

extension Decoder {
    func refusal(_ text: String) -> DecodingError {
        .dataCorrupted(DecodingError.Context(codingPath: codingPath, debugDescription: text))
    }
}
