internal import Blocks
internal import FoundationEssentials
internal import Testing

/// A table of a document of the project's that is made from the code: between `<!-- NAME -->` and `<!-- end of NAME -->`.
public struct GeneratedTable: Sendable {
    /// Several tables are in one document, and their tests run at once.
    private static let documents = Guarded(())
    private let path: String
    private let begin: String, end: String

    /// The table of that name in `document`, a path from the project's root.
    ///
    /// - Parameter test: the file of the test that asks, in a folder of `Tests`.
    public init(_ name: String, in document: String, askedBy test: String = #filePath) {
        let root = test.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        path = root.joined(separator: "/") + "/" + document
        begin = "<!-- \(name) -->"
        end = "<!-- end of \(name) -->"
    }

    /// Expects the table to have these rows; with `VARVE_WRITE_DOCS=1` in the environment, writes them.
    ///
    /// - Throws: what reading and writing the document throws, and where it has no such table.
    public func check(_ rows: [String]) throws {
        try Self.documents.withLock { _ in
            var text = try String(contentsOfFile: path, encoding: .utf8)
            let first = try #require(text.firstRange(of: begin)), last = try #require(text.firstRange(of: end))
            let table = "\n" + rows.joined(separator: "\n") + "\n"
            let present = first.upperBound..<last.lowerBound
            guard ProcessInfo.processInfo.environment["VARVE_WRITE_DOCS"] == "1" else {
                #expect(String(text[present]) == table)
                return
            }
            text.replaceSubrange(present, with: table)
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        }
    }
}
