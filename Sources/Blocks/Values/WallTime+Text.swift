/// Times as text: RFC 3339 in UTC with milliseconds, `2026-11-21T01:32:14.123Z`.
extension WallTime: CustomStringConvertible {
    private static let millisecondsPerDay: Int64 = 86_400_000

    /// `2026-11-21T01:32:14.123Z`.
    public var description: String {
        let remainder = milliseconds % Self.millisecondsPerDay
        let days = milliseconds / Self.millisecondsPerDay - (remainder < 0 ? 1 : 0)
        let rest = remainder < 0 ? remainder + Self.millisecondsPerDay : remainder
        let (year, month, day) = CalendarDay(number: days).date
        // Into one buffer, as lists have thousands of them.
        var text: [UInt8] = []
        text.reserveCapacity(24)
        Self.append(year, padded: 4, then: "-", to: &text)
        Self.append(month, padded: 2, then: "-", to: &text)
        Self.append(day, padded: 2, then: "T", to: &text)
        Self.append(rest / 3_600_000, padded: 2, then: ":", to: &text)
        Self.append(rest / 60_000 % 60, padded: 2, then: ":", to: &text)
        Self.append(rest / 1000 % 60, padded: 2, then: ".", to: &text)
        Self.append(rest % 1000, padded: 3, then: "Z", to: &text)
        return String(decoding: text, as: UTF8.self)
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

    private static func append(
        _ value: Int64, padded width: Int, then mark: Unicode.Scalar, to text: inout [UInt8]
    ) {
        var place: Int64 = 1
        for _ in 1..<width { place *= 10 }
        if (0..<place * 10).contains(value) {
            while place > 0 {
                text.append(UInt8(ascii: "0") + UInt8(value / place % 10))
                place /= 10
            }
        } else {
            // A year that a calendar on paper does not have.
            let digits = String(value)
            text += Array(repeating: UInt8(ascii: "0"), count: max(0, width - digits.utf8.count)) + Array(digits.utf8)
        }
        text.append(UInt8(ascii: mark))
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
