/// Rows under a heading, columns padded to the widest cell, two spaces between.
public struct Table: Sendable {
    /// How a column stands.
    public enum Alignment: Sendable {
        case left, right
    }

    private let columns: [(title: String, alignment: Alignment)]
    private var rows: [[String]] = []

    /// Makes a table; a title that starts with `>` stands at the right.
    public init(_ titles: String...) {
        columns = titles.map { $0.hasPrefix(">") ? (String($0.dropFirst()), .right) : ($0, .left) }
    }

    /// Adds a row. Control characters in cells are shown as `?`, so that no name can paint the terminal.
    ///
    /// - Precondition: as many cells as columns.
    public mutating func add(_ cells: String...) {
        precondition(cells.count == columns.count, "a row has as many cells as the table has columns")
        rows.append(cells.map(Self.printable))
    }

    /// The lines, the heading first, with no spaces at their ends.
    public var lines: [String] {
        let all = [columns.map(\.title)] + rows
        let widths = columns.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let cells = columns.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                return columns[column].alignment == .right ? space + row[column] : row[column] + space
            }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    private static func printable(_ cell: String) -> String {
        String(cell.map { $0.unicodeScalars.contains { $0.value < 32 || (127..<160).contains($0.value) } ? "?" : $0 })
    }
}

/// `name: value` lines, the values in one column.
public struct Facts: Sendable {
    private var rows: [(String, String)] = []

    /// Makes none.
    public init() {}

    /// Adds a line; nil adds none.
    public mutating func add(_ name: String, _ value: String?) {
        if let value { rows.append((name, value)) }
    }

    /// The lines.
    public var lines: [String] {
        let width = rows.map { $0.0.count }.max() ?? 0
        return rows.map { $0.0 + ":" + String(repeating: " ", count: width - $0.0.count + 1) + $0.1 }
    }
}
