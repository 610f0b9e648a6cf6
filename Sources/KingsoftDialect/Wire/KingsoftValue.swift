/// What an answer says, before it is written as JSON or XML.
indirect enum KingsoftValue: Sendable, Equatable {
    case text(String), number(Int), amount(Double), flag(Bool), list([KingsoftValue]), object(KingsoftFields)

    static func texts(_ texts: [String]) -> KingsoftValue { .list(texts.map { .text($0) }) }
}

/// Names with values, in order.
struct KingsoftFields: Sendable, Equatable {
    struct Field: Sendable, Equatable {
        let name: String
        let value: KingsoftValue
    }
    private(set) var all: [Field] = []

    /// Nothing yet.
    init() {}

    /// What `body` adds.
    static func with(_ body: (inout KingsoftFields) throws -> Void) rethrows -> KingsoftFields {
        var fields = KingsoftFields()
        try body(&fields)
        return fields
    }

    /// `"Return": true`.
    static let done: KingsoftFields = .with { $0.add("Return", true) }

    mutating func add(_ name: String, _ value: KingsoftValue) { all.append(Field(name: name, value: value)) }
    /// Nothing for nil: a key that is absent and one that is null are two things to clients.
    mutating func add(_ name: String, _ text: String?) { if let text { add(name, .text(text)) } }
    mutating func add(_ name: String, _ number: Int) { add(name, .number(number)) }
    mutating func add(_ name: String, _ flag: Bool) { add(name, .flag(flag)) }
    mutating func add(_ name: String, _ fields: KingsoftFields) { add(name, .object(fields)) }
    mutating func add(_ name: String, _ list: [KingsoftFields]) { add(name, .list(list.map { .object($0) })) }
    mutating func append(_ other: KingsoftFields) { all += other.all }
}

// MARK: JSON

extension KingsoftValue {
    func writeJSON(into text: inout String) {
        switch self {
        case .text(let value): Self.quote(value, into: &text)
        case .number(let value): text += String(value)
        case .amount(let value): text += String(value)
        case .flag(let value): text += value ? "true" : "false"
        case .list(let items):
            text += "["
            for (index, item) in items.enumerated() {
                if index > 0 { text += "," }
                item.writeJSON(into: &text)
            }
            text += "]"
        case .object(let fields):
            text += "{"
            for (index, field) in fields.all.enumerated() {
                if index > 0 { text += "," }
                Self.quote(field.name, into: &text)
                text += ":"
                field.value.writeJSON(into: &text)
            }
            text += "}"
        }
    }

    private static func quote(_ value: String, into text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}

// MARK: XML

extension KingsoftFields {
    func writeXML(into text: inout String) {
        for field in all {
            text += "<\(field.name)>"
            field.value.writeXML(into: &text)
            text += "</\(field.name)>"
        }
    }
}

extension KingsoftValue {
    func writeXML(into text: inout String) {
        switch self {
        case .text(let value): Self.escape(value, into: &text)
        case .number(let value): text += String(value)
        case .amount(let value): text += String(value)
        case .flag(let value): text += value ? "true" : "false"
        case .list(let items):
            for item in items {
                text += "<item>"
                item.writeXML(into: &text)
                text += "</item>"
            }
        case .object(let fields): fields.writeXML(into: &text)
        }
    }

    private static func escape(_ value: String, into text: inout String) {
        for scalar in value.unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "'": text += "&apos;"
            case "\r": text += "&#13;"
            default: text.unicodeScalars.append(scalar.isXML ? scalar : "\u{fffd}")
            }
        }
    }
}
