/// Times as text: RFC 3339 in UTC with milliseconds, `2026-11-21T01:32:14.123Z`.
extension WallTime: CustomStringConvertible {
    private static let millisecondsPerDay: Int64 = 86_400_000

    /// `2026-11-21T01:32:14.123Z`.
    public var description: String {
        let remainder = milliseconds % Self.millisecondsPerDay
        let days = milliseconds / Self.millisecondsPerDay - (remainder < 0 ? 1 : 0)
        let rest = remainder < 0 ? remainder + Self.millisecondsPerDay : remainder
        let (year, month, day) = CalendarDay(number: days).date
        let clock = [(rest / 3_600_000, 2), (rest / 60_000 % 60, 2), (rest / 1000 % 60, 2)].map(Self.padded)
        return Self.padded(year, 4) + "-" + Self.padded(month, 2) + "-" + Self.padded(day, 2) + "T"
            + clock.joined(separator: ":") + "." + Self.padded(rest % 1000, 3) + "Z"
    }

    /// Does its text read back as itself: is it in the years 0 to 9999? Times in records from outside must be; then
    /// their differences cannot overflow either.
    public var isReadable: Bool { (-62_167_219_200_000..<253_402_300_800_000).contains(milliseconds) }

    /// Reads `2026-11-21T01:32:14Z`, with or without a fraction of a second; nil for anything else.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z") else { return nil }
        let shape: [(Int, UInt8)] = [
            (4, UInt8(ascii: "-")), (7, UInt8(ascii: "-")), (10, UInt8(ascii: "T")), (13, UInt8(ascii: ":")),
            (16, UInt8(ascii: ":")),
        ]
        guard shape.allSatisfy({ bytes[$0.0] == $0.1 }),
            let year = Self.number(bytes[0..<4]), let month = Self.number(bytes[5..<7]),
            let day = Self.number(bytes[8..<10]), let hour = Self.number(bytes[11..<13]),
            let minute = Self.number(bytes[14..<16]), let second = Self.number(bytes[17..<19]),
            hour < 24, minute < 60, second < 60, let fraction = Self.fraction(bytes[19..<bytes.count - 1])
        else { return nil }
        let day0 = CalendarDay(year: year, month: month, day: day)
        guard day0.date == (year, month, day) else { return nil }
        let seconds = day0.number * 86_400 + hour * 3600 + minute * 60 + second
        self.init(milliseconds: seconds * 1000 + fraction)
    }

    /// Milliseconds from "" or ".d...", 1 to 9 digits.
    private static func fraction(_ bytes: ArraySlice<UInt8>) -> Int64? {
        guard let point = bytes.first else { return 0 }
        let digits = bytes.dropFirst()
        guard point == UInt8(ascii: "."), (1...9).contains(digits.count), number(digits) != nil else { return nil }
        return number((Array(digits) + Array("00".utf8))[0..<3])
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int64($1 - 48) }
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension WallTime: Codable {
    /// Reads the text form.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let time = WallTime(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\"\(text)\" is not a time in UTC"))
        }
        self = time
    }
    /// Writes the text form.
    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        try value.encode(description)
    }
}
