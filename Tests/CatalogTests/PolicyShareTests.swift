import Blocks
import Testing

@testable import Catalog

@Suite struct PolicyShareTests {
    private static let time = WallTime(milliseconds: 1_800_000_000_000)

    @Test("each share is kept with its end")
    func ends() throws {
        let shares = [
            PolicyShare(with: "111111111111", until: Self.time),
            PolicyShare(with: "222222222222", until: Self.time + .seconds(1)),
        ]
        let column = try #require(PolicyShare.column(shares))
        #expect(try column.split(separator: "\n").map { try PolicyShare(String($0), else: nil) } == shares)
        #expect(PolicyShare.column([]) == nil)
    }

    @Test("what an earlier version wrote has one end, and what has none is corrupt")
    func earlier() throws {
        #expect(
            try PolicyShare("111111111111", else: Self.time) == PolicyShare(with: "111111111111", until: Self.time))
        #expect(throws: CatalogFailure.self) { try PolicyShare("111111111111", else: nil) }
        #expect(throws: CatalogFailure.self) { try PolicyShare("111111111111=x", else: Self.time) }
    }
}
