/// The parameters of a request: `Tag.1.Key=x`, `DiskIds=["d-1"]`. Names are case-sensitive, and what nobody asks for is ignored.
struct ECSParameters: Sendable, Equatable {
    private let values: [String: String]
    /// Items of a list that are read; more than any action takes.
    private static let itemsMax = 1000

    init(_ values: [String: String]) { self.values = values }

    /// The value of that name; an empty one is none.
    subscript(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// Is it there, if only empty?
    func has(_ name: String) -> Bool { values[name] != nil }

    /// The value as it is, empty or not.
    func raw(_ name: String) -> String? { values[name] }

    /// What must be there.
    func needed(_ name: String) throws(ECSFailure) -> String {
        guard let value = self[name] else { throw .missing(name) }
        return value
    }

    /// `Name.1`, `Name.2`, ... in the order of their numbers.
    func list(_ name: String) -> [String] {
        numbers(name).compactMap { values["\(name).\($0)"] }
    }

    /// The numbers N of which there is anything at or below `Name.N`, in order.
    func numbers(_ name: String) -> [Int] {
        let prefix = "\(name)."
        let found = values.keys.compactMap { key -> Int? in
            guard key.hasPrefix(prefix) else { return nil }
            return Int(key.dropFirst(prefix.count).prefix { $0 != "." })
        }
        return Array(Set(found).sorted().prefix(Self.itemsMax))
    }

    /// `true` or `false`; nil if it is not there.
    func flag(_ name: String) throws(ECSFailure) -> Bool? {
        guard let text = self[name] else { return nil }
        switch text.lowercased() {
        case "true": return true
        case "false": return false
        default: throw .parameter(name)
        }
    }

    /// A whole number; nil if it is not there.
    func number(_ name: String) throws(ECSFailure) -> Int? {
        guard let text = self[name] else { return nil }
        guard let number = Int(text) else { throw .parameter(name) }
        return number
    }

    /// A JSON array of texts in one value: `["d-1","d-2"]`; nil if it is not there.
    func array(_ name: String, orElse failure: ECSFailure? = nil) throws(ECSFailure) -> [String]? {
        guard let text = self[name] else { return nil }
        guard let items = JSONTexts.read(text) else { throw failure ?? .parameter(name) }
        return items
    }

    /// Everything but what differs each time or says which page is wanted, in a form in which equal requests are equal.
    func fingerprint(without left: Set<String>) -> String {
        values.filter { !left.contains($0.key) && !Self.common.contains($0.key) }
            .sorted { $0.key < $1.key }
            .map { "\($0.key.utf8.count):\($0.key)\($0.value.utf8.count):\($0.value)" }.joined()
    }

    private static let common: Set<String> = [
        "AccessKeyId", "Signature", "SignatureMethod", "SignatureNonce", "SignatureType", "SignatureVersion",
        "Timestamp",
        "Format", "SecurityToken", "Version",
    ]
}

/// Reads a JSON array of strings (numbers too), which is all that this API has of JSON in requests.
enum JSONTexts {
    static let countMax = 1000

    static func read(_ text: String) -> [String]? {
        var rest = Array(text.unicodeScalars)[...]
        func skip() {
            while let first = rest.first, first == " " || first == "\t" || first == "\n" { rest.removeFirst() }
        }
        skip()
        guard rest.popFirst() == "[" else { return nil }
        var items: [String] = []
        skip()
        if rest.first == "]" {
            rest.removeFirst()
        } else {
            while true {
                skip()
                guard items.count < countMax, let item = item(&rest) else { return nil }
                items.append(item)
                skip()
                let next = rest.popFirst()
                if next == "]" { break }
                guard next == "," else { return nil }
            }
        }
        skip()
        return rest.isEmpty ? items : nil
    }

    private static func item(_ rest: inout ArraySlice<Unicode.Scalar>) -> String? {
        guard rest.first == "\"" else {
            let digits = rest.prefix { ("0"..."9").contains($0) || $0 == "-" }
            rest.removeFirst(digits.count)
            return digits.isEmpty ? nil : text(Array(digits))
        }
        rest.removeFirst()
        var scalars: [Unicode.Scalar] = []
        while let next = rest.popFirst() {
            switch next {
            case "\"": return text(scalars)
            case "\\":
                guard let escaped = rest.popFirst(), ["\"", "\\", "/"].contains(escaped) else { return nil }
                scalars.append(escaped)
            case _ where next.value < 0x20: return nil
            default: scalars.append(next)
            }
        }
        return nil
    }

    private static func text(_ scalars: [Unicode.Scalar]) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text)
    }
}
