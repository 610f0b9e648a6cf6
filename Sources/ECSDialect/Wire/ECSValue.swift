/// What an answer is made of, before it is written as JSON or XML.
indirect enum ECSValue: Equatable, Sendable {
    case text(String)
    case number(Int)
    case flag(Bool)
    /// Fields in order; absent ones are left out by whoever makes it.
    case object([ECSField])
    /// `{"Snapshot": [...]}` in JSON, repeated `<Snapshot>` in XML.
    case list(of: String, [ECSValue])
    /// `[...]` in JSON, the name itself repeated in XML.
    case array([ECSValue])

    /// Nothing in it.
    static let empty = ECSValue.object([])
}

/// A name and what it has.
struct ECSField: Equatable, Sendable {
    let name: String
    let value: ECSValue

    init(_ name: String, _ value: ECSValue) {
        self.name = name
        self.value = value
    }
}

/// Fields one after another; what is nil is left out.
struct ECSFields: Equatable, Sendable {
    private(set) var all: [ECSField] = []

    mutating func add(_ name: String, _ text: String?) { if let text { all.append(ECSField(name, .text(text))) } }
    mutating func add(_ name: String, _ number: Int?) { if let number { all.append(ECSField(name, .number(number))) } }
    mutating func add(_ name: String, _ flag: Bool?) { if let flag { all.append(ECSField(name, .flag(flag))) } }
    mutating func add(_ name: String, _ value: ECSValue) { all.append(ECSField(name, value)) }
    mutating func add(_ name: String, listOf item: String, _ values: [ECSValue]) {
        all.append(ECSField(name, .list(of: item, values)))
    }

    var value: ECSValue { .object(all) }

    /// Those that `body` adds.
    static func of(_ body: (inout ECSFields) throws -> Void) rethrows -> ECSFields {
        var fields = ECSFields()
        try body(&fields)
        return fields
    }
}

/// Writes values as JSON.
enum ECSJSON {
    static func text(_ value: ECSValue) -> String {
        var out = ""
        write(value, to: &out)
        return out
    }

    private static func write(_ value: ECSValue, to out: inout String) {
        switch value {
        case .text(let text): write(text, to: &out)
        case .number(let number): out += String(number)
        case .flag(let flag): out += flag ? "true" : "false"
        case .list(let item, let values):
            out += "{"
            write(item, to: &out)
            out += ":["
            for (index, value) in values.enumerated() {
                if index > 0 { out += "," }
                write(value, to: &out)
            }
            out += "]}"
        case .array(let values):
            out += "["
            for (index, value) in values.enumerated() {
                if index > 0 { out += "," }
                write(value, to: &out)
            }
            out += "]"
        case .object(let fields):
            out += "{"
            for (index, field) in fields.enumerated() {
                if index > 0 { out += "," }
                write(field.name, to: &out)
                out += ":"
                write(field.value, to: &out)
            }
            out += "}"
        }
    }

    private static func write(_ text: String, to out: inout String) {
        let digits = Array("0123456789abcdef")
        out += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                out += "\\u00"
                out.append(digits[Int(scalar.value >> 4)])
                out.append(digits[Int(scalar.value & 15)])
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}

/// Writes values as XML.
enum ECSXML {
    static func document(_ root: String, _ value: ECSValue) -> String {
        var out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        write(root, value, to: &out)
        return out
    }

    private static func write(_ name: String, _ value: ECSValue, to out: inout String) {
        if case .array(let values) = value {
            for value in values { write(name, value, to: &out) }
            return
        }
        out += "<\(name)>"
        switch value {
        case .text(let text): write(text, to: &out)
        case .number(let number): out += String(number)
        case .flag(let flag): out += flag ? "true" : "false"
        case .list(let item, let values): for value in values { write(item, value, to: &out) }
        case .array: break
        case .object(let fields): for field in fields { write(field.name, field.value, to: &out) }
        }
        out += "</\(name)>"
    }

    private static func write(_ text: String, to out: inout String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "\t", "\n", "\r": out += "&#\(scalar.value);"
            // What XML 1.0 cannot have at all, escaped or not.
            case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: out += "\u{FFFD}"
            default: out.unicodeScalars.append(scalar)
            }
        }
    }
}
