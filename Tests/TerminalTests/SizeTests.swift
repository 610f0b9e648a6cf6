import Testing

@testable import Terminal

@Suite struct SizeTests {
    static let kibi = 1024, mebi = 1_048_576, gibi = 1_073_741_824, tebi = 1_099_511_627_776

    static let sizes: [(String, Int)] =
        [
            ("0", 0), ("1", 1), ("512", 512), ("512B", 512), ("1K", 1024), ("1k", 1024), ("1KiB", 1024), ("1kb", 1000),
            ("500M", 500 * mebi), ("500MB", 500_000_000), ("8GiB", 8 * gibi), ("8G", 8 * gibi), ("8 GiB", 8 * gibi),
            ("64TiB", 64 * tebi), ("1.5G", 1536 * mebi), ("1.5T", 1536 * gibi), ("0.5K", 512),
            ("1PB", 1_000_000_000_000_000), ("1P", 1024 * tebi), ("9223372036854775807", Int.max),
        ]

    @Test("a size is read in every unit", arguments: sizes)
    func reads(_ text: String, _ bytes: Int) throws {
        #expect(try Size(text).bytes == bytes)
    }

    @Test(
        "what is no size is refused with the text and the forms",
        arguments: [
            "", "x", "GiB", "-1", "1.", ".5", "1.2.3G", "1e3", "8GIBB", "8 G iB", "0.3", "1.0000000001G", "0x10", "８",
            "9223372036854775808", "99999999999999999999", "9007199254740993P", "1.1K",
        ])
    func refuses(_ text: String) {
        let failure = #expect(throws: SizeFailure.self) { try Size(text) }
        #expect(failure?.description.contains("'\(text)'") == true)
        #expect(failure?.description.contains("8GiB") == true)
    }

    static let shown: [(Int, String)] = [
        (0, "0 B"), (1, "1 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.50 KiB"), (mebi, "1 MiB"),
        (mebi - 1, "1.00 MiB"), (8 * gibi, "8 GiB"), (5_800_000_000, "5.40 GiB"), (123 * mebi, "123 MiB"),
        (64 * tebi, "64 TiB"), (Int.max, "8 EiB"),
    ]

    @Test("a size is shown with three digits", arguments: shown)
    func shows(_ bytes: Int, _ text: String) {
        #expect(Size(bytes: bytes).description == text)
    }
}

@Suite struct TableTests {
    @Test("columns are as wide as their widest cell, numbers stand at the right")
    func aligned() {
        var table = Table("ID", ">SIZE", "NAME")
        table.add("vol-1", "8 GiB", "db")
        table.add("vol-22", "512 MiB", "")
        #expect(table.lines == ["ID         SIZE  NAME", "vol-1     8 GiB  db", "vol-22  512 MiB"])
    }

    @Test("a name cannot paint the terminal")
    func harmless() {
        var table = Table("NAME")
        table.add("a\u{1B}[31mb\nc\u{9B}")
        #expect(table.lines[1] == "a?[31mb?c?")
    }

    @Test("facts leave out what is not known")
    func facts() {
        var facts = Facts()
        facts.add("id", "vol-1")
        facts.add("name", nil)
        facts.add("state", "available")
        #expect(facts.lines == ["id:    vol-1", "state: available"])
    }
}

@Suite struct ProgressLineTests {
    @Test("the line shows share, amount, rate and remaining time")
    func whole() {
        var line = ProgressLine("Uploading", total: 8 << 30)
        line.note(share: 0, at: .seconds(100))
        line.note(share: 0.5, at: .seconds(104))
        #expect(
            line.text(width: 100)
                == "Uploading  [###############---------------]  50 %  4 GiB of 8 GiB  1 GiB/s  4.0 s left")
    }

    @Test("the line never is wider than the terminal", arguments: 0...120)
    func narrow(_ width: Int) {
        var line = ProgressLine("Uploading", total: 8 << 30)
        line.note(share: 0, at: .zero)
        line.note(share: 0.31, at: .milliseconds(3333))
        #expect(line.text(width: width).count <= width)
    }

    @Test("a share outside 0 to 1 is cut, and a still line promises nothing")
    func odd() {
        var line = ProgressLine("Reading")
        #expect(line.text(width: 30).hasSuffix("0 %"))
        line.note(share: -1, at: .zero)
        line.note(share: -1, at: .seconds(1))
        #expect(!line.text(width: 80).contains("left"))
        line.note(share: 7, at: .seconds(2))
        #expect(line.text(width: 80).hasSuffix("100 %"))
    }

    @Test("the rate is that of the last seconds")
    func recent() {
        var line = ProgressLine("Reading", total: 1 << 30)
        for second in 0...20 { line.note(share: Double(second) / 1000, at: .seconds(second)) }
        for second in 21...30 { line.note(share: 0.02 + Double(second - 20) / 100, at: .seconds(second)) }
        #expect(line.text(width: 200).contains("10.2 MiB/s"))
    }

    static let spans: [(Duration, String)] =
        [
            (.milliseconds(3), "3 ms"), (.milliseconds(999), "999 ms"), (.milliseconds(1000), "1.0 s"),
            (.milliseconds(9940), "9.9 s"), (.seconds(10), "10 s"), (.seconds(59), "59 s"), (.seconds(60), "1 min 0 s"),
            (.seconds(3599), "59 min 59 s"), (.seconds(3600), "1 h 0 min"), (.seconds(86400), "24 h 0 min"),
        ]

    @Test("spans are shown for people", arguments: spans)
    func showsSpans(_ span: Duration, _ text: String) {
        #expect(Seconds.text(span) == text)
    }

    @Test(
        "spans are read",
        arguments: [("0s", 0), ("90", 90), ("5m", 300), ("12h", 43_200), ("7d", 604_800)])
    func readsSpans(_ text: String, _ seconds: Int) {
        #expect(Seconds.span(text) == .seconds(seconds))
    }

    @Test("what is no span is nil", arguments: ["", "s", "-1s", "1w", "1.5h", "99999999999999999999"])
    func noSpan(_ text: String) {
        #expect(Seconds.span(text) == nil)
    }
}
