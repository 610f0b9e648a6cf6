import Testing

@testable import ControlPlane

@Suite struct PatternTests {
    @Test(
        "a pattern is found where it is",
        arguments: [
            ("", "", true), ("", "x", true), ("abc", "xabcx", true), ("abc", "abx", false), ("^abc", "xabc", false),
            ("^abc$", "abc", true), ("^abc$", "abcd", false), ("a.c", "axc", true), ("a.*c", "a--c", true),
            ("^a*$", "aaaa", true), ("^a+$", "", false), ("^a?b$", "ab", true), ("^a?b$", "aab", false),
            ("^(ab|cd)+$", "abcdab", true), ("^(ab|cd)+$", "abc", false), ("^a{2,3}$", "aaa", true),
            ("^a{2,3}$", "aaaa", false), ("^a{2}$", "aa", true), ("^a{2,}$", "aaaaa", true), ("^a{2,}$", "a", false),
            ("[a-c]x", "bx", true), ("[^a-c]x", "bx", false), ("[^a-c]x", "dx", true), ("[]a]x", "]x", true),
            ("\\d\\d", "a42", true), ("\\D", "42", false), ("\\w+\\s\\w+", "two words", true), ("\\.", "a", false),
            ("^(?:a|)$", "", true), ("^(a*)*$", "aaaa", true), ("^(a|b|c)d$", "cd", true), ("a|b|c", "xxb", true),
            ("^.*Created for policy: policy-0123.*$", "x Created for policy: policy-0123 schedule: y", true),
            ("é.*ü", "aéxü", true), ("[\\d-]+x", "1-x", true), ("a*?b", "aab", true),
            ("^[c-ea-dx]+$", "abcdex", true), ("[c-ea-dx]", "f", false), ("[^c-ea-dx]", "w", true),
        ])
    func found(_ pattern: String, _ text: String, _ isFound: Bool) throws {
        #expect(try Pattern(pattern).isFound(in: text) == isFound, "\(pattern) in \(text)")
    }

    @Test(
        "what cannot be read is refused",
        arguments: [
            "(", ")", "a)", "[", "[a", "[b-a]", "*", "a**", "a{", "a{2", "a{3,2}", "a{256}", "\\", "\\k", "\\1",
            "(?=a)",
            "((a{200}){200}){200}", String(repeating: "(", count: 60) + String(repeating: ")", count: 60),
            String(repeating: "a", count: 1001), "a{2}{2}", "[a\\D]",
        ])
    func refused(_ pattern: String) {
        #expect(throws: ServiceError.self) { try Pattern(pattern) }
    }

    @Test("what another matcher would follow for ages ends at once")
    func bounded() throws {
        let pattern = try Pattern("^(a+)+(a|a)*(a*)*$")
        #expect(!pattern.isFound(in: String(repeating: "a", count: 1000) + "b"))
        // Every other character: no two of them are one range.
        func some(_ count: UInt32) -> String {
            String(String.UnicodeScalarView((0..<count).compactMap { Unicode.Scalar(0x4E00 + 2 * $0) }))
        }
        #expect(throws: ServiceError.self) { try Pattern("(?:[\(some(970))]{0,255}){9}\n") }
        let wide = try Pattern("^(?:[\(some(970))]{0,5}){4}\n"), text = some(20)
        #expect(wide.isFound(in: text + "\n") && !wide.isFound(in: text + "\u{4E01}\n"))
        #expect(!wide.isFound(in: some(21) + "\n"))
    }
}
