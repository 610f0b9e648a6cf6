import Blocks
import Testing

@testable import RequestSigning

/// Requests that are signed in their query. The signatures are botocore's (`botocore.auth.SigV4QueryAuth`), with the key and at
/// the instant of Amazon's published suite.
@Suite struct PresignedTests {
    static let key = SigV4VectorTests.key
    static let instant = SigV4VectorTests.instant
    static let credential = "AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request"

    static func fields(expires: String = "3600") -> String {
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=\(credential)&X-Amz-Date=20150830T123600Z"
            + "&X-Amz-Expires=\(expires)&X-Amz-SignedHeaders=host"
    }

    static let vectors = [
        (
            target: "/?" + fields() + "&X-Amz-Signature=",
            signature: "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d"
        ),
        (
            target: "/?Action=DescribeVolumes&Version=2016-11-15&Filter.1.Value.1=%E4%B8%80%20b%2Bc~&" + fields()
                + "&X-Amz-Signature=",
            signature: "51dc4e4dcc30a3557714d97ca0e95637b704b93c5ff2229de775142dda0df72f"
        ),
        (
            target: "/tags/arn%3Aaws%3Arbin?" + fields() + "&X-Amz-Signature=",
            signature: "2105f42367afe2218d02c7a904c2e6694498024d5dd50eff544b10778929b8fb"
        ),
    ]

    static func request(_ target: String, _ headers: [SignableRequest.Header] = []) -> SignableRequest {
        SignableRequest(
            method: "GET", target: target, headers: [.init("host", "example.amazonaws.com")] + headers,
            bodyHash: .empty)
    }

    /// Amazon's own URL, as a request.
    static func right(_ number: Int = 1) -> SignableRequest {
        request(vectors[number].target + vectors[number].signature)
    }

    static func failure(of request: SignableRequest, after: Duration = .zero) -> SigningFailure? {
        do throws(SigningFailure) {
            _ = try SigV4Verifier(services: ["service"], skewMax: .seconds(900), takesPresigned: true).verify(
                request, now: instant + after
            ) { $0 == key.accessKeyID ? key.secret : nil }
            return nil
        } catch { return error }
    }

    static func isMalformed(_ failure: SigningFailure?) -> Bool {
        if case .malformed? = failure { true } else { false }
    }

    @Test("what botocore signs is believed, and tells key and scope", arguments: vectors.indices)
    func botocore(number: Int) throws {
        #expect(Self.failure(of: Self.right(number)) == nil)
        let claim = try #require(SigV4Claim(of: Self.right(number)))
        #expect(claim.accessKeyID == "AKIDEXAMPLE" && claim.scope.region == "us-east-1")
        // Where nobody expects such URLs they are not signed at all.
        #expect(throws: SigningFailure.missing) {
            try SigV4Verifier(services: ["service"]).verify(Self.right(number), now: Self.instant) { _ in
                Self.key.secret
            }
        }
    }

    @Test("it is good from its time, or a little before, until its time is over")
    func times() {
        #expect(Self.failure(of: Self.right(), after: .seconds(3599)) == nil)
        #expect(Self.failure(of: Self.right(), after: .seconds(3600)) == .expired)
        #expect(Self.failure(of: Self.right(), after: .seconds(86_400 * 30)) == .expired)
        #expect(Self.failure(of: Self.right(), after: .seconds(-900)) == nil)
        #expect(Self.failure(of: Self.right(), after: .seconds(-901)) == .skewed(by: .seconds(901)))
    }

    @Test("what is changed, added or taken out is noticed")
    func changed() {
        let changes: [(inout SignableRequest) -> Void] = [
            { $0.method = "POST" }, { $0.path = "/x" }, { $0.query += "&DryRun=true" },
            { $0.query = "Action=DescribeSnapshots&" + $0.query }, { $0.query = "%58-Amz-Other=1&" + $0.query },
            { $0.query = $0.query.replacing("DescribeVolumes", with: "DescribeInstances") },
            { $0.query = $0.query.replacing("Version=2016-11-15&", with: "") },
            { $0.query = $0.query.replacing("X-Amz-Expires=3600", with: "X-Amz-Expires=3601") },
            { $0.query = $0.query.replacing("X-Amz-SignedHeaders=host", with: "X-Amz-SignedHeaders=") },
            { $0.query = $0.query.replacing("%E4%B8%80", with: "%E4%B8%81") },
            { $0.headers[0].value = "elsewhere" }, { $0.bodyHash = BodyHash(of: [1]) },
            { $0.query = $0.query.replacing("51dc", with: "51dd") },
        ]
        for (number, change) in changes.enumerated() {
            var request = Self.right()
            change(&request)
            let failure = Self.failure(of: request)
            #expect(failure == .wrongSignature || Self.isMalformed(failure), "change \(number): \(failure as Any)")
        }
    }

    @Test("another order and another spelling of the same parameters say the same")
    func same() {
        let (order, signature) = (Self.vectors[1].target, Self.vectors[1].signature)
        let pairs = (order.dropFirst(2) + signature).split(separator: "&")
        #expect(Self.failure(of: Self.request("/?" + pairs.reversed().joined(separator: "&"))) == nil)
        var request = Self.right()
        request.query = request.query.replacing("X-Amz-Date", with: "X%2DAmz%2dDate").replacing("%20", with: "+")
        #expect(Self.failure(of: request) == nil)
    }

    @Test("parameters are cut at bytes, as whoever signed them did, whatever characters follow")
    func bytes() {
        // A mark after an ampersand makes one character of both, which is no ampersand.
        let pairs = URIEncoding.decodedPairs(of: "a=1&\u{301}b=\u{301}2&&c")
        #expect(pairs.map(\.name) == ["a", "\u{301}b", "c"] && pairs.map(\.value) == ["1", "\u{301}2", ""])
        #expect(CanonicalRequest.query("b=1&\u{301}a=2") == "%CC%81a=2&b=1")
        var request = Self.right()
        request.query += "&\u{301}X=1"
        #expect(Self.failure(of: request) == .wrongSignature)
        #expect(
            PresignedURL.withoutSignature("/?\u{301}&X-Amz-Signature=0f&\u{301}=1&Signature=2")
                == "/?\u{301}&X-Amz-Signature=...&\u{301}=1&Signature=...")
    }

    @Test("what is missing, there twice, or not as it should be is refused by name")
    func malformed() {
        let names = ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders"]
        for name in names {
            var request = Self.right()
            let pairs = request.query.split(separator: "&")
            let pair = pairs.first { $0.hasPrefix("X-Amz-\(name)=") } ?? ""
            request.query = pairs.filter { $0 != pair }.joined(separator: "&")
            #expect(Self.isMalformed(Self.failure(of: request)), "without \(name)")
            request.query = (pairs + [pair]).joined(separator: "&")
            #expect(Self.isMalformed(Self.failure(of: request)), "\(name) twice")
            request.query = pairs.map { $0 == pair ? "X-Amz-\(name)=%FFx" : String($0) }.joined(separator: "&")
            #expect(Self.isMalformed(Self.failure(of: request)), "\(name) wrong")
        }
        for expires in ["0", "-1", "604801", "1e3", "", "99999999999999999999"] {
            let request = Self.request(
                "/?" + Self.fields(expires: expires) + "&X-Amz-Signature=" + Self.vectors[0].signature)
            #expect(Self.isMalformed(Self.failure(of: request)), "\(expires)")
        }
        let short = Self.request("/?" + Self.fields() + "&X-Amz-Signature=abc")
        #expect(Self.isMalformed(Self.failure(of: short)))
        let twice = Self.request(Self.vectors[0].target + Self.vectors[0].signature + "&X-Amz-Signature=1")
        #expect(Self.isMalformed(Self.failure(of: twice)))
    }

    @Test("both a header and the query, or a header of Amazon's that nobody signed, are refused")
    func both() {
        var request = Self.right()
        request.headers.append(.init("Authorization", "AWS4-HMAC-SHA256 Credential=x"))
        #expect(Self.isMalformed(Self.failure(of: request)))
        request = Self.right()
        request.headers.append(.init("X-Amz-Checksum", "x"))
        #expect(Self.isMalformed(Self.failure(of: request)))
    }

    @Test("another service, another day, an unknown key and a temporary one are refused")
    func scope() {
        func replacing(_ text: String, _ other: String) -> SigningFailure? {
            var request = Self.right()
            request.query = request.query.replacing(text, with: other)
            return Self.failure(of: request)
        }
        #expect(replacing("%2Fservice%2F", "%2Fec2%2F") == .wrongScope("signed for service ec2, not service"))
        #expect(replacing("%2F20150830%2F", "%2F20150829%2F") == .wrongScope("X-Amz-Date is not on the scope's day"))
        #expect(replacing("AKIDEXAMPLE", "AKIDOTHER") == .unknownKey("AKIDOTHER"))
        // Signed by botocore with a session token.
        let temporary =
            "/?" + Self.fields(expires: "60") + "&X-Amz-Security-Token=tok&X-Amz-Signature="
            + "600834c2da056b2e711e83aa97da7cceae1fa1d04ce997377c89c863e0caad6a"
        #expect(Self.failure(of: Self.request(temporary)) == .unknownKey("AKIDEXAMPLE"))
    }

    @Test("a log gets no signature, however its name is written")
    func logged() {
        #expect(
            PresignedURL.withoutSignature("/?Action=A&X-Amz-Signature=0f&X-Amz-Date=1")
                == "/?Action=A&X-Amz-Signature=...&X-Amz-Date=1")
        #expect(PresignedURL.withoutSignature("/x?a=b&x%2Damz%2dsignature=0f") == "/x?a=b&x%2Damz%2dsignature=...")
        for plain in ["/", "/?", "/?a=b&&c"] { #expect(PresignedURL.withoutSignature(plain) == plain) }
    }
}
