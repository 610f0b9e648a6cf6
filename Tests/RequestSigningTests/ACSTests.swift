import Blocks
import Testing

@testable import RequestSigning

/// Published vectors of both of Alibaba's signatures, and what must not pass.
@Suite struct ACSTests {
    private static func older(
        _ method: String, _ extra: String, signature: String, secret: String = "testsecret", at now: String
    ) throws -> ACSClaim {
        let common = "&Version=2014-05-26&AccessKeyId=testid&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0"
        let encoded = URIEncoding.encode(signature.utf8)
        let query = extra + common
        let request = SignableRequest(
            method: method, target: method == "GET" ? "/?\(query)&Signature=\(encoded)" : "/?Signature=\(encoded)",
            headers: [.init("host", "ecs.aliyuncs.com")], bodyHash: .empty)
        let body = method == "GET" ? [] : Array(query.utf8)
        let time = try #require(WallTime(now))
        return try ACSVerifier().verify(request, body: body, now: time) { $0 == "testid" ? secret : nil }
    }

    private static let regions =
        "Action=DescribeRegions&Format=XML&SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"
        + "&Timestamp=2016-02-23T12%3A46%3A24Z"

    @Test("published requests of the older way are right", arguments: ["GET", "POST"])
    func older(method: String) throws {
        let signature = method == "GET" ? "OLeaidS1JvxuMvnyHOwuJ+uX5qY=" : "MxbnVAM4w6sft9xjVpe/GCKueuk="
        let claim = try Self.older(method, Self.regions, signature: signature, at: "2016-02-23T12:50:00Z")
        #expect(claim.accessKeyID == "testid" && claim.action == "DescribeRegions" && !claim.isVersion3)
        #expect(claim.nonce == "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf" && claim.parameters["Format"] == "XML")
        let hosts = try Self.older(
            "GET",
            "Action=DescribeDedicatedHosts&RegionId=cn-beijing&Format=JSON"
                + "&SignatureNonce=edb2b34af0af9a6d14deaf7c1a5315eb&Timestamp=2023-03-13T08%3A34%3A30Z",
            signature: "9NaGiOspFP5UPcwX8Iwt2YJXXuk=", at: "2023-03-13T08:34:30Z")
        #expect(hosts.parameters["RegionId"] == "cn-beijing")
    }

    @Test("changed, old, early, unknown, foreign and incomplete ones are refused, each for its reason")
    func refused() throws {
        let right = "OLeaidS1JvxuMvnyHOwuJ+uX5qY=", now = "2016-02-23T12:46:24Z"
        func failure(_ query: String, _ signature: String = right, at time: String = now) -> ACSFailure? {
            do {
                _ = try Self.older("GET", query, signature: signature, at: time)
                return nil
            } catch { return error as? ACSFailure }
        }
        #expect(failure(Self.regions) == nil)
        for changed in [Self.regions + "&A=b", Self.regions.replacing("XML", with: "JSON")] {
            guard case .wrongSignature(let text) = failure(changed) else {
                Issue.record("\(changed) passes")
                continue
            }
            #expect(text.hasPrefix("GET&%2F&AccessKeyId%3Dtestid") || text.hasPrefix("GET&%2F&A%3Db"))
        }
        guard case .wrongSignature = failure(Self.regions, "OLeaidS1JvxuMvnyHOwuJ+uX5qX=") else {
            Issue.record("another signature passes")
            return
        }
        #expect(failure(Self.regions, at: "2016-02-23T13:01:25Z") == .expired)
        #expect(failure(Self.regions, at: "2016-02-23T12:31:23Z") == .expired)
        #expect(failure(Self.regions, at: "2016-02-23T13:01:24Z") == nil)
        #expect(failure(Self.regions.replacing("2016-02-23T12%3A46%3A24Z", with: "yesterday")) == .badTime)
        #expect(failure(Self.regions.replacing("Action=DescribeRegions", with: "B=c")) == .missing("Action"))
        #expect(failure(Self.regions.replacing("SignatureNonce", with: "Nonce")) == .missing("SignatureNonce"))
        #expect(failure(Self.regions, "") == .incomplete)
        #expect(failure("AccessKeyId=other&" + Self.regions) == .unknownKey("other"))
        #expect(failure("SecurityToken=t&" + Self.regions) == .foreignToken)
        #expect(failure("SignatureMethod=HMAC-SHA256&" + Self.regions) == .incomplete)
        guard case .unreadable = failure("a=%ff&" + Self.regions) else {
            Issue.record("what is no text passes")
            return
        }
    }

    private static let signedHeaders =
        "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"

    private static func newer(
        _ change: (inout [SignableRequest.Header]) -> Void = { _ in }, query: String? = nil, body: [UInt8] = [],
        scheme: String = "ACS3-HMAC-SHA256", at now: String = "2023-10-26T10:22:32Z"
    ) throws -> ACSClaim {
        let usual = "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai"
        var headers: [SignableRequest.Header] = [
            .init("host", "ecs.cn-shanghai.aliyuncs.com"), .init("x-acs-action", "RunInstances"),
            .init("x-acs-version", "2014-05-26"), .init("x-acs-date", "2023-10-26T10:22:32Z"),
            .init("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
            .init("x-acs-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            .init(
                "Authorization",
                "\(scheme) Credential=YourAccessKeyId,SignedHeaders=\(signedHeaders),"
                    + "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"),
        ]
        change(&headers)
        let request = SignableRequest(
            method: "POST", target: "/?\(query ?? usual)", headers: headers, bodyHash: .empty)
        let time = try #require(WallTime(now))
        return try ACSVerifier().verify(request, body: body, now: time) {
            $0 == "YourAccessKeyId" ? "YourAccessKeySecret" : nil
        }
    }

    @Test("the published request of the newer way is right, and nothing of it can be changed")
    func newer() throws {
        let claim = try Self.newer()
        #expect(claim.isVersion3 && claim.action == "RunInstances" && claim.version == "2014-05-26")
        #expect(claim.parameters["RegionId"] == "cn-shanghai")
        func failure(
            _ change: (inout [SignableRequest.Header]) -> Void = { _ in }, query: String? = nil, body: [UInt8] = [],
            scheme: String = "ACS3-HMAC-SHA256", at now: String = "2023-10-26T10:22:32Z"
        ) -> ACSFailure? {
            do {
                _ = try Self.newer(change, query: query, body: body, scheme: scheme, at: now)
                return nil
            } catch { return error as? ACSFailure }
        }
        let hash = "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259"
        #expect(failure(body: [1]) == .wrongSignature("ACS3-HMAC-SHA256\n\(hash)"))
        guard case .wrongSignature = failure(query: "RegionId=cn-shanghai") else {
            Issue.record("another query passes")
            return
        }
        for index in 0..<6 {
            let found = failure { $0[index].value += "0" }
            #expect(found != nil, "header \(index) is not signed")
            #expect(failure { $0.remove(at: index) } != nil, "header \(index) can be missing")
        }
        #expect(failure(scheme: "ACS3-HMAC-SM3") == .incomplete)
        #expect(failure(at: "2023-10-26T10:37:33Z") == .expired)
        #expect(
            failure { $0[6].value = $0[6].value.replacing(";x-acs-date", with: "") } == .incomplete,
            "a date that is not signed passes")
        #expect(failure { $0[6].value = $0[6].value.replacing("YourAccess", with: "My") } == .unknownKey("MyKeyId"))
    }

    @Test("a nonce is taken once by each key, and forgotten when its request is too old")
    func nonces() throws {
        let now = try #require(WallTime("2026-01-01T00:00:00Z"))
        var nonces = ACSNonces()
        try nonces.take("a", of: "k", until: now + .seconds(900), at: now)
        try nonces.take("a", of: "l", until: now + .seconds(900), at: now)
        try nonces.take("b", of: "k", until: now + .seconds(900), at: now)
        #expect(throws: ACSFailure.usedNonce) {
            try nonces.take("a", of: "k", until: now + .seconds(1800), at: now + .seconds(900))
        }
        #expect(nonces.count == 3)
        try nonces.take("a", of: "k", until: now + .seconds(1801), at: now + .seconds(961))
        #expect(nonces.count == 1)
    }
}
