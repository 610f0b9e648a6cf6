import TestSupport
import Testing

/// What reads refusals in the sources reads them rightly.
@Suite struct WrittenTests {
    @Test("a text is known where it is literal, and open where something is put in")
    func text() {
        #expect(WrittenText(#""a \"b\"""#).text == "a \"b\"")
        #expect(WrittenText(#""a" + "b""#).text == "ab")
        let open = WrittenText(#""Missing\(name.first(where: { $0 == ")" }) ?? "x").\(end)""#)
        #expect(open.parts == ["Missing", ".", ""])
        #expect(open.canBe("MissingA.B") && !open.canBe("Missing") && !open.canBe("Other.B"))
        for expression in ["message", #"isKey ? "a" : "b""#, ""] {
            #expect(WrittenText(expression).text == nil && WrittenText(expression).canBe("anything"))
        }
        #expect(!WrittenText("\"a\"").canBe("ab"))
    }

    @Test("calls are found with their arguments, and neither in comments nor in texts")
    func calls() {
        let source = #"""
            // refusal(1) "
            let text = "refusal(2) \(refusal(3))"
            throw refusal(404, "Code", "a, (b\(c(1, 2))")
            struct Other { func other_refusal() { refusals(5); refusal(status) } }
            """#
        let found = WrittenCall.all(of: ["refusal"], inText: source, of: "File.swift")
        #expect(found.map(\.place) == ["File.swift:3", "File.swift:4"])
        #expect(found.map(\.arguments) == [["404", "\"Code\"", #""a, (b\(c(1, 2))""#], ["status"]])
    }
}
