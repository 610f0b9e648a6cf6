import Foundation
import Testing

@testable import ECSDialect

@Suite struct CompatibilityTests {
    private static let page = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../docs/compatibility.md")
    private static let begin = "<!-- alibaba actions -->", end = "<!-- end of alibaba actions -->"

    @Test("docs/compatibility.md says what Alibaba's routing table says (VARVE_WRITE_DOCS=1 writes it)")
    func page() throws {
        var text = try String(contentsOf: Self.page, encoding: .utf8)
        let first = try #require(text.range(of: Self.begin)), last = try #require(text.range(of: Self.end))
        let table = "\n" + Compatibility.table.joined(separator: "\n") + "\n"
        if ProcessInfo.processInfo.environment["VARVE_WRITE_DOCS"] == "1" {
            text.replaceSubrange(first.upperBound..<last.lowerBound, with: table)
            try text.write(to: Self.page, atomically: true, encoding: .utf8)
            return
        }
        #expect(String(text[first.upperBound..<last.lowerBound]) == table)
    }
}
