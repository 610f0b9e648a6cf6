import Foundation
import Testing

/// The source tree as the tidy suites see it: folders under Sources are rooms, read once.
struct House {
    static let root: URL = {
        var folder = URL(fileURLWithPath: #filePath)
        while folder.path != "/" {
            folder.deleteLastPathComponent()
            if FileManager.default.fileExists(atPath: folder.appendingPathComponent("Package.swift").path) { break }
        }
        return folder
    }()

    static func text(_ path: String) -> String {
        (try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)) ?? ""
    }

    /// Every Swift file below `folder`, as paths relative to the root.
    static func swiftFiles(in folder: String) -> [String] {
        let base = root.appendingPathComponent(folder)
        guard let walk = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil) else { return [] }
        return walk.compactMap { $0 as? URL }
            .filter { $0.pathExtension == "swift" }
            .map { folder + String($0.path.dropFirst(base.path.count)) }
            .sorted()
    }
}

/// One Swift target under Sources, with what docs/architecture.md allows it.
struct Room: CustomTestStringConvertible {
    let name: String
    let mayImport: Set<String>
    let fromOutside: Set<String>

    var testDescription: String { name }

    var files: [SourceFile] { House.swiftFiles(in: "Sources/\(name)").map(SourceFile.init) }

    /// The rows of the table "Rooms and arrows".
    static let all: [Room] = {
        let lines = House.text("docs/architecture.md").split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.firstIndex(where: { $0.hasPrefix("| room |") }) else { return [] }
        return lines[(start + 2)...].prefix { $0.hasPrefix("|") }.map { line in
            let cells = line.split(separator: "|").map(String.init)
            return Room(
                name: words(cells[0]).first ?? "?", mayImport: Set(words(cells[2])), fromOutside: Set(words(cells[3])))
        }
    }()

    static func words(_ cell: String) -> [String] {
        cell.matches(of: /`([A-Za-z0-9]+)`/).map { String($0.1) }
    }
}

/// One file of Swift, with comments and the insides of strings separable from code.
struct SourceFile {
    let path: String
    let lines: [String]

    init(_ path: String) {
        self.path = path
        lines = House.text(path).components(separatedBy: "\n")
    }

    /// The modules it imports, with their line numbers.
    var imports: [(module: String, line: Int)] {
        lines.enumerated().compactMap { index, line in
            let parts = line.split(separator: " ").filter { !$0.hasPrefix("@") && !Self.importWords.contains($0) }
            guard line.split(separator: " ").contains("import"), parts.first == "import", parts.count > 1 else {
                return nil
            }
            return (String(parts[1].prefix { $0 != "." }), index + 1)
        }
    }

    /// Words around a module's name in an import: access levels, and kinds of declaration.
    private static let importWords: Set<Substring> = [
        "public", "package", "internal", "fileprivate", "private",
        "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
    ]

    /// Lines of code with line comments removed and string literals emptied; inside a multi-line string, empty.
    var code: [(text: String, line: Int)] {
        var isInString = false
        return lines.enumerated().map { index, line in
            let fences = line.ranges(of: "\"\"\"").count
            defer { if fences % 2 == 1 { isInString.toggle() } }
            if isInString || fences > 0 { return ("", index + 1) }
            return (SourceFile.bare(line), index + 1)
        }
    }

    /// Removes string literals' content and a trailing line comment.
    static func bare(_ line: String) -> String {
        var result = ""
        var isInString = false
        var depth = 0
        var previous: Character = " "
        for character in line {
            if isInString && depth == 0 {
                if character == "\"" && previous != "\\" { isInString = false }
                if character == "(" && previous == "\\" { depth = 1 }
                previous = (character == "\\" && previous == "\\") ? " " : character
                continue
            }
            if depth > 0 {
                if character == "(" { depth += 1 }
                if character == ")" { depth -= 1 }
            } else if character == "\"" {
                isInString = true
                result.append("\"\"")
                previous = character
                continue
            }
            if character == "/" && previous == "/" && depth == 0 {
                result.removeLast()
                return result
            }
            result.append(character)
            previous = character
        }
        return result
    }
}
