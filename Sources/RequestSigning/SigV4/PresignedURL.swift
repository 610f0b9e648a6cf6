/// The target of a presigned request: a credential to whoever reads it, until it expires.
public enum PresignedURL {
    /// The target without the values of the parameters that prove who sent it, so that a log does not let its readers send it again.
    public static func withoutSignature(_ target: String) -> String {
        guard let start = target.firstIndex(of: "?") else { return target }
        let pairs = target[target.index(after: start)...].split(separator: "&", omittingEmptySubsequences: false)
        let kept = pairs.map { pair -> Substring in
            let name = String(decoding: URIEncoding.decodeQuery(pair.prefix { $0 != "=" }), as: UTF8.self).lowercased()
            return name == "x-amz-signature" || name == "signature" ? pair.prefix { $0 != "=" } + "=..." : pair
        }
        return target[...start] + kept.joined(separator: "&")
    }
}
