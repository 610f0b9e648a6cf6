public import Blocks

/// Checks that a request was signed with a known key by AWS Signature Version 2, recently, for this host, and was not changed since.
///
/// As in Version 4, a request can be sent again within the time it is good for, and no longer: `skewMax` around its `Timestamp`;
/// until its `Expires`, which must be no further away than the longest life of a presigned URL.
public struct SigV2Verifier: Sendable {
    /// How far a client's clock may be off.
    public var skewMax: Duration
    /// Is Version 2 turned off? Then whoever signs with it is told so.
    public var isTurnedOff: Bool

    /// How far away a request's end may be.
    private static let lifetimeMax = Duration.seconds(604_800)

    /// Makes one.
    public init(skewMax: Duration = .seconds(300), isTurnedOff: Bool = false) {
        self.skewMax = skewMax
        self.isTurnedOff = isTurnedOff
    }

    /// Returns the proven claim. Everything in the query and in the form is signed.
    ///
    /// - Parameters:
    ///   - request: as received.
    ///   - form: its body.
    ///   - now: the house's time.
    ///   - secret: the secret of an access key, or nil if there is no such key.
    public func verify(
        _ request: SignableRequest, form: String, now: WallTime, secret: (String) -> String?
    ) throws(SigningFailure) -> SigV2Claim {
        guard !isTurnedOff else {
            throw .malformed("AWS Signature Version 2 is turned off at this server; sign with Version 4")
        }
        let claim = try SigV2Claim(sources: [request.query, form])
        try check(claim.validity, now: now)
        guard let hosts = request.values(of: "host"), hosts.count == 1 else {
            throw .malformed("the host header must be there once")
        }
        guard let secret = secret(claim.accessKeyID) else { throw .unknownKey(claim.accessKeyID) }
        var isRight = false
        // Some clients sign the host as they send it, others without the port.
        for host in Set([hosts[0].lowercased(), Self.withoutPort(hosts[0].lowercased())]) {
            let expected = try Self.signature(
                of: claim.canonicalText(of: request, host: host), by: claim.method, secret: secret)
            if Digests.areEqual(Array(expected.utf8), Array(claim.signature.utf8)) { isRight = true }
        }
        guard isRight else { throw .wrongSignature }
        return claim
    }

    private func check(_ validity: SigV2Claim.Validity, now: WallTime) throws(SigningFailure) {
        switch validity {
        case .signed(let instant):
            let skew = instant > now ? instant - now : now - instant
            guard skew <= skewMax else { throw .skewed(by: skew) }
        case .until(let end):
            guard now < end else { throw .expired }
            guard end - now <= Self.lifetimeMax + skewMax else {
                throw .malformed(
                    "Expires must be at most \(Self.lifetimeMax.components.seconds) seconds away")
            }
        }
    }

    private static func withoutPort(_ host: String) -> String {
        guard let colon = host.lastIndex(of: ":"), host[host.index(after: colon)...].allSatisfy(\.isNumber) else {
            return host
        }
        return String(host[..<colon])
    }

    private static func signature(
        of text: String, by method: SigV2Claim.Method, secret: String
    ) throws(SigningFailure) -> String {
        let bytes = Array(text.utf8), key = Array(secret.utf8)
        switch method {
        case .sha256: return Base64.encode(Digests.hmac(bytes, key: key))
        case .sha1:
            guard let digest = Digests.hmacSHA1(bytes, key: key) else {
                throw .malformed("this server's system forbids HmacSHA1; sign with HmacSHA256")
            }
            return Base64.encode(digest)
        }
    }
}
