import Testing

@testable import ControlPlane

@Suite struct ObjectNumberTests {
    @Test("an id and its number tell each other")
    func roundTrip() throws {
        for _ in 0..<1000 {
            let id = Identifier.volume.next(isHidden: true)
            let number = try #require(ObjectNumber(id: id, prefix: "vol-"))
            #expect(number.id(prefix: "vol-") == id)
        }
        #expect(ObjectNumber(bits: 1).id(prefix: "snap-") == "snap-00000000000000001")
        #expect(ObjectNumber(id: "vol-0ffffffffffffffff", prefix: "vol-")?.bits == .max)
    }

    @Test(
        "what is no id has no number",
        arguments: [
            "", "vol-", "vol-0123", "snap-0123456789abcdef0", "vol-1123456789abcdef0", "vol-0123456789ABCDEF0",
            "vol-0123456789abcdeg0", "vol-0123456789abcdef01", "vol-0123456789abcde\u{301}",
        ])
    func noID(text: String) {
        #expect(ObjectNumber(id: text, prefix: "vol-") == nil)
    }

    @Test("the check differs from the number, and between neighbours in about half of its bits")
    func check() {
        for bits in UInt64(0)..<1000 {
            let one = ObjectNumber(bits: bits).check, other = ObjectNumber(bits: bits + 1).check
            #expect((12...52).contains((one ^ other).nonzeroBitCount))
        }
    }
}
