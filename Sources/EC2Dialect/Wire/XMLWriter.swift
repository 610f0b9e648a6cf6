/// Builds the XML of an answer, element by element.
struct XMLWriter {
    private var bytes: [UInt8] = []
    /// What was written so far.
    var text: String { String(decoding: bytes, as: UTF8.self) }

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
        open(name)
        append(escaped: value)
        close(name)
    }
    mutating func add(_ name: String, _ value: Int?) { add(name, value.map(String.init)) }
    mutating func add(_ name: String, _ value: Bool?) { add(name, value.map { $0 ? "true" : "false" }) }

    /// What another writer has.
    mutating func append(_ other: XMLWriter) { bytes += other.bytes }

    /// `<name>...</name>` around what `body` adds.
    mutating func add(_ name: String, _ body: (inout XMLWriter) throws -> Void) rethrows {
        open(name)
        try body(&self)
        close(name)
    }

    /// `<name><item>...</item>...</name>`; with no items `<name/>`.
    mutating func list<Item>(
        _ name: String, _ items: some Collection<Item>, _ body: (inout XMLWriter, Item) throws -> Void
    ) rethrows {
        guard !items.isEmpty else {
            append("<\(name)/>")
            return
        }
        open(name)
        for item in items {
            open("item")
            try body(&self, item)
            close("item")
        }
        close(name)
    }

    /// `<name attribute="...">` around what `body` adds, for the root.
    static func document(_ name: String, namespace: String, _ body: (inout XMLWriter) -> Void) -> String {
        var writer = XMLWriter()
        writer.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<\(name) xmlns=\"")
        writer.append(escaped: namespace)
        writer.append("\">")
        body(&writer)
        writer.close(name)
        return writer.text
    }

    private mutating func append(_ text: String) {
        var text = text
        // Safe: the pointer is used while the text lives.
        text.withUTF8 { unsafe bytes.append(contentsOf: $0) }
    }

    private mutating func open(_ name: String) {
        append("<")
        append(name)
        append(">")
    }

    private mutating func close(_ name: String) {
        append("</")
        append(name)
        append(">")
    }

    /// May a byte of a text be written as it is, whatever its neighbours are?
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"): false
        default: (0x20...0x7e).contains(byte)
        }
    }

    /// Marks become entities, also quotes, and a carriage return, which a reader would make a line feed. What XML does not
    /// allow was refused when it came in; here it is a fault of ours, and shown as the replacement character.
    ///
    /// Nearly every text is plain and copied as a whole: letter by letter, a page of a thousand snapshots took most of its time here.
    private mutating func append(escaped value: String) {
        var value = value
        // Safe: the pointer is used while the text lives.
        let isPlain = value.withUTF8 { utf8 in
            for index in utf8.indices where unsafe !Self.isPlain(utf8[index]) { return false }
            unsafe bytes.append(contentsOf: utf8)
            return true
        }
        if isPlain { return }
        for scalar in value.unicodeScalars {
            switch scalar {
            case "&": append("&amp;")
            case "<": append("&lt;")
            case ">": append("&gt;")
            case "\"": append("&quot;")
            case "'": append("&apos;")
            case "\r": append("&#13;")
            default: append(String(Character(Self.allows(scalar) ? scalar : "\u{fffd}")))
            }
        }
    }
}
