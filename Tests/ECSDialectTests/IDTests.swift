import Testing

@testable import ECSDialect

@Suite struct IDTests {
    @Test("ids tell each other, and a changed letter is no id")
    func roundTrip() {
        for native in ["vol-00000000000000000", "vol-0ffffffffffffffff", "vol-0123456789abcdef0"] {
            guard let name = ECSID.name(native, .disk) else {
                Issue.record("\(native) has no name")
                continue
            }
            #expect(name.utf8.count == 22 && ECSID.native(name, .disk) == native)
            #expect(ECSID.native("sl-" + name.dropFirst(2), .chain) == native)
            for place in 2..<22 {
                var changed = Array(name.utf8)
                changed[place] = changed[place] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
                #expect(ECSID.native(String(decoding: changed, as: UTF8.self), .disk) == nil)
            }
        }
        #expect(ECSID.name("vol-ffffffff", .disk) == nil)
        #expect(ECSID.native("d-zzzzzzzzzzzzzzzzzzzz", .disk) == nil)
        #expect(ECSID.native("", .disk) == nil && ECSID.native("d-", .disk) == nil)
    }

    @Test("JSON arrays of texts are read, and nothing else")
    func arrays() {
        #expect(JSONTexts.read("[]") == [])
        #expect(JSONTexts.read(" [ \"a\" , \"b\\\"c\" ] ") == ["a", "b\"c"])
        #expect(JSONTexts.read("[1,\"2\"]") == ["1", "2"])
        for wrong in ["", "[", "a", "[\"a\"", "[\"a\",]", "[\"a\"]]", "{\"a\":1}", "[[\"a\"]]", "[\"a\\u0041\"]"] {
            #expect(JSONTexts.read(wrong) == nil, "\(wrong)")
        }
    }
}
