/// The one text that signer and verifier agree on (AWS Signature Version 4, "Create a canonical request"):
///
/// ```
/// METHOD \n canonical path \n canonical query \n name:value \n ... \n \n signed;names \n body hash
/// ```
///
/// S3 takes the path as it is on the wire (`keepsPath`); other services resolve it and encode it once more.
struct CanonicalRequest {
    let text: String

    init(_ request: SignableRequest, signedHeaders: [String], bodyHash: String, keepsPath: Bool = false) {
        let headers = signedHeaders.map { name in
            "\(name):\((request.values(of: name) ?? []).map(Self.trimmed).joined(separator: ","))\n"
        }
        text = [
            request.method, keepsPath ? request.path : Self.path(request.path), Self.query(request.query),
            headers.joined(),
            signedHeaders.joined(separator: ";"), bodyHash,
        ].joined(separator: "\n")
    }

    /// Dot segments and doubled slashes resolved, then encoded.
    static func path(_ path: String) -> String {
        var segments: [Substring] = []
        for segment in path.split(separator: "/") where segment != "." {
            if segment == ".." { _ = segments.popLast() } else { segments.append(segment) }
        }
        let endsInSlash = path.hasSuffix("/") || path.hasSuffix("/.") || path.hasSuffix("/..")
        let joined = "/" + segments.joined(separator: "/") + (endsInSlash && !segments.isEmpty ? "/" : "")
        return URIEncoding.encode(joined.utf8, keepsSlash: true)
    }

    /// Names and values decoded, encoded the one right way, sorted by name, then value.
    static func query(_ query: String) -> String {
        let parameters = URIEncoding.pairs(of: query).map { pair in
            (
                name: URIEncoding.encode(URIEncoding.decodeQuery(pair.name)),
                value: URIEncoding.encode(URIEncoding.decodeQuery(pair.value))
            )
        }
        let sorted = parameters.sorted { a, b in
            a.name == b.name ? isBefore(a.value, b.value) : isBefore(a.name, b.name)
        }
        return sorted.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }

    /// By bytes, not by Unicode's order.
    private static func isBefore(_ a: String, _ b: String) -> Bool {
        a.utf8.lexicographicallyPrecedes(b.utf8)
    }

    /// No space at the ends, runs of spaces made one.
    static func trimmed(_ value: String) -> String {
        value.split(whereSeparator: { $0 == " " || $0 == "\t" || $0.isNewline }).joined(separator: " ")
    }
}
