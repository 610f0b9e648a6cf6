import Blocks
import Testing

@Suite struct WallTimeTextTests {
    @Test(
        "known instants have their known text",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_123, "2000-02-29T00:00:00.123Z"),
            (1_795_224_734_123, "2026-11-21T01:32:14.123Z"), (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func known(milliseconds: Int64, text: String) {
        #expect(WallTime(milliseconds: milliseconds).description == text)
        #expect(WallTime(text) == WallTime(milliseconds: milliseconds))
    }

    @Test("every day of four centuries reads back as itself")
    func days() {
        for day in stride(from: Int64(-50_000), to: 100_000, by: 1) {
            let time = WallTime(milliseconds: day * 86_400_000 + 45_296_789)
            #expect(WallTime(time.description) == time)
        }
    }

    @Test(
        "every instant has a text, and those of the years 0 to 9999 read back",
        arguments: [
            Int64.min, Int64.min + 1, -62_167_219_200_001, -62_167_219_200_000, -1, 0, 253_402_300_799_999,
            253_402_300_800_000, Int64.max,
        ])
    func extremes(milliseconds: Int64) {
        let time = WallTime(milliseconds: milliseconds)
        #expect(time.description.hasSuffix("Z"))
        #expect((WallTime(time.description) == time) == time.isReadable)
    }

    @Test("a fraction may be missing or finer than a millisecond")
    func fractions() {
        #expect(WallTime("1970-01-01T00:00:01Z")?.milliseconds == 1000)
        #expect(WallTime("1970-01-01T00:00:01.5Z")?.milliseconds == 1500)
        #expect(WallTime("1970-01-01T00:00:01.123456789Z")?.milliseconds == 1123)
    }

    @Test(
        "what is no time is refused",
        arguments: [
            "", "Z", "2026-11-21", "2026-11-21T01:32:14", "2026-13-21T01:32:14Z", "2026-02-29T01:32:14Z",
            "2026-11-21T24:00:00Z", "2026-11-21T01:60:00Z", "2026-11-21T01:32:60Z", "2026-11-21T01:32:14.Z",
            "2026-11-21T01:32:14.1234567890Z", "2026-11-21T01:32:14.12x4Z", "2026/11/21T01:32:14Z",
            "+026-11-21T01:32:14Z",
        ])
    func refused(text: String) {
        #expect(WallTime(text) == nil)
    }
}
