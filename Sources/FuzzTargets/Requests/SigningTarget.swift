internal import Blocks
@testable internal import RequestSigning

extension FuzzTarget {
    static let signing = FuzzTarget("signing", bytesMax: 2048, seeds: SigningTarget.seeds, SigningTarget.run)
}

/// Signatures: an `Authorization` header of any text, or a request of any parts that is signed, believed, and no longer
/// believed once something of it was changed. The first byte says which.
enum SigningTarget {
    private static let key = SigningKey(accessKeyID: "VARVAAAAAAAAAAAAAAAA", secret: "secret")
    private static let now = WallTime(milliseconds: 1_764_000_000_000)
    private static let verifier = SigV4Verifier(services: ["varve"])

    static func run(_ bytes: [UInt8]) throws {
        var input = FuzzInput(bytes)
        switch input.choice(5) {
        case 0: try header(&input)
        case 1: try signed(&input)
        case 3: try presigned(&input)
        case 4: try older(&input)
        default: try canonical(&input)
        }
    }

    // MARK: Any header

    private static func header(_ input: inout FuzzInput) throws {
        let isPlain = input.flag()
        let time = input.flag() ? SigV4.text(of: now) : input.text()
        let query = input.text()
        let rest = String(decoding: input.rest(), as: UTF8.self)
        // So that mutations reach the fields behind the algorithm's name.
        let authorization = isPlain ? rest : "AWS4-HMAC-SHA256 Credential=\(rest)"
        let request = SignableRequest(
            method: "GET", target: "/api/v1/volumes?" + query,
            headers: [.init("host", "h"), .init("x-amz-date", time), .init("authorization", authorization)],
            bodyHash: .empty)
        do {
            let claim = try verifier.verify(request, now: now) { _ in key.secret }
            throw BrokenProperty(description: "\(claim) is believed without the secret")
        } catch let failure as SigningFailure {
            try demand(!failure.description.isEmpty, "a refusal says why")
        }
        guard let claim = try? SigV4Claim(authorization: authorization) else { return }
        try demand(claim.signature.utf8.count == 64 && !claim.accessKeyID.isEmpty, "a claim has a key and a signature")
        try demand(Set(claim.signedHeaders).count == claim.signedHeaders.count, "headers are named once")
    }

    /// A query that says it is signed: read without a fault, believed by nobody who has no secret.
    private static func presigned(_ input: inout FuzzInput) throws {
        let isPlain = input.flag()
        let rest = String(decoding: input.rest(), as: UTF8.self)
        let fields = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=\(SigV4.text(of: now))&X-Amz-Expires=60&"
        let request = SignableRequest(
            method: "GET", target: "/?" + (isPlain ? rest : fields + rest), headers: [.init("host", "h")],
            bodyHash: .empty)
        do {
            let verifier = SigV4Verifier(services: ["varve"], takesPresigned: true)
            let claim = try verifier.verify(request, now: now) { _ in key.secret }
            throw BrokenProperty(description: "\(claim) is believed without the secret")
        } catch let failure as SigningFailure {
            try demand(!failure.description.isEmpty, "a refusal says why")
        }
        guard let presigned = try? PresignedClaim(query: request.query) else { return }
        try demand((1...604_800).contains(presigned.lifetime), "it is good for seven days at most")
    }

    /// The same by Version 2, in a query or a form.
    private static func older(_ input: inout FuzzInput) throws {
        let isPlain = input.flag(), isForm = input.flag()
        let rest = String(decoding: input.rest(), as: UTF8.self)
        let fields = "SignatureVersion=2&SignatureMethod=HmacSHA256&AWSAccessKeyId=k&Timestamp=\(now)&"
        let text = isPlain ? rest : fields + rest
        let request = SignableRequest(
            method: isForm ? "POST" : "GET", target: isForm ? "/" : "/?" + text, headers: [.init("host", "h:1")],
            bodyHash: .empty)
        do {
            let claim = try SigV2Verifier().verify(request, form: isForm ? text : "", now: now) { _ in key.secret }
            throw BrokenProperty(description: "\(claim) is believed without the secret")
        } catch let failure as SigningFailure {
            try demand(!failure.description.isEmpty, "a refusal says why")
        }
        guard let claim = try? SigV2Claim(sources: [request.query, isForm ? text : ""]) else { return }
        try demand(SigV2Claim.isMeant(by: [text]), "what can be read as signed so is meant so")
        let canonical = claim.canonicalText(of: request, host: "h").split(
            separator: "\n", omittingEmptySubsequences: false)
        try demand(canonical.count == 4, "a value adds no line to what is signed")
    }

    // MARK: Any request

    private static func signed(_ input: inout FuzzInput) throws {
        let change = input.choice(8)
        let method = token(&input, "GET")
        let target = "/" + visible(input.text())
        var headers = [SignableRequest.Header("Host", "h" + visible(input.text()))]
        for _ in 0..<input.choice(6) {
            headers.append(.init("X-" + token(&input, "a"), visible(input.text())))
        }
        headers.removeAll { ["x-amz-date", "x-amz-content-sha256"].contains($0.name.lowercased()) }
        let body = input.piece()
        var request = SignableRequest(
            method: method, target: target, headers: headers, bodyHash: BodyHash(of: body))
        let signer = SigV4Signer(key: key, region: "here", service: "varve", declaresBody: input.flag())
        request.headers += signer.headers(signing: request, at: now)
        do {
            let claim = try verifier.verify(request, now: now) { $0 == key.accessKeyID ? key.secret : nil }
            try demand(claim.accessKeyID == key.accessKeyID, "the claim is the signer's")
            try demand(claim.scope.day.utf8.count == 8, "a scope's day is a day")
        } catch let failure as SigningFailure {
            throw BrokenProperty(description: "a signed request is believed, not: \(failure)")
        }
        try tampered(request, change, body)
    }

    private static func tampered(_ request: SignableRequest, _ change: Int, _ body: [UInt8]) throws {
        var other = request
        switch change {
        case 0: other.method += "X"
        case 1: other.path += "x"
        case 2: other.query += "&x=1"
        case 3: other.bodyHash = BodyHash(of: body + [0])
        case 4: other.headers[0].value += "x"
        case 5: other.headers.removeFirst()
        case 6: other.headers.insert(.init("X-Amz-Date", SigV4.text(of: now)), at: 0)
        default: other.headers.append(.init("Host", "elsewhere"))
        }
        do {
            _ = try verifier.verify(other, now: now) { _ in key.secret }
            throw BrokenProperty(description: "a request is believed after change \(change)")
        } catch is SigningFailure {}
    }

    // MARK: Canonical forms

    private static func canonical(_ input: inout FuzzInput) throws {
        let text = String(decoding: input.rest(), as: UTF8.self)
        let query = CanonicalRequest.query(text)
        try demand(CanonicalRequest.query(query) == query, "the canonical query of \(query) is itself")
        try demand(query.utf8.count <= text.utf8.count * 3 + text.utf8.count, "a query grows threefold at most")
        let path = CanonicalRequest.path(text)
        try demand(path.hasPrefix("/") && !path.contains("//"), "the path \(path) is absolute and has no empty segment")
        try demand(!path.split(separator: "/").contains(".."), "the path \(path) leads nowhere up")
        let trimmed = CanonicalRequest.trimmed(text)
        try demand(CanonicalRequest.trimmed(trimmed) == trimmed, "trimming twice is trimming once")
        let encoded = URIEncoding.encode(text.utf8)
        try demand(URIEncoding.decodeQuery(encoded[...]) == Array(text.utf8), "decoding undoes encoding")
        if let instant = SigV4.instant(text) {
            try demand(SigV4.text(of: instant) == text, "the instant \(text) is written as it was read")
        }
    }

    /// What an HTTP parser lets through: no control characters, no space at the front of a target.
    private static func visible(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value > 0x20 && $0.value != 0x7f }))
    }

    private static func token(_ input: inout FuzzInput, _ fallback: String) -> String {
        let letters = input.piece().prefix(32).filter { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
        return letters.isEmpty ? fallback : String(decoding: letters, as: UTF8.self)
    }

    static func seeds() -> [[UInt8]] {
        let request = SignableRequest(
            method: "GET", target: "/api/v1/volumes?", headers: [.init("host", "h")], bodyHash: .empty)
        let signer = SigV4Signer(
            key: SigningKey(accessKeyID: "VARVAAAAAAAAAAAAAAAA", secret: "other"), region: "here", service: "varve",
            declaresBody: false)
        let authorization = signer.headers(signing: request, at: now).last?.value ?? ""
        var whole = SeedBuilder(0, 1, 1)
        whole.add(text: "")
        whole.add(rest: Array(authorization.utf8))
        var fields = SeedBuilder(0, 0, 1)
        fields.add(text: "limit=1")
        fields.add(rest: Array(authorization.dropFirst("AWS4-HMAC-SHA256 Credential=".count).utf8))
        var presigned = SeedBuilder(3, 0)
        presigned.add(
            rest: Array(
                ("X-Amz-Credential=VARVAAAAAAAAAAAAAAAA%2F20251124%2Fhere%2Fvarve%2Faws4_request&X-Amz-SignedHeaders=host"
                    + "&X-Amz-Signature=" + String(repeating: "0a", count: 32)).utf8))
        var older = SeedBuilder(4, 0, 1)
        older.add(rest: Array("Action=CreateTags&Tag.1.Value=%E5+%2B~*&Signature=AAAA%2B%2F%3D".utf8))
        var all = [whole.bytes, fields.bytes, presigned.bytes, older.bytes]
        for change in 0..<8 as Range<UInt8> {
            var seed = SeedBuilder(1, change)
            for text in ["post", "api/v1/../volumes//x?b=%41&a=+1&a", "host:80"] { seed.add(text: text) }
            seed.add(2)
            for text in ["one", " a  b ", "two", ""] { seed.add(text: text) }
            seed.add(text: "{}")
            seed.add(change & 1)
            all.append(seed.bytes)
        }
        for text in ["a=b&c=%zz&%41=+&&=", "/a/./b/../c//d/", "20150830T123600Z", " x \t y"] {
            all.append([2] + Array(text.utf8))
        }
        return all
    }
}
