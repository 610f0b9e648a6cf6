internal import Blocks

/// What a request signed with AWS Signature Version 2 says about itself, among the parameters of its query and its form; nothing
/// of it is proven yet.
///
/// Unlike in Version 4 there is no scope: service and region are not signed, only the host.
public struct SigV2Claim: Equatable, Sendable {
    /// How it is signed.
    enum Method: String {
        case sha256 = "HmacSHA256"
        case sha1 = "HmacSHA1"
    }

    /// When it is good.
    enum Validity: Equatable {
        /// Around the moment in which it was signed.
        case signed(at: WallTime)
        /// Until then.
        case until(WallTime)
    }

    /// Parameters of one request; more are refused before anything is sorted for somebody who may be a stranger.
    private static let countMax = 10_000
    private static let signatureName = "Signature"
    /// The parameters that make up a signature and say nothing of what is asked for.
    public static let names: Set<String> = [
        "AWSAccessKeyId", "SignatureVersion", "SignatureMethod", "Timestamp", "Expires", "SecurityToken", signatureName,
    ]

    /// Whose key.
    public let accessKeyID: String
    let method: Method
    let validity: Validity
    /// In base64.
    let signature: String
    /// Everything but the signature, decoded, in the order in which it came.
    let parameters: [Parameter]

    /// One name and its value, decoded.
    struct Parameter: Equatable {
        let name: [UInt8]
        let value: [UInt8]
    }

    /// Are a query or a form signed like this, rightly or wrongly?
    public static func isMeant(by sources: [String]) -> Bool {
        sources.contains { source in
            URIEncoding.pairs(of: source, limit: countMax + names.count).contains { isMark($0.name) }
        }
    }

    private static let marks = ["SignatureVersion", "AWSAccessKeyId", signatureName]
    private static let markMax = 3 * (marks.map(\.utf8.count).max() ?? 0)

    /// Decoded only where there is something to decode: a stranger may send many names, and long ones.
    private static func isMark(_ name: Substring) -> Bool {
        guard name.utf8.count <= markMax else { return false }
        guard name.utf8.contains(UInt8(ascii: "%")) else { return marks.contains { $0.utf8.elementsEqual(name.utf8) } }
        let decoded = URIEncoding.decodeQuery(name)
        return marks.contains { $0.utf8.elementsEqual(decoded) }
    }

    /// Reads the query and the form, as they came.
    ///
    /// No name may be there twice: in which order two are is not signed, and whoever reads them takes the first.
    ///
    /// - Throws: ``SigningFailure`` for what is missing, there twice, or not as it should be.
    init(sources: [String]) throws(SigningFailure) {
        var fields: [String: String] = [:]
        var parameters: [Parameter] = []
        var known: Set<[UInt8]> = []
        for pair in try Self.pairs(of: sources) {
            let parameter = Parameter(
                name: URIEncoding.decodeQuery(pair.name), value: URIEncoding.decodeQuery(pair.value))
            let name = String(decoding: parameter.name, as: UTF8.self)
            guard known.insert(parameter.name).inserted else {
                throw .malformed("the parameter \(name.prefix(64)) is there twice")
            }
            if name != Self.signatureName { parameters.append(parameter) }
            if Self.names.contains(name) { fields[name] = String(decoding: parameter.value, as: UTF8.self) }
        }
        guard fields["SignatureVersion"] == "2" else { throw .malformed("the parameter SignatureVersion must be 2") }
        guard let accessKeyID = fields["AWSAccessKeyId"], let signature = fields[Self.signatureName] else {
            throw .malformed("a request signed with Version 2 needs AWSAccessKeyId and \(Self.signatureName)")
        }
        guard let method = fields["SignatureMethod"].flatMap(Method.init) else {
            throw .malformed("the parameter SignatureMethod must be HmacSHA256 or HmacSHA1")
        }
        // Keys here last: whoever sends a token has one of somebody else's.
        guard fields["SecurityToken"] == nil else { throw .unknownKey(accessKeyID) }
        self.accessKeyID = accessKeyID
        self.method = method
        self.signature = signature
        self.parameters = parameters
        validity = try Self.validity(timestamp: fields["Timestamp"], expires: fields["Expires"])
    }

    /// Refused before anything is decoded, if they are too many.
    private static func pairs(
        of sources: [String]
    ) throws(SigningFailure) -> [(name: Substring, value: Substring)] {
        let limit = countMax + 1
        var pairs: [(name: Substring, value: Substring)] = []
        for source in sources {
            pairs += URIEncoding.pairs(of: source, limit: limit - pairs.count)
            // The signature is one of its own.
            guard pairs.count <= limit else {
                throw .malformed("the request has more than \(countMax) parameters")
            }
        }
        return pairs
    }

    private static func validity(timestamp: String?, expires: String?) throws(SigningFailure) -> Validity {
        switch (timestamp, expires) {
        case (let text?, nil): return .signed(at: try time(text, "Timestamp"))
        case (nil, let text?): return .until(try time(text, "Expires"))
        case (nil, nil): throw .malformed("the parameter Timestamp or Expires must be there")
        case (_?, _?): throw .malformed("the parameters Timestamp and Expires cannot be used together")
        }
    }

    /// In UTC, whether or not the `Z` that says so is there: some clients leave it out, as Amazon's own example does.
    private static func time(_ text: String, _ name: String) throws(SigningFailure) -> WallTime {
        guard let time = WallTime(text) ?? WallTime(text + "Z") else {
            throw .malformed("the parameter \(name) must have the form 2011-10-03T15:19:30Z")
        }
        return time
    }

    /// The one text that signer and verifier agree on:
    ///
    /// ```
    /// METHOD \n host \n path \n name=value&name=value...
    /// ```
    ///
    /// The host is in lower case; parameters are encoded by RFC 3986 and sorted by the bytes of their names, then values.
    func canonicalText(of request: SignableRequest, host: String) -> String {
        let sorted = parameters.sorted { a, b in
            a.name == b.name
                ? a.value.lexicographicallyPrecedes(b.value) : a.name.lexicographicallyPrecedes(b.name)
        }
        let query = sorted.map { "\(URIEncoding.encode($0.name))=\(URIEncoding.encode($0.value))" }
        return [request.method, host, request.path, query.joined(separator: "&")].joined(separator: "\n")
    }
}
