/// The target of a presigned request: a credential to whoever reads it, until it expires.
public enum PresignedURL {
    /// The target without the values of the parameters that prove who sent it, so that a log does not let its readers send it again.
    public static func withoutSignature(_ target: String) -> String {
        guard let start = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return target }
        // Empty ones stay: a log shows what came.
        let parts = target.utf8[target.utf8.index(after: start)...]
            .split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false).map { String(Substring($0)) }
        let kept = parts.map { part in
            guard let pair = URIEncoding.pairs(of: part).first,
                let name = URIEncoding.decodedPairs(of: part).first?.name,
                ["x-amz-signature", "signature"].contains(name.lowercased())
            else { return part }
            return pair.name + "=..."
        }
        return String(Substring(target.utf8[...start])) + kept.joined(separator: "&")
    }
}
