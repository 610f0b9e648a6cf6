/// Takes an XML document apart, token by token. Pure, linear in the bytes, and total: any bytes end in tokens or `.wrong`.
struct XMLReader {
    enum Token: Equatable {
        case open(String), close(String), text(String)
        /// Not XML, or a kind of it that is refused.
        case wrong
    }
    private let bytes: [UInt8]
    private var at = 0
    /// The closing half of `<empty/>`.
    private var pending: String?
    private var isOver = false

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next token; nil at the end, also after `.wrong`.
    mutating func next() -> Token? {
        if let name = pending {
            pending = nil
            return .close(name)
        }
        while !isOver, at < bytes.count {
            let token = bytes[at] == UInt8(ascii: "<") ? markup() : text()
            if token == .wrong { isOver = true }
            if let token { return token }
        }
        return nil
    }

    private mutating func text() -> Token? {
        let start = at
        while at < bytes.count, bytes[at] != UInt8(ascii: "<") { at += 1 }
        guard let text = Self.unescaped(bytes[start..<at]) else { return .wrong }
        return .text(text)
    }

    /// An element's start or end, or nil for what says nothing: a declaration or a comment.
    private mutating func markup() -> Token? {
        if stands(Array("<?".utf8)) { return skip(past: "?>") }
        if stands(Array("<!--".utf8)) { return skip(past: "-->") }
        if stands(Array("<![CDATA[".utf8)) {
            let start = at + 9
            if let wrong = skip(past: "]]>") { return wrong }
            guard start <= at - 3 else { return .wrong }
            return .text(String(decoding: bytes[start..<at - 3], as: UTF8.self))
        }
        guard !stands(Array("<!".utf8)) else { return .wrong }
        let start = at + 1
        guard skipTag() else { return .wrong }
        return tag(bytes[start..<at - 1])
    }

    /// Moves behind the tag's `>`, which does not count inside quotes.
    private mutating func skipTag() -> Bool {
        var quote: UInt8?
        at += 1
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                return true
            }
        }
        return false
    }

    private mutating func tag(_ inside: ArraySlice<UInt8>) -> Token {
        let isClosing = inside.first == UInt8(ascii: "/")
        let isEmpty = !isClosing && inside.last == UInt8(ascii: "/")
        let name = inside.dropFirst(isClosing ? 1 : 0).prefix { byte in
            byte > 32 && byte != UInt8(ascii: "/")
        }
        let local = name.lastIndex(of: UInt8(ascii: ":")).map { name[($0 + 1)...] } ?? name
        guard !local.isEmpty, !local.contains(UInt8(ascii: "<")) else { return .wrong }
        let text = String(decoding: local, as: UTF8.self)
        if isClosing { return .close(text) }
        if isEmpty { pending = text }
        return .open(text)
    }

    /// Do these bytes come next?
    private func stands(_ wanted: [UInt8]) -> Bool {
        bytes.count - at >= wanted.count && bytes[at..<at + wanted.count].elementsEqual(wanted)
    }

    /// Moves behind the next `end`; `.wrong` if there is none.
    private mutating func skip(past end: String) -> Token? {
        let wanted = Array(end.utf8)
        while at < bytes.count {
            if bytes[at] == wanted[0], stands(wanted) {
                at += wanted.count
                return nil
            }
            at += 1
        }
        return .wrong
    }

    /// Character references and the five named ones resolved; nil for any other.
    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String? {
        guard bytes.contains(UInt8(ascii: "&")) else { return String(decoding: bytes, as: UTF8.self) }
        var result = ""
        var rest = bytes
        while let start = rest.firstIndex(of: UInt8(ascii: "&")) {
            result += String(decoding: rest[..<start], as: UTF8.self)
            guard let end = rest[start...].prefix(12).firstIndex(of: UInt8(ascii: ";")),
                let character = character(String(decoding: rest[(start + 1)..<end], as: UTF8.self))
            else { return nil }
            result.unicodeScalars.append(character)
            rest = rest[(end + 1)...]
        }
        return result + String(decoding: rest, as: UTF8.self)
    }

    private static func character(_ name: String) -> Unicode.Scalar? {
        switch name {
        case "lt": "<"
        case "gt": ">"
        case "amp": "&"
        case "quot": "\""
        case "apos": "'"
        default:
            if name.hasPrefix("#x") {
                UInt32(name.dropFirst(2), radix: 16).flatMap(Unicode.Scalar.init)
            } else if name.hasPrefix("#") {
                UInt32(name.dropFirst(1)).flatMap(Unicode.Scalar.init)
            } else {
                nil
            }
        }
    }
}
