internal import Blocks

/// What a presigned URL says about itself in its query, where other requests have an `Authorization` header; nothing of it is
/// proven yet.
struct PresignedClaim {
    private static let signature = "X-Amz-Signature"
    private static let lifetimes = 1...604_800

    let claim: SigV4Claim
    /// `20150830T123600Z`.
    let time: String
    /// For how many seconds it is good.
    let lifetime: Int
    /// The query without the signature, which is what was signed.
    let signedQuery: String

    /// Is this how `query` is signed, rightly or wrongly?
    static func isPresigned(_ query: String) -> Bool {
        URIEncoding.decodedPairs(of: query).contains { [signature, "X-Amz-Algorithm"].contains($0.name) }
    }

    /// - Parameter standard: how long it is good if it does not say so; nil: it must.
    /// - Throws: ``SigningFailure/malformed(_:)`` for what is missing, there twice, or not as it should be.
    init(query: String, lifetime standard: Duration? = nil) throws(SigningFailure) {
        var fields: [String: String] = [:]
        let pairs = URIEncoding.pairs(of: query), decoded = URIEncoding.decodedPairs(of: query)
        for (name, value) in decoded where name.hasPrefix("X-Amz-") {
            guard fields.updateValue(value, forKey: name) == nil else {
                throw .malformed("the parameter \(name) is there twice")
            }
        }
        guard fields["X-Amz-Algorithm"] == SigV4.algorithm else {
            throw .malformed("the parameter X-Amz-Algorithm must be \(SigV4.algorithm)")
        }
        guard let credential = fields["X-Amz-Credential"], let names = fields["X-Amz-SignedHeaders"],
            let signature = fields[Self.signature], let time = fields["X-Amz-Date"],
            let expires = fields["X-Amz-Expires"] ?? standard.map({ String($0.components.seconds) })
        else {
            throw .malformed(
                "a presigned request needs X-Amz-Credential, X-Amz-Date, X-Amz-Expires, X-Amz-SignedHeaders and "
                    + Self.signature)
        }
        claim = try SigV4Claim(credential: credential, signedHeaders: names, signature: signature)
        // Keys here last: whoever sends a token has one of somebody else's.
        guard fields["X-Amz-Security-Token"] == nil else { throw .unknownKey(claim.accessKeyID) }
        guard let lifetime = Int(expires), Self.lifetimes.contains(lifetime) else {
            throw .malformed(
                "X-Amz-Expires must be \(Self.lifetimes.lowerBound) to \(Self.lifetimes.upperBound) seconds")
        }
        self.time = time
        self.lifetime = lifetime
        signedQuery = zip(pairs, decoded).filter { $1.name != Self.signature }.map { "\($0.0.name)=\($0.0.value)" }
            .joined(separator: "&")
    }
}
