/// Reads a pattern, from left to right.
struct PatternReader {
    private let text: String
    private let characters: [Unicode.Scalar]
    private var place = 0
    private var depth = 0

    private static let depthMax = 50
    private static let timesMax = 255
    private static let digits: ClosedRange<Unicode.Scalar> = "0"..."9"
    private static let classes: [Unicode.Scalar: [ClosedRange<Unicode.Scalar>]] = [
        "d": [digits], "w": [digits, "a"..."z", "A"..."Z", "_"..."_"], "s": ["\t"..."\r", " "..." "],
    ]

    init(_ text: String) {
        self.text = text
        characters = Array(text.unicodeScalars)
    }

    static func refusal(_ text: String, _ why: String) -> ServiceError {
        ServiceError(.invalid, .policy, "\"\(text.quotable)\" is no regular expression that can be used here: \(why)")
    }
    private func refusal(_ why: String) -> ServiceError { Self.refusal(text, why) }

    private var next: Unicode.Scalar? { place < characters.count ? characters[place] : nil }

    private mutating func take(_ wanted: Unicode.Scalar) -> Bool {
        guard next == wanted else { return false }
        place += 1
        return true
    }

    mutating func whole() throws -> PatternTree {
        let tree = try ways()
        guard next == nil else { throw refusal("a ) closes nothing") }
        return tree
    }

    private mutating func ways() throws -> PatternTree {
        var found = [try sequence()]
        while take("|") { found.append(try sequence()) }
        return found.count == 1 ? found[0] : .any(found)
    }

    private mutating func sequence() throws -> PatternTree {
        var parts: [PatternTree] = []
        while let character = next, character != "|", character != ")" { parts.append(try repeated()) }
        return .all(parts)
    }

    private mutating func repeated() throws -> PatternTree {
        let one = try single()
        let tree: PatternTree
        if take("*") {
            tree = .again(one, least: 0, most: nil)
        } else if take("+") {
            tree = .again(one, least: 1, most: nil)
        } else if take("?") {
            tree = .again(one, least: 0, most: 1)
        } else if take("{") {
            let (least, most) = try times()
            tree = .again(one, least: least, most: most)
        } else {
            return one
        }
        // Lazy or not, it is found or not.
        _ = take("?")
        if let character = next, "*+?{".unicodeScalars.contains(character) {
            throw refusal("it repeats a repetition")
        }
        return tree
    }

    /// What follows the brace of `{2}`, `{2,}` or `{2,5}`.
    private mutating func times() throws -> (least: Int, most: Int?) {
        guard let least = number() else { throw refusal("a { has no number") }
        var most: Int? = least
        if take(",") { most = next == "}" ? nil : number() ?? -1 }
        guard take("}"), most ?? least >= least, max(least, most ?? 0) <= Self.timesMax else {
            throw refusal("a { } counts wrongly, or to more than \(Self.timesMax)")
        }
        return (least, most)
    }

    private mutating func number() -> Int? {
        var digits = ""
        while let digit = next, Self.digits.contains(digit), digits.utf8.count < 6 {
            digits.unicodeScalars.append(digit)
            place += 1
        }
        return Int(digits)
    }

    private mutating func single() throws -> PatternTree {
        guard let character = next else { throw refusal("it ends too early") }
        place += 1
        switch character {
        case ".": return .one(Characters(ranges: [], isOpposite: true))
        case "^": return .start
        case "$": return .end
        case "[": return .one(try bracket())
        case "(": return try group()
        case "\\": return .one(try escaped())
        case "*", "+", "?", "{": throw refusal("it repeats nothing")
        default: return .one(Characters(ranges: [character...character]))
        }
    }

    private mutating func group() throws -> PatternTree {
        if take("?"), !take(":") { throw refusal("of groups with (? only (?: ) is known") }
        depth += 1
        guard depth <= Self.depthMax else { throw refusal("it is nested too deep") }
        let tree = try ways()
        depth -= 1
        guard take(")") else { throw refusal("a ( is not closed") }
        return tree
    }

    /// After a backslash: a class, or a character that is no letter or digit, as it is.
    private mutating func escaped() throws -> Characters {
        guard let character = next else { throw refusal("it ends with a backslash") }
        place += 1
        if let ranges = Self.classes[character] { return Characters(ranges: ranges) }
        if let small = Unicode.Scalar(character.value | 0x20), character != small, let ranges = Self.classes[small] {
            return Characters(ranges: ranges, isOpposite: true)
        }
        let named: [Unicode.Scalar: Unicode.Scalar] = ["n": "\n", "t": "\t", "r": "\r"]
        if let known = named[character] { return Characters(ranges: [known...known]) }
        guard !character.properties.isAlphabetic, !Self.digits.contains(character) else {
            throw refusal("\\\(character) is not known")
        }
        return Characters(ranges: [character...character])
    }

    private mutating func bracket() throws -> Characters {
        var found: [ClosedRange<Unicode.Scalar>] = []
        let isOpposite = take("^")
        var isFirst = true
        while let character = next, isFirst || character != "]" {
            isFirst = false
            let part = try member()
            guard part.count == 1, part[0].lowerBound == part[0].upperBound, next == "-", place + 1 < characters.count,
                characters[place + 1] != "]"
            else {
                found += part
                continue
            }
            place += 1
            let end = try member()
            guard end.count == 1, part[0].lowerBound <= end[0].upperBound else {
                throw refusal("a range in [ ] runs backwards")
            }
            found.append(part[0].lowerBound...end[0].upperBound)
        }
        guard take("]") else { throw refusal("a [ is not closed") }
        return Characters(ranges: found, isOpposite: isOpposite)
    }

    private mutating func member() throws -> [ClosedRange<Unicode.Scalar>] {
        guard let character = next else { throw refusal("a [ is not closed") }
        place += 1
        guard character == "\\" else { return [character...character] }
        let escaped = try escaped()
        guard !escaped.isOpposite else { throw refusal("an opposite class in [ ] is not known") }
        return escaped.ranges
    }
}
