/// A text as an expression in the project's sources makes it: what is literal in it is known, what is put in is not.
public struct WrittenText: Equatable, Sendable {
    /// What is known, in order; anything may come between two of them.
    public let parts: [String]

    /// Of a literal, or of several with `+` between them; of any other expression nothing is known.
    public init(_ expression: String) {
        let source = Array(expression)
        var parts = [""], place = 0
        var isLiteral = false
        while place < source.count {
            switch source[place] {
            case "\"":
                isLiteral = true
                Self.read(source, &place, into: &parts)
            case "+", " ", "\n": place += 1
            default:
                // Something else than literals.
                self.parts = ["", ""]
                return
            }
        }
        self.parts = isLiteral ? parts : ["", ""]
    }

    /// The whole text; nil: something is put into it.
    public var text: String? { parts.count == 1 ? parts[0] : nil }

    /// Can it be this?
    public func canBe(_ text: String) -> Bool {
        guard parts.count > 1, let first = parts.first, let last = parts.last else { return text == parts[0] }
        guard text.hasPrefix(first), text.count >= first.count + last.count, text.hasSuffix(last) else { return false }
        var rest = text.dropFirst(first.count).dropLast(last.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }

    private static func read(_ source: [Character], _ place: inout Int, into parts: inout [String]) {
        place += 1
        while place < source.count, source[place] != "\"" {
            guard source[place] == "\\", place + 1 < source.count else {
                parts[parts.count - 1].append(source[place])
                place += 1
                continue
            }
            let escaped = source[place + 1]
            guard escaped == "(" else {
                parts[parts.count - 1].append(escaped == "n" ? "\n" : escaped)
                place += 2
                continue
            }
            place += 2
            parts.append("")
            var scanner = SourceScanner(source, at: place), depth = 1
            while depth > 0, let inside = scanner.next() {
                if source[inside] == "(" { depth += 1 }
                if source[inside] == ")" { depth -= 1 }
                place = inside + 1
            }
        }
        place += 1
    }
}
