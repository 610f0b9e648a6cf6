internal import RequestSigning

/// What a request says of whom it is signed for, read as leniently as it takes to answer in this cloud's words; nothing of it is
/// proven.
public struct KingsoftCredential: Sendable {
    /// For which of the services it is.
    public let service: KingsoftRequest.Service
    private let parts: [String]
    private let signedHeaders: [String]

    /// Nil: the request is not signed, or for no service of this cloud.
    ///
    /// - Parameters:
    ///   - authorization: the header, if there is one; then the query says nothing.
    ///   - query: as it came.
    public init?(authorization: String?, query: String) {
        let named: (String?, String?)
        if let authorization {
            guard authorization.hasPrefix("AWS4-HMAC-SHA256 ") else { return nil }
            named = (Self.field("Credential=", of: authorization), Self.field("SignedHeaders=", of: authorization))
        } else {
            named = (Self.parameter("X-Amz-Credential", of: query), Self.parameter("X-Amz-SignedHeaders", of: query))
        }
        guard let credential = named.0 else { return nil }
        parts = credential.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 3, let service = KingsoftRequest.Service(rawValue: parts[3]) else { return nil }
        self.service = service
        signedHeaders = (named.1 ?? "").split(separator: ";").map { $0.lowercased() }
    }

    /// Does the query say that it is a request of this API, whoever signed it?
    public static func isMeant(by query: String) -> Bool {
        parameter("Version", of: query) == KingsoftRequest.Service.ebs.version
    }

    /// What is wrong with it before anything is verified; nil: nothing that could be said now.
    public func fault(regions: Set<String>) -> KingsoftRefusal? {
        guard signedHeaders.contains("host") else {
            return .elsewhere("'Host' must be a 'SignedHeader' in the Authorization.")
        }
        let terminator = parts.dropFirst(4).joined(separator: "/")
        guard terminator == "aws4_request" else {
            return .elsewhere(
                "Credential should be scoped with a valid terminator: 'aws4_request', not: \(terminator.shortened).")
        }
        guard regions.contains(parts[2]) else {
            return .elsewhere("Credential should be scoped to a valid region, not:\(parts[2].shortened).")
        }
        return nil
    }

    private static func field(_ name: String, of header: String) -> String? {
        // What stands twice means one thing to a reader and another to the next.
        guard header.ranges(of: name).count == 1, let start = header.range(of: name)?.upperBound else { return nil }
        return String(header[start...].prefix { $0 != "," && $0 != " " })
    }

    private static func parameter(_ name: String, of query: String) -> String? {
        let pair = URIEncoding.pairs(of: query, limit: KingsoftParameters.countMax).first {
            URIEncoding.decodeQuery($0.name) == Array(name.utf8)
        }
        return pair.map { String(decoding: URIEncoding.decodeQuery($0.value), as: UTF8.self) }
    }
}

extension String {
    /// Where `text` begins first, by characters.
    fileprivate func range(of text: String) -> Range<String.Index>? { ranges(of: text).first }
}
