public import Blocks

/// A request to one of Alibaba's RPC APIs that was proven to be its signer's.
public struct ACSClaim: Equatable, Sendable {
    /// Whose key.
    public let accessKeyID: String
    /// When it was signed.
    public let signedAt: WallTime
    /// What no two requests of the key have in common.
    public let nonce: String
    /// What is asked for; nil: nothing.
    public let action: String?
    /// Of which version of the API; nil: of none.
    public let version: String?
    /// Is it signed in the newer way, the one with a header?
    public let isVersion3: Bool
    /// Everything else that is asked.
    public let parameters: ACSParameters
}

/// What the header of the newer way says: `ACS3-HMAC-SHA256 Credential=AK,SignedHeaders=a;b,Signature=0123`.
struct ACS3Header: Equatable {
    static let scheme = "ACS3-HMAC-SHA256"
    let accessKeyID: String
    let signedHeaders: [String]
    let signature: String

    init(_ text: String) throws(ACSFailure) {
        let parts = text.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0] == Self.scheme else { throw .incomplete }
        var fields: [String: String] = [:]
        for part in parts[1].split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { throw .incomplete }
            fields[String(pair[0].drop { $0 == " " })] = String(pair[1])
        }
        guard let key = fields["Credential"], let headers = fields["SignedHeaders"], let signature = fields["Signature"]
        else { throw .incomplete }
        guard !key.isEmpty else { throw .missing("AccessKeyId") }
        accessKeyID = key
        signedHeaders = headers.split(separator: ";").map(String.init)
        self.signature = signature
    }
}
