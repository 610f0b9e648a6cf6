public import Blocks

/// A statement: portable text with its values apart, so that a value can never become text.
///
/// ```
/// "SELECT id FROM volumes WHERE size > \(smallest) AND state = \(state)"
/// ```
/// Each interpolation is a parameter; a driver writes its own placeholders (`?1` or `$1`) between the pieces.
/// Only what SQLite and PostgreSQL both understand may be used; where they differ, say a ``SQLWord``.
public struct SQL: ExpressibleByStringInterpolation, Sendable {
    /// The pieces of text around the values: one more than there are values.
    public private(set) var pieces: [String]
    /// The values, in order.
    public private(set) var values: [SQLValue]

    /// A statement without values.
    public init(stringLiteral text: String) {
        pieces = [text]
        values = []
    }
    /// A statement with values.
    public init(stringInterpolation parts: StringInterpolation) {
        pieces = parts.pieces
        values = parts.values
    }

    /// Joins two parts of a statement.
    public static func + (first: SQL, second: SQL) -> SQL {
        var joined = first
        joined.pieces[joined.pieces.count - 1] += second.pieces[0]
        joined.pieces += second.pieces.dropFirst()
        joined.values += second.values
        return joined
    }

    /// `(?, ?, ...)`: what `IN` compares with. At most a thousand or so: databases bound a statement's parameters.
    static func list(_ values: [String]) -> SQL {
        precondition(!values.isEmpty, "SQL has no empty lists")
        var sql: SQL = "("
        sql.pieces += repeatElement(", ", count: values.count - 1) + [")"]
        sql.values = values.map(SQLValue.text)
        return sql
    }

    /// Any number of values as ``list(_:)``, in as many lists as that takes; none of none.
    static func lists(of values: [String]) -> [SQL] {
        let most = 1000
        return stride(from: 0, to: values.count, by: most).map {
            list(Array(values[$0..<min($0 + most, values.count)]))
        }
    }

    /// The text with placeholders as `placeholder` writes the n-th one, counted from 1, and the words of a driver.
    public func text(placeholder: (Int) -> String, word: (SQLWord) -> String) -> String {
        var text = pieces[0]
        for (index, piece) in pieces.dropFirst().enumerated() {
            text += placeholder(index + 1)
            text += piece
        }
        // Looked for in bytes: characters take most of a millisecond in a statement with a thousand values.
        guard text.utf8.contains(UInt8(ascii: "@")) else { return text }
        for known in SQLWord.allCases {
            text = text.split(separator: known.rawValue, omittingEmptySubsequences: false)
                .joined(separator: word(known))
        }
        return text
    }

    /// Collects pieces and values.
    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var pieces = [""]
        fileprivate var values: [SQLValue] = []

        /// Starts empty.
        public init(literalCapacity: Int, interpolationCount: Int) {}
        /// Adds text.
        public mutating func appendLiteral(_ text: String) { pieces[pieces.count - 1] += text }
        /// Adds a parameter.
        public mutating func appendInterpolation(_ value: SQLValue) {
            values.append(value)
            pieces.append("")
        }
        /// Adds a text parameter; nil is NULL.
        public mutating func appendInterpolation(_ value: String?) {
            appendInterpolation(value.map(SQLValue.text) ?? .null)
        }
        /// Adds an integer parameter; nil is NULL.
        public mutating func appendInterpolation(_ value: Int?) {
            appendInterpolation(value.map { SQLValue.integer(Int64($0)) } ?? .null)
        }
        /// Adds an integer parameter; nil is NULL.
        public mutating func appendInterpolation(_ value: Int64?) {
            appendInterpolation(value.map(SQLValue.integer) ?? .null)
        }
        /// Adds a truth: 1 or 0.
        public mutating func appendInterpolation(_ value: Bool) { appendInterpolation(value ? 1 : 0) }
        /// Adds a parameter for a real number; nil is NULL.
        public mutating func appendInterpolation(_ value: Double?) {
            appendInterpolation(value.map(SQLValue.real) ?? .null)
        }
        /// Adds a size parameter, in bytes; nil is NULL.
        public mutating func appendInterpolation(_ value: ByteCount?) { appendInterpolation(value?.bytes) }
        /// Adds a time parameter, in milliseconds since 1970; nil is NULL.
        public mutating func appendInterpolation(_ value: WallTime?) { appendInterpolation(value?.milliseconds) }
        /// Adds the raw value of a closed set of words.
        public mutating func appendInterpolation<Word: RawRepresentable>(_ word: Word) where Word.RawValue == String {
            appendInterpolation(.text(word.rawValue))
        }
    }
}

/// Where the databases' languages differ: written like this in statements, replaced by each driver.
public enum SQLWord: String, CaseIterable, Sendable {
    /// The type of a 64-bit integer.
    case integer = "@integer"
    /// The type of bytes.
    case blob = "@blob"
    /// The type of a double.
    case real = "@real"
    /// What ends a table's definition.
    case table = "@table"
}

/// One value in a row or a parameter.
public enum SQLValue: Hashable, Sendable {
    /// NULL.
    case null
    /// A 64-bit integer; also times (milliseconds since 1970) and truth (0, 1).
    case integer(Int64)
    /// A double.
    case real(Double)
    /// UTF-8 text without NUL characters.
    case text(String)
    /// Bytes.
    case blob([UInt8])
}
