public import Blocks

/// Signs requests for one key, region and service. A pure value; use it from anywhere.
public struct SigV4Signer: Sendable {
    /// The key.
    public var key: SigningKey
    /// The region of the scope.
    public var region: String
    /// The service of the scope.
    public var service: String
    /// Send the body's hash in `x-amz-content-sha256`, so that a verifier refuses another body early?
    public var declaresBody: Bool
    /// Sign the path exactly as it is sent, as S3 wants it, instead of resolved and encoded once more?
    public var keepsPath: Bool

    /// Makes one.
    public init(
        key: SigningKey, region: String, service: String, declaresBody: Bool = true, keepsPath: Bool = false
    ) {
        self.key = key
        self.region = region
        self.service = service
        self.declaresBody = declaresBody
        self.keepsPath = keepsPath
    }

    /// The headers to add so that `request` is signed at `instant`. Every header already there is signed too, so it must
    /// carry `host`, and nothing may change it afterwards.
    public func headers(signing request: SignableRequest, at instant: WallTime) -> [SignableRequest.Header] {
        let time = SigV4.text(of: instant)
        var added = [SignableRequest.Header("x-amz-date", time)]
        if declaresBody { added.append(.init("x-amz-content-sha256", request.bodyHash.hex)) }
        if let token = key.sessionToken { added.append(.init("x-amz-security-token", token)) }

        var signed = request
        signed.headers += added
        let names = Set(signed.headers.map { $0.name.lowercased() }).sorted()
        precondition(names.contains("host"), "a signed request carries its host")
        let scope = CredentialScope(day: String(time.prefix(8)), region: region, service: service)
        let canonical = CanonicalRequest(
            signed, signedHeaders: names, bodyHash: request.bodyHash.hex, keepsPath: keepsPath)
        let signature = Digests.hex(scope.signature(of: canonical, at: time, secret: key.secret))
        added.append(
            .init(
                "authorization",
                "\(SigV4.algorithm) Credential=\(key.accessKeyID)/\(scope.text), "
                    + "SignedHeaders=\(names.joined(separator: ";")), Signature=\(signature)"))
        return added
    }
}
