import Blocks
import Simulation
import TestSupport
import Testing

@testable import S3

@Suite struct XMLTests {
    private func read(_ text: String) -> XMLElement? { XMLElement.read(Array(text.utf8)) }

    @Test("reads what S3 servers write")
    func plain() {
        let root = read(
            "<?xml version=\"1.0\"?>\n<s:A xmlns:s='x>y' b=\"&lt;\"><!-- c -->\n <K>a&amp;b&#65;&#x42;</K><E/><K><![CDATA[<x>]]></K></s:A>\n"
        )
        #expect(root?.name == "A")
        #expect(root?.all("K").map(\.text) == ["a&bAB", "<x>"])
        #expect(root?["E"] == "")
    }

    @Test(
        "refuses what is not a document, or not of this kind",
        arguments: [
            "", "text", "<a>", "<a></b>", "<a></a><b/>", "</a>", "<a>&nope;</a>", "<a>&#xD800;</a>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "<a", "<>", "<a><![CDATA[x</a>", "<a>&</a>",
            String(repeating: "<a>", count: 40) + String(repeating: "</a>", count: 40),
        ])
    func refused(_ text: String) { #expect(read(text) == nil) }

    @Test("any bytes end in a document or in none", arguments: Seed.some(fixed: 1, fresh: 2))
    func total(_ seed: Seed) {
        var random = SeededRandom(seed: seed.number)
        let pieces = [
            "<", ">", "</", "/>", "a", "<a>", "</a>", "&", "&lt;", ";", "<![CDATA[", "]]>", "<!--", "-->", "\"", "<?",
        ]
        for _ in 0..<3000 {
            let count = Int.random(in: 0..<40, using: &random)
            let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            _ = read(text)
            _ = XMLElement.read((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
    }

    @Test("what was escaped reads back", arguments: ["a<b>&\"'c", "<\u{301}", "&\u{65c}amp;", "]]>", ""])
    func escaping(_ text: String) {
        #expect(read("<a>\(XMLElement.escaped(text))</a>")?.text == text)
    }

    @Test("a page that goes on without saying where, or has a line that cannot be, is none")
    func pages() {
        func page(_ inside: String) -> ListPage? {
            ListPage(Array("<ListBucketResult>\(inside)</ListBucketResult>".utf8))
        }
        let line =
            "<Contents><Key>k</Key><Size>1</Size><LastModified>2023-11-14T22:13:20.000Z</LastModified></Contents>"
        #expect(page(line)?.entries.count == 1)
        #expect(page("<IsTruncated>true</IsTruncated>" + line) == nil)
        #expect(page(line.replacing("<Size>1", with: "<Size>-1")) == nil)
        #expect(page(line.replacing("2023-", with: "yesterday")) == nil)
        #expect(ListPage(Array("<html/>".utf8)) == nil)
    }

    @Test("dates of HTTP are understood")
    func dates() {
        #expect(HTTPDate.instant("Tue, 14 Nov 2023 22:13:20 GMT") == WallTime(milliseconds: 1_700_000_000_000))
        #expect(HTTPDate.instant("yesterday") == nil)
    }
}
