import Blocks
import Testing

@testable import RequestSigning

/// Signature Version 2. The first vector is Amazon's own (AWS General Reference, "Signature Version 2 signing process"), the
/// others are of botocore's signer (`botocore.auth.SigV2Auth`) and, for HmacSHA1, of Python's `hmac` over the documented text.
@Suite struct SigV2Tests {
    private static let secret = "a secret of no importance"
    private static let now = WallTime("2026-11-21T02:00:00Z") ?? WallTime(milliseconds: 0)
    private static let host = "varve.example.org:8420"
    private static let tags =
        "Action=CreateTags&Version=2014-02-01&ResourceId.1=vol-0123456789abcdef0&Tag.1.Key=a+key"
        + "&Tag.1.Value=%E5%80%BC+%2B~%2F%2A%25&Tag.10.Key=z&Tag.2.Key=y&Empty=&AWSAccessKeyId=VARVEKEY"
        + "&SignatureVersion=2"
    private static let stamped = "&SignatureMethod=HmacSHA256&Timestamp=2026-11-21T02%3A00%3A00Z"
    private static let posted = tags + stamped + "&Signature=tuphcdwP1XhIr%2Fzm0ISYx0ex1qRjtctObdSRowt7mMU%3D"
    private static let got = tags + stamped + "&Signature=d5CTBHM9Fnz3MUDOyU4BqxeGDpl1gonjH%2BWMDmYMH10%3D"
    private static let expiring =
        tags + "&SignatureMethod=HmacSHA1&Expires=2026-11-21T03%3A00%3A00Z&Signature=g6MGFbqykiTSHzS7YpFP6szImBc%3D"

    private static func failure(
        _ method: String, query: String = "", form: String = "", host: String = host, at instant: WallTime = now,
        isTurnedOff: Bool = false
    ) -> SigningFailure? {
        let request = SignableRequest(
            method: method, target: query.isEmpty ? "/" : "/?" + query, headers: [.init("Host", host)],
            bodyHash: .empty)
        do throws(SigningFailure) {
            let verifier = SigV2Verifier(skewMax: .seconds(900), isTurnedOff: isTurnedOff)
            let claim = try verifier.verify(request, form: form, now: instant) { $0 == "VARVEKEY" ? secret : nil }
            #expect(claim.accessKeyID == "VARVEKEY")
            return nil
        } catch {
            return error
        }
    }

    private static func isMalformed(_ failure: SigningFailure?) -> Bool {
        if case .malformed? = failure { true } else { false }
    }

    @Test("Amazon's published example is right")
    func published() throws {
        let query =
            "Action=DescribeJobFlows&Version=2009-03-31&AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&SignatureVersion=2"
            + "&SignatureMethod=HmacSHA256&Timestamp=2011-10-03T15%3A19%3A30"
            + "&Signature=i91nKc4PWAt0JJIdXwz9HxZCJDdiy6cf%2FMj6vPxyYIs%3D"
        let request = SignableRequest(
            method: "GET", target: "/?" + query, headers: [.init("Host", "elasticmapreduce.amazonaws.com")],
            bodyHash: .empty)
        let now = try #require(WallTime("2011-10-03T15:20:00Z"))
        let claim = try SigV2Verifier().verify(request, form: "", now: now) { key in
            key == "AKIAIOSFODNN7EXAMPLE" ? "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" : nil
        }
        #expect(claim.accessKeyID == "AKIAIOSFODNN7EXAMPLE")
    }

    @Test("what botocore signs is believed: in a query, in a form, and with HmacSHA1 until it expires")
    func vectors() {
        #expect(Self.failure("POST", form: Self.posted) == nil)
        #expect(Self.failure("GET", query: Self.got) == nil)
        // In any case; and some clients sign the host without the port that they send.
        #expect(Self.failure("GET", query: Self.got, host: "VARVE.Example.org:8420") == nil)
        #expect(Self.failure("GET", query: Self.expiring, host: "varve.example.org") == nil)
        #expect(Self.failure("GET", query: Self.expiring) == nil)
    }

    @Test("a request that was changed, or is another's, is not")
    func changed() {
        #expect(Self.failure("GET", query: Self.posted) == .wrongSignature)
        #expect(Self.failure("POST", form: Self.got) == .wrongSignature)
        #expect(Self.failure("POST", form: Self.posted, host: "other.example.org") == .wrongSignature)
        #expect(Self.failure("GET", query: Self.got.replacing("a+key", with: "b+key")) == .wrongSignature)
        #expect(Self.failure("GET", query: Self.got + "&DryRun=true") == .wrongSignature)
        // What stands in the other place is signed too: a dialect reads both.
        #expect(Self.failure("GET", query: Self.got, form: "DryRun=true") == .wrongSignature)
        #expect(Self.failure("POST", query: "DryRun=true", form: Self.posted) == .wrongSignature)
        #expect(Self.failure("GET", query: Self.got.replacing("d5CT", with: "d5C")) == .wrongSignature)
        #expect(Self.failure("GET", query: Self.got.replacing("VARVEKEY", with: "OTHERKEY")) == .unknownKey("OTHERKEY"))
    }

    @Test(
        "a signature holds for fifteen minutes around its time, or until it says, and that is at most seven days away")
    func times() {
        #expect(Self.failure("GET", query: Self.got, at: Self.now + .seconds(900)) == nil)
        #expect(Self.failure("GET", query: Self.got, at: Self.now + .seconds(901)) == .skewed(by: .seconds(901)))
        #expect(Self.failure("GET", query: Self.got, at: Self.now + .seconds(-901)) == .skewed(by: .seconds(901)))
        #expect(Self.failure("GET", query: Self.expiring, at: Self.now + .seconds(3599)) == nil)
        #expect(Self.failure("GET", query: Self.expiring, at: Self.now + .seconds(3600)) == .expired)
        #expect(Self.isMalformed(Self.failure("GET", query: Self.expiring, at: Self.now + .seconds(-8 * 86_400))))
    }

    @Test("what is missing, there twice or unknown is refused before a secret is looked up")
    func malformed() {
        for wrong in [
            Self.got.replacing("SignatureVersion=2", with: "SignatureVersion=1"),
            Self.got.replacing("&SignatureVersion=2", with: ""),
            Self.got.replacing("HmacSHA256", with: "HmacMD5"),
            Self.got.replacing("&SignatureMethod=HmacSHA256", with: ""),
            Self.got.replacing("Timestamp=", with: "Time="), Self.got + "&Expires=2026-11-21T03%3A00%3A00Z",
            Self.got.replacing("2026-11-21T02", with: "yesterday"), Self.got + "&Signature=", Self.got + "&Timestamp=",
            Self.got.replacing("AWSAccessKeyId=VARVEKEY", with: "Key=x"),
            Self.got + (0..<10_000).map { "&a\($0)" }.joined(), Self.got + "&Empty=", Self.got + "&Tag.1.%4Bey=b+key",
        ] {
            #expect(Self.isMalformed(Self.failure("GET", query: wrong)), "\(wrong.prefix(300))")
        }
        // In which order two come is not signed, wherever they stand.
        #expect(Self.isMalformed(Self.failure("GET", query: Self.got, form: "Tag.2.Key=x")))
        #expect(Self.isMalformed(Self.failure("POST", query: "Tag.2.Key=x", form: Self.posted)))
        #expect(Self.failure("GET", query: Self.got + "&SecurityToken=x") == .unknownKey("VARVEKEY"))
        #expect(Self.isMalformed(Self.failure("GET", query: Self.got, isTurnedOff: true)))
    }

    @Test("a request is known to be signed so by any of its marks, in the query or the form")
    func marks() {
        #expect(SigV2Claim.isMeant(by: ["", Self.posted]) && SigV2Claim.isMeant(by: [Self.got, ""]))
        #expect(SigV2Claim.isMeant(by: ["a=b&%53ignature=x"]))
        #expect(!SigV2Claim.isMeant(by: ["Action=DescribeVolumes&X-Amz-Signature=x", "signature=x"]))
    }

    @Test("of a request with too many parameters no more are looked at than one may have")
    func many() {
        let many = String(repeating: "a&", count: 20_000)
        #expect(SigV2Claim.isMeant(by: [String(repeating: "a&", count: 9_000) + "Signature=x"]))
        #expect(!SigV2Claim.isMeant(by: [many + "Signature=x"]))
        #expect(Self.isMalformed(Self.failure("GET", query: Self.got, form: many)))
        let pairs = URIEncoding.pairs(of: "a=1&&b&=2&c=d=e&f", limit: 4)
        #expect(pairs.map(\.name) == ["a", "b", "", "c", "f"] && pairs.map(\.value) == ["1", "", "2", "d=e", ""])
        #expect(URIEncoding.pairs(of: many, limit: 100).count == 101)
        // Cut at bytes: this accent belongs to the sign before it.
        #expect(URIEncoding.pairs(of: "a=1&\u{301}=2", limit: 4).map(\.name) == ["a", "\u{301}"])
    }
}
