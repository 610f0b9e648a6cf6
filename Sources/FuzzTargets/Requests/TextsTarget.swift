internal import Blocks
@testable internal import Console
@testable internal import ControlPlane
@testable internal import Repository
internal import Terminal

extension FuzzTarget {
    static let texts = FuzzTarget("texts", bytesMax: 512, seeds: TextsTarget.seeds, TextsTarget.run)
}

/// Short texts that people and stores give: sizes, spans, times, ids, object keys, queries, the credentials file.
/// The first byte says which; times and sizes are also tried as numbers.
enum TextsTarget {
    static func run(_ bytes: [UInt8]) throws {
        var input = FuzzInput(bytes)
        switch input.choice(7) {
        case 0: try size(&input)
        case 1: try time(&input)
        case 2: try key(rest(&input))
        case 3: try credentials(rest(&input))
        case 4: try query(rest(&input))
        case 5: try identifier(rest(&input))
        default: try table(&input)
        }
    }

    private static func rest(_ input: inout FuzzInput) -> String { String(decoding: input.rest(), as: UTF8.self) }

    private static func size(_ input: inout FuzzInput) throws {
        let number = Int(truncatingIfNeeded: input.number(UInt64.self))
        _ = Size(bytes: number).description
        _ = Seconds.text(.seconds(number % 1_000_000_000_000))
        let text = rest(&input)
        if let span = Seconds.span(text) { try demand(span >= .zero, "\(text) is no negative span") }
        let size: Size
        do { size = try Size(text) } catch { return try demand(!error.description.isEmpty, "a refusal says why") }
        try demand(size.bytes >= 0, "\(text) is no negative size")
        guard let again = try? Size("\(size.bytes)B") else {
            throw BrokenProperty(description: "\(size.bytes) bytes are a size")
        }
        try demand(again == size, "\(text) is \(size.bytes) bytes")
    }

    private static func time(_ input: inout FuzzInput) throws {
        let any = WallTime(milliseconds: Int64(truncatingIfNeeded: input.number(UInt64.self)))
        let shown = any.description
        if let back = WallTime(shown) { try demand(back == any, "\(shown) is read as it was written") }
        let text = rest(&input)
        guard let time = WallTime(text) else { return }
        try demand(WallTime(time.description) == time, "\(text) is \(time)")
    }

    private static func key(_ text: String) throws {
        let keys = Keys(prefix: "")
        if let pack = keys.packName(text) { try demand(keys.pack(pack) == text, "\(text) is the key of its pack") }
        if let id = keys.id(text, in: keys.snapshots) {
            try demand(keys.manifest(id) == text && !id.text.contains("/"), "\(text) is the key of its manifest")
        }
    }

    private static func credentials(_ text: String) throws {
        guard let found = RootCredentials(fileText: text) else { return }
        try demand(RootCredentials(fileText: found.fileText) == found, "credentials are read as they were written")
    }

    private static func query(_ text: String) throws {
        guard let values = try? NativeAPI.parameters(of: text, known: ["limit", "offset"]) else { return }
        try demand(values.count <= 2, "a query has known parameters only")
    }

    private static func identifier(_ text: String) throws {
        for kind in [Identifier.volume, .snapshot, .task] where kind.isForm(of: text) {
            try demand(
                text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x2f }, "\(text) is fit for a file's name")
        }
        try demand(text.quotable.unicodeScalars.count <= 67, "what is quoted is short")
    }

    private static func table(_ input: inout FuzzInput) throws {
        var table = Table("a", "b")
        let text = input.text()
        table.add(text, rest(&input))
        try demand(table.lines.count >= 2, "a table has its rows")
        var line = ProgressLine(text)
        line.note(share: Double(text.utf8.count) / 7 - 1, at: .milliseconds(text.utf8.count))
        _ = line.text(width: text.utf8.count % 200)
    }

    static func seeds() -> [[UInt8]] {
        var all: [[UInt8]] = []
        func add(_ kind: UInt8, _ texts: [String], number: UInt64? = nil) {
            for text in texts {
                var seed = SeedBuilder(kind)
                if let number { seed.add(number: number) }
                seed.add(rest: Array(text.utf8))
                all.append(seed.bytes)
            }
        }
        add(0, ["8GiB", "1.5T", "4096", "500 MB", "0.000000001P", "7d", "9223372036854775807"], number: 1 << 40)
        add(0, ["5m"], number: UInt64(Int64.max))
        add(1, ["2026-11-21T01:32:14.123Z", "2024-02-29T00:00:00Z", "0000-01-01T00:00:00Z"], number: 1 << 41)
        add(1, ["9999-12-31T23:59:59.999Z"], number: 1 << 63)
        add(2, ["packs/snap-1/00000001", "snapshots/snap-0123456789abcdef0", "packs/a/123456789"])
        add(
            3,
            ["[default]\naws_access_key_id = A\naws_secret_access_key = b=c\n", "[x]\n[default]\naws_access_key_id=A"])
        add(4, ["limit=5&offset=1", "limit", "limit=%41&limit=2"])
        add(5, ["vol-0123456789abcdef0", "snap-0123456789abcdef0", "task-\u{202e}x"])
        var table = SeedBuilder(6)
        table.add(text: "na\u{301}me")
        table.add(rest: Array("x\ny".utf8))
        return all + [table.bytes]
    }
}
