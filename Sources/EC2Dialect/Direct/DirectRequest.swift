internal import FoundationEssentials
internal import RequestSigning

/// A request of Amazon's REST and JSON services that was checked to be its signer's: the EBS direct APIs, the Recycle Bin, DLM.
public struct DirectRequest: Sendable {
    /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE`.
    public var method: String
    /// The path, not decoded, without the query.
    public var path: String
    /// What follows the question mark, or nothing.
    public var query: String
    /// Header lines, names in any case.
    public var headers: [(name: String, value: String)]
    /// JSON, a block, or nothing.
    public var body: [UInt8]

    /// Makes one.
    public init(
        method: String, path: String, query: String = "", headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }

    /// The first header of a name, given in lower case; nil too if it is empty.
    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name }.flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    // MARK: JSON

    /// The path's parts, decoded. Unlike in a query, `+` stands for itself.
    var segments: [String] {
        path.split(separator: "/").map { segment in
            String(decoding: URIEncoding.decodeQuery(Substring(segment.replacing("+", with: "%2B"))), as: UTF8.self)
        }
    }

    /// What the query says under a name, which may come several times; in order.
    func values(of name: String) -> [String] {
        URIEncoding.decodedPairs(of: query).filter { $0.name == name }.map(\.value)
    }

    /// The body as a document whose names begin with a capital; no body is an empty one.
    func document<Document: Decodable>(_: Document.Type) throws -> Document {
        do {
            return try Self.decoder.decode(Document.self, from: Data(body.isEmpty ? Array("{}".utf8) : body))
        } catch let error as DecodingError {
            throw DirectFailure.badValue("The request is not as it should be: \(Self.text(of: error))")
        } catch {
            throw DirectFailure.badValue("The request is not as it should be.")
        }
    }

    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .custom { path in LoweredName(path.last?.stringValue ?? "") }
        return decoder
    }

    private static func text(of error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "\(key.stringValue) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(context.codingPath.map(\.stringValue).joined(separator: ".")) is of the wrong kind"
        case .dataCorrupted: "it is no JSON, or a number is out of range"
        @unknown default: "it cannot be read"
        }
    }
}

/// A key's name without the capital at its front.
private struct LoweredName: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name.loweredFirst }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
