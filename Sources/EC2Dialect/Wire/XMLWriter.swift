/// Builds the XML of an answer, element by element.
struct XMLWriter {
    private(set) var text = ""

    /// May XML 1.0 have this character at all, escaped or not? (XML 1.0, production 2.)
    static func allows(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x9, 0xA, 0xD, 0x20...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }

    /// `<name>value</name>`, or nothing if there is no value.
    mutating func add(_ name: String, _ value: String?) {
        guard let value else { return }
        text += "<\(name)>"
        append(escaped: value)
        text += "</\(name)>"
    }
    mutating func add(_ name: String, _ value: Int?) { add(name, value.map(String.init)) }
    mutating func add(_ name: String, _ value: Bool?) { add(name, value.map { $0 ? "true" : "false" }) }

    /// What another writer has.
    mutating func append(_ other: XMLWriter) { text += other.text }

    /// `<name>...</name>` around what `body` adds.
    mutating func add(_ name: String, _ body: (inout XMLWriter) throws -> Void) rethrows {
        text += "<\(name)>"
        try body(&self)
        text += "</\(name)>"
    }

    /// `<name><item>...</item>...</name>`; with no items `<name/>`.
    mutating func list<Item>(
        _ name: String, _ items: some Collection<Item>, _ body: (inout XMLWriter, Item) throws -> Void
    ) rethrows {
        guard !items.isEmpty else {
            text += "<\(name)/>"
            return
        }
        text += "<\(name)>"
        for item in items {
            text += "<item>"
            try body(&self, item)
            text += "</item>"
        }
        text += "</\(name)>"
    }

    /// `<name attribute="...">` around what `body` adds, for the root.
    static func document(_ name: String, namespace: String, _ body: (inout XMLWriter) -> Void) -> String {
        var writer = XMLWriter()
        writer.text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<\(name) xmlns=\""
        writer.append(escaped: namespace)
        writer.text += "\">"
        body(&writer)
        writer.text += "</\(name)>"
        return writer.text
    }

    /// Marks become entities, also quotes, and a carriage return, which a reader would make a line feed. What XML does not
    /// allow was refused when it came in; here it is a fault of ours, and shown as the replacement character.
    private mutating func append(escaped value: String) {
        for scalar in value.unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "'": text += "&apos;"
            case "\r": text += "&#13;"
            default: text.unicodeScalars.append(Self.allows(scalar) ? scalar : "\u{fffd}")
            }
        }
    }
}
