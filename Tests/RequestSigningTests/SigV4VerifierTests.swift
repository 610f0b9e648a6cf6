import Blocks
import Testing

@testable import RequestSigning

/// What a verifier refuses.
@Suite struct SigV4VerifierTests {
    static let key = SigningKey(accessKeyID: "VARVEKEY", secret: "a secret of no importance")
    static let now = WallTime("2026-11-21T02:00:00Z") ?? WallTime(milliseconds: 0)

    static func signed(
        _ method: String = "POST", _ target: String = "/api/v1/volumes?a=1&b=2", body: String = "{}",
        service: String = "varve", at instant: WallTime = now
    ) -> SignableRequest {
        var request = SignableRequest(
            method: method, target: target, headers: [.init("host", "127.0.0.1:8420")],
            bodyHash: BodyHash(of: Array(body.utf8)))
        let signer = SigV4Signer(key: key, region: "local", service: service)
        request.headers += signer.headers(signing: request, at: instant)
        return request
    }

    static func verify(_ request: SignableRequest, now: WallTime = now) throws(SigningFailure) {
        _ = try SigV4Verifier(services: ["varve"]).verify(request, now: now) {
            $0 == key.accessKeyID ? key.secret : nil
        }
    }

    @Test("an untouched request is believed")
    func believes() throws {
        try Self.verify(Self.signed())
    }

    @Test("a change of method, path or query is noticed")
    func noticesChange() {
        let changes: [(inout SignableRequest) -> Void] = [
            { $0.method = "PUT" }, { $0.path += "x" }, { $0.query += "x" },
        ]
        for change in changes {
            var request = Self.signed()
            change(&request)
            #expect(throws: SigningFailure.wrongSignature) { try Self.verify(request) }
        }
    }

    @Test("another host is noticed")
    func noticesHost() {
        var request = Self.signed()
        request.headers[0].value = "127.0.0.1:9999"
        #expect(throws: SigningFailure.wrongSignature) { try Self.verify(request) }
    }

    @Test("another body is noticed, with and without a declared hash")
    func noticesBody() {
        var request = Self.signed()
        request.bodyHash = BodyHash(of: [1])
        #expect(throws: SigningFailure.wrongBody) { try Self.verify(request) }
        request.headers.removeAll { $0.name == "x-amz-content-sha256" }
        #expect(throws: SigningFailure.wrongSignature) { try Self.verify(request) }
    }

    @Test("query parameters may be sent in another order")
    func queryOrder() throws {
        var request = Self.signed()
        request.query = "b=2&a=1"
        try Self.verify(request)
    }

    @Test("a clock may be off by five minutes and not by more", arguments: [-301, -300, -1, 0, 1, 300, 301])
    func skew(seconds: Int) {
        let request = Self.signed(at: Self.now + .seconds(seconds))
        if abs(seconds) <= 300 {
            #expect(throws: Never.self) { try Self.verify(request) }
        } else {
            #expect(throws: SigningFailure.skewed(by: .seconds(301))) { try Self.verify(request) }
        }
    }

    @Test("a scope's day is the whole day, not the beginning of one", arguments: ["", "2026", "2026112", "202611211"])
    func shortDay(_ day: String) throws {
        var request = Self.signed()
        let index = try #require(request.headers.firstIndex { $0.name == "authorization" })
        request.headers[index].value = request.headers[index].value.replacing("/20261121/", with: "/\(day)/")
        #expect(throws: SigningFailure.wrongScope("x-amz-date is not on the scope's day")) {
            try Self.verify(request)
        }
    }

    @Test("another service's signature is refused")
    func service() {
        #expect(throws: SigningFailure.wrongScope("signed for service s3, not varve")) {
            try Self.verify(Self.signed(service: "s3"))
        }
    }

    @Test("an unsigned request is refused")
    func unsigned() {
        var request = Self.signed()
        request.headers.removeAll { $0.name == "authorization" }
        #expect(throws: SigningFailure.missing) { try Self.verify(request) }
    }

    @Test("an unknown key is refused by name")
    func unknownKey() {
        let request = Self.signed()
        #expect(throws: SigningFailure.unknownKey("VARVEKEY")) {
            _ = try SigV4Verifier(services: ["varve"]).verify(request, now: Self.now) { _ in nil }
        }
    }

    @Test("a header that is added unsigned changes nothing; one that was signed must stay")
    func headers() throws {
        var request = Self.signed()
        request.headers.append(.init("user-agent", "x"))
        try Self.verify(request)
        request.headers.removeAll { $0.name == "x-amz-date" }
        #expect(throws: SigningFailure.self) { try Self.verify(request) }
    }

    @Test(
        "a malformed Authorization header is refused and never a crash",
        arguments: [
            "", " ", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 Credential", "Basic abc",
            "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=00",
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=00",
            "AWS4-HMAC-SHA256 Credential=a, Credential=b, SignedHeaders=host, Signature=00",
            "AWS4-HMAC-SHA256 =,=,=", "AWS4-HMAC-SHA256 ,,,",
        ])
    func malformed(_ text: String) {
        var request = Self.signed()
        request.headers.removeAll { $0.name == "authorization" }
        request.headers.append(.init("authorization", text))
        #expect(throws: SigningFailure.self) { try Self.verify(request) }
    }

    @Test("every prefix of a right Authorization header is refused")
    func prefixes() throws {
        var request = Self.signed()
        let whole = try #require(request.headers.last).value
        request.headers.removeLast()
        for length in 0..<whole.count {
            var shortened = request
            shortened.headers.append(.init("authorization", String(whole.prefix(length))))
            #expect(throws: SigningFailure.self) { try Self.verify(shortened) }
        }
    }
}

/// The pieces that signer and verifier share.
@Suite struct CanonicalRequestTests {
    @Test(
        "a query is decoded, encoded and sorted",
        arguments: [
            ("", ""), ("b=2&a=1", "a=1&b=2"), ("a", "a="), ("a=", "a="), ("a=b=c", "a=b%3Dc"), ("a=x+y", "a=x%20y"),
            ("a=%7e", "a=~"), ("a=2&a=1", "a=1&a=2"), ("A=1&a=1", "A=1&a=1"), ("a=%zz", "a=%25zz"), ("&&a=1&", "a=1"),
            ("a=%", "a=%25"), ("=b", "=b"),
        ])
    func query(_ given: String, _ expected: String) {
        #expect(CanonicalRequest.query(given) == expected)
    }

    @Test(
        "a path is resolved and encoded",
        arguments: [
            ("", "/"), ("/", "/"), ("//", "/"), ("/a//b", "/a/b"), ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/..", "/"),
            ("/a/", "/a/"), ("/a b", "/a%20b"), ("/a%20b", "/a%2520b"), ("/../../a", "/a"),
        ])
    func path(_ given: String, _ expected: String) {
        #expect(CanonicalRequest.path(given) == expected)
    }

    @Test("an instant's two forms agree", arguments: ["20150830T123600Z", "19700101T000000Z", "20991231T235959Z"])
    func instant(_ text: String) throws {
        #expect(SigV4.text(of: try #require(SigV4.instant(text))) == text)
    }

    @Test(
        "what is no instant is nil",
        arguments: ["", "20150830", "20150830T123600", "20151330T123600Z", "2015-08-30T12"])
    func noInstant(_ text: String) {
        #expect(SigV4.instant(text) == nil)
    }
}
