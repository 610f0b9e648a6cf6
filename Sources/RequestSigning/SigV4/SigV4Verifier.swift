public import Blocks

/// Checks that a request was signed with a known key, recently, for this service, and was not changed since.
public struct SigV4Verifier: Sendable {
    /// The services that a scope may name.
    public var services: Set<String>
    /// Those of them of which a PUT's signature need not cover the body: something else vouches for it.
    public var unsignedUploads: Set<String>
    /// How far a client's clock may be off.
    public var skewMax: Duration

    /// Makes one.
    public init(services: Set<String>, unsignedUploads: Set<String> = [], skewMax: Duration = .seconds(300)) {
        self.services = services
        self.unsignedUploads = unsignedUploads
        self.skewMax = skewMax
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
        guard let authorization = request.values(of: "authorization"), authorization.count == 1 else {
            throw .missing
        }
        let claim = try SigV4Claim(authorization: authorization[0])
        let time = try checkedTime(of: request, claim, now: now)
        let bodyHash = try checkedBodyHash(of: request, claim)
        guard claim.signedHeaders.contains("host") else { throw .malformed("the host header must be signed") }
        guard let secret = secret(claim.accessKeyID) else { throw .unknownKey(claim.accessKeyID) }

        let canonical = CanonicalRequest(request, signedHeaders: claim.signedHeaders, bodyHash: bodyHash)
        let expected = Digests.hex(claim.scope.signature(of: canonical, at: time, secret: secret))
        guard Digests.areEqual(Array(expected.utf8), Array(claim.signature.utf8)) else { throw .wrongSignature }
        return claim
    }

    /// The signed time, within the allowed skew and on the scope's day.
    private func checkedTime(
        of request: SignableRequest, _ claim: SigV4Claim, now: WallTime
    ) throws(SigningFailure) -> String {
        guard services.contains(claim.scope.service) else {
            throw .wrongScope(
                "signed for service \(claim.scope.service), not \(services.sorted().joined(separator: ", "))")
        }
        guard let times = request.values(of: "x-amz-date"), times.count == 1,
            claim.signedHeaders.contains("x-amz-date"), let instant = SigV4.instant(times[0])
        else { throw .malformed("x-amz-date must be there once, signed, in the form 20150830T123600Z") }
        guard times[0].prefix(8) == claim.scope.day else { throw .wrongScope("x-amz-date is not on the scope's day") }
        let skew = instant > now ? instant - now : now - instant
        guard skew <= skewMax else { throw .skewed(by: skew) }
        return times[0]
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
