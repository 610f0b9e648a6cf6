/// What an `Authorization` header says about itself; nothing of it is proven yet.
public struct SigV4Claim: Equatable, Sendable {
    /// Whose key.
    public let accessKeyID: String
    /// What for.
    public let scope: CredentialScope
    /// Lower-case names, sorted, no two equal.
    let signedHeaders: [String]
    let signature: String

    /// Reads `AWS4-HMAC-SHA256 Credential=.../day/region/service/aws4_request, SignedHeaders=a;b, Signature=hex`.
    ///
    /// - Throws: ``SigningFailure/malformed(_:)``.
    public init(authorization: String) throws(SigningFailure) {
        guard authorization.hasPrefix(SigV4.algorithm + " ") else {
            throw .malformed("the Authorization header does not start with \(SigV4.algorithm)")
        }
        var fields: [Substring: Substring] = [:]
        for field in authorization.dropFirst(SigV4.algorithm.count).split(separator: ",") {
            let parts = field.drop { $0 == " " }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, fields.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw .malformed("the Authorization header's fields are not name=value, each once")
            }
        }
        guard let credential = fields["Credential"], let names = fields["SignedHeaders"],
            let signature = fields["Signature"]
        else { throw .malformed("the Authorization header needs Credential, SignedHeaders and Signature") }
        try self.init(
            credential: String(credential), signedHeaders: String(names), signature: String(signature))
    }

    /// What `request` says of itself, be it in a header or in its query; nil if that cannot be read.
    public init?(of request: SignableRequest) {
        if let headers = request.values(of: "authorization") {
            guard headers.count == 1, let claim = try? SigV4Claim(authorization: headers[0]) else { return nil }
            self = claim
        } else {
            guard let presigned = try? PresignedClaim(query: request.query) else { return nil }
            self = presigned.claim
        }
    }

    /// From the three parts, wherever they stood.
    init(credential: String, signedHeaders names: String, signature: String) throws(SigningFailure) {
        guard signature.utf8.count == 64 else { throw .malformed("the Signature has 64 hexadecimal digits") }
        let parts = credential.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5, parts[4] == CredentialScope.terminator, !parts[0].isEmpty else {
            throw .malformed("the Credential is not KEY/DAY/REGION/SERVICE/\(CredentialScope.terminator)")
        }
        accessKeyID = parts[0]
        scope = CredentialScope(day: parts[1], region: parts[2], service: parts[3])
        signedHeaders = names.split(separator: ";").map(String.init)
        self.signature = signature
        guard signedHeaders == Set(signedHeaders).sorted(), signedHeaders.allSatisfy({ $0 == $0.lowercased() }) else {
            throw .malformed("SignedHeaders are lower-case names in order, each once")
        }
    }
}
