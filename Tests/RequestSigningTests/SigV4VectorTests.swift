import Blocks
import Testing

@testable import RequestSigning

/// The published test suite of AWS Signature Version 4 (`aws-sig-v4-test-suite`): one key, one instant, known answers.
@Suite struct SigV4VectorTests {
    struct Vector: CustomTestStringConvertible, Sendable {
        let name: String
        let method: String
        let target: String
        let headers: [SignableRequest.Header]
        let body: String
        let signature: String

        init(
            _ name: String, _ method: String, _ target: String, _ headers: [(String, String)] = [], body: String = "",
            signature: String
        ) {
            self.name = name
            self.method = method
            self.target = target
            self.headers =
                [.init("Host", "example.amazonaws.com")] + headers.map { SignableRequest.Header($0.0, $0.1) }
            self.body = body
            self.signature = signature
        }

        var testDescription: String { name }
        var request: SignableRequest {
            SignableRequest(
                method: method, target: target, headers: headers, bodyHash: BodyHash(of: Array(body.utf8)))
        }
    }

    static let key = SigningKey(accessKeyID: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    static let instant = WallTime("2015-08-30T12:36:00Z") ?? WallTime(milliseconds: 0)
    static let signer = SigV4Signer(key: key, region: "us-east-1", service: "service", declaresBody: false)

    static let vectors = [
        Vector(
            "get-vanilla", "GET", "/", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        Vector(
            "get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1",
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        Vector(
            "get-vanilla-empty-query-key", "GET", "/?Param1=value1",
            signature: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
        Vector(
            "get-utf8", "GET", "/\u{1234}",
            signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        Vector(
            "get-unreserved", "GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
        Vector(
            "get-header-value-trim", "GET", "/", [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
        Vector(
            "post-vanilla", "POST", "/", signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        Vector(
            "post-header-key-sort", "POST", "/", [("My-Header1", "value1")],
            signature: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"),
        Vector(
            "post-x-www-form-urlencoded", "POST", "/", [("Content-Type", "application/x-www-form-urlencoded")],
            body: "Param1=value1", signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
        Vector(
            "normalize-path/get-slash-dot-slash", "GET", "/./",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        Vector(
            "normalize-path/get-relative-relative", "GET", "/example1/example2/../..",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    ]

    @Test("a request of the published suite gets the published signature", arguments: vectors)
    func signs(_ vector: Vector) throws {
        let added = Self.signer.headers(signing: vector.request, at: Self.instant)
        let authorization = try #require(added.last).value
        #expect(authorization.hasSuffix("Signature=\(vector.signature)"), "\(authorization)")
    }

    @Test("a request of the published suite is believed", arguments: vectors)
    func verifies(_ vector: Vector) throws {
        var request = vector.request
        request.headers += Self.signer.headers(signing: request, at: Self.instant)
        let claim = try SigV4Verifier(services: ["service"]).verify(request, now: Self.instant) { key in
            key == Self.key.accessKeyID ? Self.key.secret : nil
        }
        #expect(claim.accessKeyID == Self.key.accessKeyID)
        #expect(claim.scope == CredentialScope(day: "20150830", region: "us-east-1", service: "service"))
    }
}
