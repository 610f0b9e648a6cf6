/// The parameters of a request to one of Alibaba's RPC APIs: those of its query and of its form, together.
///
/// The first of two equal names counts, those of the query before those of the form. Signer, verifier and dialect see the same.
public struct ACSParameters: Equatable, Sendable {
    /// Parameters of one request; more are refused.
    public static let countMax = 10_000

    /// By name, decoded.
    public private(set) var values: [String: String] = [:]

    /// Reads `a=1&b.1=2` from both, as they came.
    ///
    /// - Throws: ``ACSFailure/unreadable(_:)`` for text that is not UTF-8, and for too many.
    public init(query: String, form: String) throws(ACSFailure) {
        for source in [query, form] {
            var left = Self.countMax - values.count
            for pair in URIEncoding.pairs(of: source, limit: Self.countMax) {
                left -= 1
                guard left >= 0 else { throw .unreadable("the request has more than \(Self.countMax) parameters") }
                guard let name = String(validating: URIEncoding.decodeQuery(pair.name), as: UTF8.self),
                    let value = String(validating: URIEncoding.decodeQuery(pair.value), as: UTF8.self)
                else { throw .unreadable("a parameter is not UTF-8") }
                if values[name] == nil { values[name] = value }
            }
        }
    }

    /// The value of that name, or nil.
    public subscript(_ name: String) -> String? { values[name] }

    /// Is it a request to such an API, signed rightly or wrongly, by what it has in its query or its form? Only looked at where no
    /// header says who signed it.
    public static func areMeant(by sources: [String]) -> Bool {
        sources.contains { source in
            URIEncoding.pairs(of: source, limit: countMax).contains { pair in
                ["AccessKeyId", "SignatureNonce"].contains { $0.utf8.elementsEqual(pair.name.utf8) }
                    || pair.name == "Version" && pair.value == "2014-05-26"
            }
        }
    }

    /// `name=value&name=value`, encoded by RFC 3986 and sorted by the bytes of the names.
    func canonicalText(without left: String? = nil) -> String {
        values.filter { $0.key != left }
            .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            .map { "\(URIEncoding.encode($0.key.utf8))=\(URIEncoding.encode($0.value.utf8))" }
            .joined(separator: "&")
    }
}
