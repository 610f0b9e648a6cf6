internal import Blocks

/// Times without a zone, by the clock of Beijing: `2026-11-21 09:32:14`.
enum KingsoftTime {
    private static let offset = Duration.seconds(8 * 3600)

    static func text(_ time: WallTime) -> String {
        let text = (time + offset).description
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8))"
    }

    /// The day that it is there: `2026-11-21`.
    static func day(_ time: WallTime) -> String { String((time + offset).description.prefix(10)) }

    /// Reads `2026-11-21T09:32:14`, with a blank instead of the `T` too; nil for anything else.
    static func time(_ text: String) -> WallTime? {
        guard text.utf8.count == 19, let local = WallTime(text.replacing(" ", with: "T") + "Z") else { return nil }
        return local + (.zero - offset)
    }

    /// Is it a day of the calendar?
    static func isDay(_ text: String) -> Bool { text.utf8.count == 10 && WallTime(text + "T00:00:00Z") != nil }
}
