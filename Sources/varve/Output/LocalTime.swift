internal import Blocks
internal import Foundation

/// Times in tables: the reader's own time zone, to the second.
enum LocalTime {
    /// `2026-11-21 03:32:14`.
    static func text(_ instant: WallTime) -> String {
        let date = Date(timeIntervalSince1970: Double(instant.milliseconds) / 1000)
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .current
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
        let day = [parts.year, parts.month, parts.day].map(padded).joined(separator: "-")
        return day + " " + [parts.hour, parts.minute, parts.second].map(padded).joined(separator: ":")
    }

    private static func padded(_ number: Int?) -> String {
        let digits = String(number ?? 0)
        return digits.count < 2 ? "0" + digits : digits
    }
}
