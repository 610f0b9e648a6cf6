import Blocks
import ObjectStore
import RequestSigning
import Testing

@testable import S3

/// Listings by servers that do not keep to the rules.
@Suite struct ListingTests {
    /// Gives the same pages in turn, for ever.
    private final class Pages: HTTPExchange {
        private let pages: [String]
        private let count = Guarded(0)
        init(_ pages: [String]) { self.pages = pages }

        var asked: Int { count.withLock { $0 } }

        func send(_ request: HTTPRequest) throws(ExchangeFailure) -> HTTPAnswer {
            let number = count.change { count in
                count += 1
                return count
            }
            if number > 5000 { throw .lost("asked too often") }
            return HTTPAnswer(status: 200, headers: [], body: Array(pages[(number - 1) % pages.count].utf8))
        }
    }

    private static func page(_ keys: [String], then token: String?) -> String {
        let lines = keys.map {
            "<Contents><Key>pre/fix/\($0)</Key><Size>1</Size><LastModified>2023-11-14T22:13:20.000Z</LastModified></Contents>"
        }
        let next = token.map {
            "<IsTruncated>true</IsTruncated><NextContinuationToken>\($0)</NextContinuationToken>"
        }
        return "<ListBucketResult>\(lines.joined())\(next ?? "")</ListBucketResult>"
    }

    private func list(_ pages: Pages, startAfter: String? = nil) throws -> [String] {
        let store = S3Store(
            try Shop.location(), credentials: S3Credentials(.fixed(FakeServer.key)), exchange: pages,
            clock: StillClock())
        return try store.list(prefix: "a/", startAfter: startAfter, limit: .max).map(\.key)
    }

    @Test("pages are joined, empty ones among them too")
    func pages() throws {
        let pages = Pages([
            Self.page(["a/1", "a/2"], then: "x"), Self.page([], then: "y"), Self.page(["a/3"], then: nil),
        ])
        #expect(try list(pages) == ["a/1", "a/2", "a/3"])
    }

    @Test(
        "keys out of order are refused: whoever lists from the last one on would pass over others",
        arguments: [
            [["a/2", "a/1"]], [["a/1", "a/1"]], [["a/2"], ["a/1"]], [["a/1"], ["a/1", "a/2"]],
        ])
    func disorder(_ keys: [[String]]) throws {
        let pages = keys.enumerated().map { index, page in
            Self.page(page, then: index + 1 < keys.count ? "t\(index)" : nil)
        }
        let failure = Shop.failure { _ = try list(Pages(pages)) }
        guard case .permanent(let reason) = failure else {
            Issue.record("it ends in \(String(describing: failure))")
            return
        }
        #expect(reason.contains("order"))
    }

    @Test("what comes before the place to start after, or is not below the prefix, is refused")
    func elsewhere() throws {
        let pages = Pages([Self.page(["a/1"], then: nil)])
        #expect(try list(pages, startAfter: "a/0") == ["a/1"])
        for start in ["a/1", "a/2"] {
            guard case .permanent = Shop.failure({ _ = try list(pages, startAfter: start) }) else {
                Issue.record("a listing from \(start) on has a/1")
                continue
            }
        }
        let strange = Pages([Self.page(["b/1"], then: nil)])
        guard case .permanent(let reason) = Shop.failure({ _ = try list(strange) }) else {
            Issue.record("b/1 is below a/")
            return
        }
        #expect(reason.contains("not below"))
    }

    @Test("a server that says for ever that there is more, and shows nothing, is given up")
    func endless() throws {
        let pages = Pages([Self.page([], then: "x"), Self.page([], then: "y")])
        guard case .transient(let reason) = Shop.failure({ _ = try list(pages) }) else {
            Issue.record("it was not given up")
            return
        }
        #expect(reason.contains("does not get on") && pages.asked <= 1000)
    }
}
