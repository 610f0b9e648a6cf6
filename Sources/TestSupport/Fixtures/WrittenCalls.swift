internal import FoundationEssentials

/// A call that stands in the project's sources, with its arguments as they are written.
public struct WrittenCall: Sendable {
    /// Where: a path from the project's root, and a line.
    public let place: String
    /// Each with its label, if it has one.
    public let arguments: [String]

    /// Every call of one of these names in the Swift files of a folder, such as `ECSFailure` in `Sources/ECSDialect`.
    ///
    /// What is in comments and texts is none.
    ///
    /// - Parameter test: the file of the test that asks, in a folder of `Tests`.
    public static func all(of names: [String], in folder: String, askedBy test: String) throws -> [WrittenCall] {
        let parts = test.split(separator: "/", omittingEmptySubsequences: false)
        let root = parts[..<(parts.lastIndex(of: "Tests") ?? 0)].joined(separator: "/")
        return try FileManager.default.subpathsOfDirectory(atPath: "\(root)/\(folder)").sorted()
            .filter { $0.hasSuffix(".swift") }
            .flatMap { file in
                let text = try String(contentsOfFile: "\(root)/\(folder)/\(file)", encoding: .utf8)
                return all(of: names, inText: text, of: "\(folder)/\(file)")
            }
    }

    /// The same in the text of one file.
    public static func all(of names: [String], inText text: String, of file: String) -> [WrittenCall] {
        let source = Array(text)
        var found: [WrittenCall] = []
        var scanner = SourceScanner(source)
        while let place = scanner.next() {
            for name in names where source[place...].starts(with: name + "(") {
                if name.first != ".", place > 0, isName(source[place - 1]) { continue }
                let line = source[..<place].count { $0.isNewline } + 1
                found.append(
                    WrittenCall(
                        place: "\(file):\(line)", arguments: arguments(source, from: place + name.count + 1)))
            }
        }
        return found
    }

    /// Can it be part of a name?
    private static func isName(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_"
    }

    private static func arguments(_ source: [Character], from start: Int) -> [String] {
        var arguments: [String] = [], begin = start, depth = 0
        var scanner = SourceScanner(source, at: start)
        func argument(_ end: Int) -> String {
            let text = source[begin..<end].drop { $0.isWhitespace }
            return String(text.prefix(text.count - text.reversed().prefix { $0.isWhitespace }.count))
        }
        while let place = scanner.next() {
            switch source[place] {
            case "(", "[", "{": depth += 1
            case ")" where depth == 0: return arguments + [argument(place)]
            case ")", "]", "}": depth -= 1
            case "," where depth == 0:
                arguments.append(argument(place))
                begin = place + 1
            default: break
            }
        }
        return arguments
    }
}

/// Goes over the characters of Swift source that are neither in a text nor in a comment.
struct SourceScanner {
    private let source: [Character]
    private var place: Int

    init(_ source: [Character], at place: Int = 0) {
        self.source = source
        self.place = place
    }

    /// Where the next one is; nil: there is none.
    mutating func next() -> Int? {
        while place < source.count {
            if source[place...].starts(with: "//") {
                place = source[place...].firstIndex { $0.isNewline } ?? source.count
            } else if source[place] == "\"" {
                skipText()
            } else {
                place += 1
                return place - 1
            }
        }
        return nil
    }

    /// Past the text that begins here, with the texts in what is interpolated.
    private mutating func skipText() {
        place += 1
        while place < source.count, source[place] != "\"" {
            let isEscape = source[place] == "\\"
            place += 1
            guard isEscape, place < source.count else { continue }
            place += 1
            if source[place - 1] == "(" { skipInterpolation() }
        }
        place += 1
    }

    private mutating func skipInterpolation() {
        var depth = 1
        while depth > 0, let inside = next() {
            if source[inside] == "(" { depth += 1 }
            if source[inside] == ")" { depth -= 1 }
        }
    }
}
