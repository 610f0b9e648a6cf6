import Blocks
import Testing

@testable import RequestSigning

/// The vector of Kingsoft's scheme, which is Amazon's Version 4 with services of its own; its Python client signs the same.
@Suite struct KingsoftVectorTests {
    private static let query =
        "Action=CreateSnapshot&SnapshotDesc=a%20b&SnapshotName=test&Version=2016-03-04"
        + "&VolumeId=b01cbcb3-04dd-40c8-bfbb-dc990d54ee68"
    private static let signature = "f20d7fc2d4d0c0538cb0ec97dc3b9f6ac9ca472afaab0140fadae477389362b0"
    private static let now = WallTime("2024-01-02T03:04:05Z") ?? WallTime(milliseconds: 0)
    private static let verifier: SigV4Verifier = {
        var verifier = SigV4Verifier(services: ["ebs", "kec"], skewMax: .seconds(900), takesPresigned: true)
        verifier.presignedFor = .seconds(900)
        verifier.takesDate = true
        return verifier
    }()

    private func request(
        query: String = query, day: String = "20240102", time: String = "20240102T030405Z",
        names: String = "host;x-amz-date",
        service: String = "ebs", headers: [(String, String)] = []
    ) -> SignableRequest {
        let claim =
            "AWS4-HMAC-SHA256 Credential=AKEXAMPLE/\(day)/cn-beijing-6/\(service)/aws4_request, SignedHeaders=\(names), "
            + "Signature=\(Self.signature)"
        let all = [("Host", "127.0.0.1:8420"), ("X-Amz-Date", time), ("Authorization", claim)] + headers
        return SignableRequest(
            method: "GET", target: "/?" + query, headers: all.map { .init($0.0, $0.1) }, bodyHash: .empty)
    }

    private func failure(_ request: SignableRequest, at now: WallTime = now, secret: String = "SKEXAMPLE")
        -> SigningFailure?
    {
        do throws(SigningFailure) {
            _ = try Self.verifier.verify(request, now: now) { $0 == "AKEXAMPLE" ? secret : nil }
            return nil
        } catch { return error }
    }

    @Test("the published request is right, in whatever order and encoding its query came")
    func published() {
        let canonical = CanonicalRequest(
            request(), signedHeaders: ["host", "x-amz-date"], bodyHash: BodyHash.empty.hex)
        #expect(
            Digests.hex(Digests.sha256(Array(canonical.text.utf8)))
                == "59d1d5437399150ad4dc5deddbf99aff69f8c666449e59017e24d25effd7278d")
        #expect(failure(request()) == nil)
        let shuffled = Self.query.split(separator: "&").reversed().joined(separator: "&")
        #expect(failure(request(query: shuffled)) == nil)
        #expect(failure(request(query: shuffled.replacing("a%20b", with: "a+b"))) == nil)
    }

    @Test("what was changed, is stale, or is somebody else's is refused")
    func refused() {
        #expect(failure(request(query: Self.query + "&X=1")) == .wrongSignature)
        #expect(failure(request(query: Self.query.replacing("test", with: "tess"))) == .wrongSignature)
        #expect(failure(request(), secret: "other") == .wrongSignature)
        #expect(failure(request(service: "kec")) == .wrongSignature)
        #expect(failure(request(), at: Self.now + .seconds(901)) == .skewed(by: .seconds(901)))
        #expect(failure(request(), at: Self.now + .seconds(899)) == nil)
    }

    @Test(
        "the time may stand in Date, in either form, if that is signed and there is no X-Amz-Date",
        arguments: ["20240102T030405Z", "Tue, 02 Jan 2024 03:04:05 GMT"])
    func date(_ time: String) {
        func signed(_ names: String, with headers: [(String, String)]) -> SignableRequest {
            let all = [("Host", "127.0.0.1:8420")] + headers
            var asked = SignableRequest(
                method: "GET", target: "/?" + Self.query, headers: all.map { .init($0.0, $0.1) }, bodyHash: .empty)
            let canonical = CanonicalRequest(
                asked, signedHeaders: names.split(separator: ";").map(String.init), bodyHash: BodyHash.empty.hex)
            let scope = CredentialScope(day: "20240102", region: "cn-beijing-6", service: "ebs")
            let signature = Digests.hex(scope.signature(of: canonical, at: "20240102T030405Z", secret: "SKEXAMPLE"))
            asked.headers.append(
                .init(
                    "Authorization",
                    "AWS4-HMAC-SHA256 Credential=AKEXAMPLE/20240102/cn-beijing-6/ebs/aws4_request, "
                        + "SignedHeaders=\(names), Signature=\(signature)"))
            return asked
        }
        let asked = signed("date;host", with: [("Date", time)])
        #expect(failure(asked) == nil && failure(asked, at: Self.now + .seconds(900)) == nil)
        #expect(failure(asked, at: Self.now + .seconds(901)) == .skewed(by: .seconds(901)))
        var late = asked
        late.headers[1].value = "20240102T030406Z"
        #expect(failure(late) == .wrongSignature)
        let isMalformed: (SigningFailure?) -> Bool = { if case .malformed = $0 { true } else { false } }
        #expect(isMalformed(failure(signed("host", with: [("Date", time)]))))
        #expect(isMalformed(failure(signed("date;host", with: [("Date", "yesterday")]))))
        // The other one counts where it is, and must be signed then.
        #expect(isMalformed(failure(signed("date;host", with: [("Date", time), ("X-Amz-Date", "20240102T030405Z")]))))
        var strict = Self.verifier
        strict.takesDate = false
        #expect(throws: SigningFailure.self) { try strict.verify(asked, now: Self.now) { _ in "SKEXAMPLE" } }
    }

    @Test("a presigned request that does not say for how long is good for the skew, and only where that is so")
    func presigned() throws {
        let unsigned =
            "Action=DescribeVolumes&Version=2016-03-04&X-Amz-Algorithm=AWS4-HMAC-SHA256"
            + "&X-Amz-Credential=AKEXAMPLE%2F20240102%2Fcn-beijing-6%2Febs%2Faws4_request&X-Amz-Date=20240102T030405Z"
            + "&X-Amz-SignedHeaders=accept%3Bhost"
        var asked = SignableRequest(
            method: "GET", target: "/?" + unsigned,
            headers: [.init("Host", "h"), .init("Accept", "application/json")], bodyHash: .empty)
        let canonical = CanonicalRequest(asked, signedHeaders: ["accept", "host"], bodyHash: BodyHash.empty.hex)
        let scope = CredentialScope(day: "20240102", region: "cn-beijing-6", service: "ebs")
        let signature = Digests.hex(scope.signature(of: canonical, at: "20240102T030405Z", secret: "SKEXAMPLE"))
        asked.query += "&X-Amz-Signature=" + signature
        #expect(failure(asked) == nil)
        #expect(failure(asked, at: Self.now + .seconds(900)) == .expired)
        var strict = Self.verifier
        strict.presignedFor = nil
        #expect(throws: SigningFailure.self) { try strict.verify(asked, now: Self.now) { _ in "SKEXAMPLE" } }
        asked.headers[1].value = "text/xml"
        #expect(failure(asked) == .wrongSignature)
    }
}
