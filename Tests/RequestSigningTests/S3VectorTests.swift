import Blocks
import Testing

@testable import RequestSigning

/// The examples of "Authenticating Requests: Using the Authorization Header" in the S3 API reference.
@Suite struct S3VectorTests {
    static let key = SigningKey(accessKeyID: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    static let signer = SigV4Signer(key: key, region: "us-east-1", service: "s3", keepsPath: true)
    static let instant = WallTime("2013-05-24T00:00:00Z") ?? WallTime(milliseconds: 0)

    private func signature(
        _ method: String, _ target: String, _ headers: [SignableRequest.Header] = [], body: String = ""
    ) -> String? {
        let request = SignableRequest(
            method: method, target: target, headers: headers + [.init("host", "examplebucket.s3.amazonaws.com")],
            bodyHash: BodyHash(of: Array(body.utf8)))
        return Self.signer.headers(signing: request, at: Self.instant).last?.value.split(separator: "=").last
            .map { String($0) }
    }

    @Test("a ranged get")
    func get() {
        #expect(
            signature("GET", "/test.txt", [.init("Range", "bytes=0-9")])
                == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test("a put of a key that must be encoded once only")
    func put() {
        let headers: [SignableRequest.Header] = [
            .init("Date", "Fri, 24 May 2013 00:00:00 GMT"), .init("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ]
        #expect(
            signature("PUT", "/test%24file.text", headers, body: "Welcome to Amazon S3.")
                == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
    }

    @Test("a listing, and a query without a value")
    func list() {
        #expect(
            signature("GET", "/?max-keys=2&prefix=J")
                == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
        #expect(
            signature("GET", "/?lifecycle") == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
    }

    @Test("a session token is sent and signed")
    func token() {
        var signer = Self.signer
        signer.key.sessionToken = "token"
        let request = SignableRequest(method: "GET", target: "/", headers: [.init("host", "h")], bodyHash: .empty)
        let headers = signer.headers(signing: request, at: Self.instant)
        #expect(headers.contains(.init("x-amz-security-token", "token")))
        #expect(headers.last?.value.contains("x-amz-security-token") == true)
    }

    @Test("base64, with every length of the last group")
    func base64() {
        #expect(
            ["", "f", "fo", "foo", "foob"].map { Base64.encode(Array($0.utf8)) } == [
                "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==",
            ])
        #expect(BodyHash.empty.base64 == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
        #expect(BodyHash.md5(of: []) == "1B2M2Y8AsgTpgAmY7PhCfg==")
    }
}
