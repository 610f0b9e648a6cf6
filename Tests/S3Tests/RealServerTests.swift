import Blocks
import Glibc
import ObjectStore
import RequestSigning
import TestSupport
import Testing

@testable import S3

/// The laws against a real server: `VARVE_TEST_S3` is its location, `AWS_*` its keys. Tests/S3 starts one and runs this.
@Suite(.enabled(if: RealServer.location != nil, "VARVE_TEST_S3 names no server: see Tests/S3"))
struct RealServerTests {
    @Test(
        "a real S3 server behind an S3 store keeps every law", arguments: ObjectStoreLaw.allCases,
        [S3Location.Style.path, .host])
    func law(_ law: ObjectStoreLaw, _ style: S3Location.Style) throws {
        try law.check(RealServer.store(style, "law-\(law)-\(style)"))
    }

    @Test("retries keep every law over a real server that fails", arguments: ObjectStoreLaw.allCases)
    func faulty(_ law: ObjectStoreLaw) throws {
        let store = FaultyStore(try RealServer.store(.path, "faulty-\(law)")) { call in
            call.number % 4 == 1 ? .lostResponse : nil
        }
        try law.check(RetryingStore(store, patience: .init(attempts: 8, pause: .milliseconds(1))))
    }

    @Test("a real server stores an object in parts, and knows its size")
    func parts() throws {
        let store = try RealServer.store(.path, "parts", part: .mebibytes(5))
        let bytes = [UInt8](repeating: 1, count: 11 << 20) + [2, 3, 4]
        try Shop.put(bytes, "large", store)
        #expect(try store.size(of: "large") == ByteCount(bytes.count))
        #expect(try store.get("large", range: nil) == bytes, "the whole")
        let end = ByteRange(at: ByteOffset(bytes.count - 4), count: 4)
        #expect(try store.get("large", range: end) == [1, 2, 3, 4])
    }

    @Test("a real server lists and deletes more than a thousand objects")
    func thousands() throws {
        let store = try RealServer.store(.path, "thousands")
        let keys = (0..<1100).map { "k/\(10_000 + $0)" }
        let next = Guarded(keys)
        let threads = (0..<8).map { _ in
            OSThread(name: "put") {
                while let key = next.withLock({ $0.popLast() }) { try? Shop.put([1], key, store) }
            }
        }
        for thread in threads { thread.join() }
        #expect(try store.list(prefix: "", startAfter: nil, limit: 5000).map(\.key) == keys)
        #expect(try store.list(prefix: "k/", startAfter: keys[49], limit: 1050).count == 1050)
        try store.delete(keys)
        #expect(try store.list(prefix: "", startAfter: nil, limit: 10) == [])
    }
}

enum RealServer {
    static func setting(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
    static let location = setting("VARVE_TEST_S3")

    static func store(_ style: S3Location.Style, _ prefix: String, part: ByteCount = .mebibytes(32)) throws -> S3Store {
        var place = try S3Location(location ?? "", environment: [:])
        place.style = style
        place.prefix = "\(UInt32.random(in: .min ... .max))/\(prefix)/"
        let port = place.endpoint.port ?? 80
        place.endpoint = try S3Endpoint("http://\(setting("VARVE_TEST_S3_NAME") ?? "localhost"):\(port)")
        let key = SigningKey(
            accessKeyID: setting("AWS_ACCESS_KEY_ID") ?? "", secret: setting("AWS_SECRET_ACCESS_KEY") ?? "")
        return S3Store(
            place, credentials: S3Credentials(.fixed(key)), exchange: PlainExchange(port: port),
            multipartAbove: max(part, .mebibytes(5)), part: part)
    }
}
