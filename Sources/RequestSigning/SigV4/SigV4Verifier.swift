public import Blocks

/// Checks that a request was signed with a known key, recently, for this service, and was not changed since.
public struct SigV4Verifier: Sendable {
    /// The services that a scope may name.
    public var services: Set<String>
    /// Those of them of which a PUT's signature need not cover the body: something else vouches for it.
    public var unsignedUploads: Set<String>
    /// How far a client's clock may be off.
    public var skewMax: Duration

    /// May a request be signed in its query, as presigned URLs are?
    public var takesPresigned: Bool
    /// For how long such a one is good that does not say so; nil: it must say so.
    public var presignedFor: Duration?
    /// May a request that has no `X-Amz-Date` say its time in `Date`, which then must be signed?
    public var takesDate = false

    /// Makes one.
    public init(
        services: Set<String>, unsignedUploads: Set<String> = [], skewMax: Duration = .seconds(300),
        takesPresigned: Bool = false
    ) {
        self.services = services
        self.unsignedUploads = unsignedUploads
        self.skewMax = skewMax
        self.takesPresigned = takesPresigned
    }

    /// Returns the proven claim.
    ///
    /// - Parameters:
    ///   - request: as received, with the hash of the body that really arrived.
    ///   - now: the house's time.
    ///   - secret: the secret of an access key, or nil if there is no such key.
    public func verify(
        _ request: SignableRequest, now: WallTime, secret: (String) -> String?
    ) throws(SigningFailure) -> SigV4Claim {
        let headers = request.values(of: "authorization")
        if takesPresigned, PresignedClaim.isPresigned(request.query) {
            guard headers == nil else { throw .malformed("the request is signed both in a header and in its query") }
            return try verifyPresigned(request, now: now, secret: secret)
        }
        guard let headers, headers.count == 1 else { throw .missing }
        let claim = try SigV4Claim(authorization: headers[0])
        let time = try checkedTime(of: request, claim, now: now)
        // There they vouch for a body that is not signed.
        if unsignedUploads.contains(claim.scope.service) { try Self.checkHeaders(of: request, claim) }
        try verify(claim, of: request, at: time, secret: secret)
        return claim
    }

    /// The same for a request that is signed in its query: everything else in the query is signed, and so is the body that
    /// arrived.
    private func verifyPresigned(
        _ request: SignableRequest, now: WallTime, secret: (String) -> String?
    ) throws(SigningFailure) -> SigV4Claim {
        let presigned = try PresignedClaim(query: request.query, lifetime: presignedFor), claim = presigned.claim
        let instant = try checkedInstant(presigned.time, "X-Amz-Date", claim)
        guard instant <= now + skewMax else { throw .skewed(by: instant - now) }
        guard now < instant + .seconds(presigned.lifetime) else { throw .expired }
        try Self.checkHeaders(of: request, claim)
        var signed = request
        signed.query = presigned.signedQuery
        try verify(claim, of: signed, at: presigned.time, secret: secret)
        return claim
    }

    /// Headers that mean something to a service are not a stranger's to add or to change.
    private static func checkHeaders(of request: SignableRequest, _ claim: SigV4Claim) throws(SigningFailure) {
        let unsigned = request.headers.map { $0.name.lowercased() }.first { name in
            name.hasPrefix("x-amz-") && !claim.signedHeaders.contains(name)
        }
        if let unsigned { throw .malformed("\(unsigned) must be signed") }
    }

    private func verify(
        _ claim: SigV4Claim, of request: SignableRequest, at time: String, secret: (String) -> String?
    ) throws(SigningFailure) {
        let bodyHash = try checkedBodyHash(of: request, claim)
        guard claim.signedHeaders.contains("host") else { throw .malformed("the host header must be signed") }
        guard let secret = secret(claim.accessKeyID) else { throw .unknownKey(claim.accessKeyID) }

        let canonical = CanonicalRequest(request, signedHeaders: claim.signedHeaders, bodyHash: bodyHash)
        let expected = Digests.hex(claim.scope.signature(of: canonical, at: time, secret: secret))
        guard Digests.areEqual(Array(expected.utf8), Array(claim.signature.utf8)) else { throw .wrongSignature }
    }

    /// The signed time, within the allowed skew and on the scope's day.
    private func checkedTime(
        of request: SignableRequest, _ claim: SigV4Claim, now: WallTime
    ) throws(SigningFailure) -> String {
        let name = takesDate && request.values(of: "x-amz-date") == nil ? "date" : "x-amz-date"
        let times = request.values(of: name) ?? []
        var time = times.count == 1 && claim.signedHeaders.contains(name) ? times[0] : ""
        // What is signed is the time in the form of signatures, however that header has it.
        if name == "date", let instant = HTTPDate.instant(time) { time = SigV4.text(of: instant) }
        let instant = try checkedInstant(time, name, claim)
        let skew = instant > now ? instant - now : now - instant
        guard skew <= skewMax else { throw .skewed(by: skew) }
        return time
    }

    /// A time in the form of signatures, on the scope's day, for one of our services.
    private func checkedInstant(
        _ time: String, _ name: String, _ claim: SigV4Claim
    ) throws(SigningFailure) -> WallTime {
        guard services.contains(claim.scope.service) else {
            throw .wrongScope(
                "signed for service \(claim.scope.service), not \(services.sorted().joined(separator: ", "))")
        }
        guard let instant = SigV4.instant(time) else {
            throw .malformed("\(name) must be there once, signed, in the form 20150830T123600Z")
        }
        guard time.prefix(8) == claim.scope.day else { throw .wrongScope("\(name) is not on the scope's day") }
        return instant
    }

    /// The hash that was signed, once it is known to be that of the body that arrived, or what may stand for it.
    private func checkedBodyHash(
        of request: SignableRequest, _ claim: SigV4Claim
    ) throws(SigningFailure) -> String {
        guard let declared = request.values(of: "x-amz-content-sha256") else { return request.bodyHash.hex }
        guard claim.signedHeaders.contains("x-amz-content-sha256") else {
            throw .malformed("x-amz-content-sha256 must be signed")
        }
        if request.isBodyUnsigned, request.method == "PUT", unsignedUploads.contains(claim.scope.service) {
            return SignableRequest.unsignedBody
        }
        guard declared == [request.bodyHash.hex] else { throw .wrongBody }
        return request.bodyHash.hex
    }
}
