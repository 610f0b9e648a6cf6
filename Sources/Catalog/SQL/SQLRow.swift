/// One row of an answer. A column is asked for by name and with the type it must have; anything else is a
/// ``CatalogFailure/corrupt(_:)``, because the schema promised otherwise.
public struct SQLRow: Sendable {
    private let columns: SQLColumns
    private let values: [SQLValue]

    /// A row with these columns.
    public init(columns: SQLColumns, values: [SQLValue]) {
        precondition(columns.names.count == values.count)
        self.columns = columns
        self.values = values
    }

    /// The value as it came.
    public func value(_ column: String) throws(CatalogFailure) -> SQLValue {
        guard let index = columns[column] else {
            throw .corrupt("an answer has no column \(column), only \(columns.names)")
        }
        return values[index]
    }
    /// Text.
    public func text(_ column: String) throws(CatalogFailure) -> String {
        guard let text = try optionalText(column) else { throw .corrupt("\(column) is NULL") }
        return text
    }
    /// Text or NULL.
    public func optionalText(_ column: String) throws(CatalogFailure) -> String? {
        switch try value(column) {
        case .null: return nil
        case .text(let text): return text
        case let other: throw .corrupt("\(column) is no text: \(other)")
        }
    }
    /// An integer.
    public func integer(_ column: String) throws(CatalogFailure) -> Int {
        guard let number = try optionalInteger(column) else { throw .corrupt("\(column) is NULL") }
        return number
    }
    /// An integer or NULL.
    public func optionalInteger(_ column: String) throws(CatalogFailure) -> Int? {
        switch try value(column) {
        case .null: return nil
        case .integer(let number): return Int(number)
        case let other: throw .corrupt("\(column) is no integer: \(other)")
        }
    }
    /// A real number.
    public func real(_ column: String) throws(CatalogFailure) -> Double {
        switch try value(column) {
        case .real(let number): return number
        case .integer(let number): return Double(number)
        case let other: throw .corrupt("\(column) is no number: \(other)")
        }
    }
    /// One of a closed set of words.
    public func word<Word: RawRepresentable>(_ column: String, as type: Word.Type) throws(CatalogFailure) -> Word
    where Word.RawValue == String {
        let text = try text(column)
        guard let word = Word(rawValue: text) else { throw .corrupt("\(column) has the unknown value \(text)") }
        return word
    }

    /// The same of a column that may be NULL.
    public func optionalWord<Word: RawRepresentable>(
        _ column: String, as type: Word.Type
    ) throws(CatalogFailure) -> Word?
    where Word.RawValue == String {
        try optionalText(column) == nil ? nil : word(column, as: type)
    }
}

/// The names of an answer's columns, which all of its rows share.
public final class SQLColumns: Sendable {
    /// In the answer's order.
    public let names: [String]
    private let places: [String: Int]

    /// Of two with one name, the first is found.
    public init(_ names: [String]) {
        self.names = names
        places = Dictionary(zip(names, names.indices)) { first, _ in first }
    }

    /// Where a column is, if there is one of that name.
    subscript(name: String) -> Int? { places[name] }
}
