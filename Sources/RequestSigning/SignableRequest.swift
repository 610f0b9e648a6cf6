/// What a signature covers of an HTTP request, as it is on the wire.
public struct SignableRequest: Sendable {
    /// One header line.
    public struct Header: Equatable, Sendable {
        /// In any case.
        public var name: String
        /// As sent.
        public var value: String
        /// Makes one.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// `GET`, `POST`, ...
    public var method: String
    /// The target up to `?`, percent-encoded as sent.
    public var path: String
    /// The target after `?`, as sent; empty if there is none.
    public var query: String
    /// Every header, in order.
    public var headers: [Header]
    /// The hash of the body that was, or will be, transferred.
    public var bodyHash: BodyHash

    /// Makes one from a target such as `/api/v1/volumes?limit=5`.
    public init(method: String, target: String, headers: [Header], bodyHash: BodyHash) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        self.method = method
        path = parts.first.map(String.init) ?? "/"
        query = parts.count > 1 ? String(parts[1]) : ""
        self.headers = headers
        self.bodyHash = bodyHash
    }

    /// The body's hash that the sender declares in `x-amz-content-sha256`, or nil.
    public var declaredBodyHash: BodyHash? {
        guard let values = values(of: "x-amz-content-sha256"), values.count == 1 else { return nil }
        return BodyHash(hex: values[0])
    }

    /// Does the sender declare there that its signature does not cover the body?
    public var isBodyUnsigned: Bool { values(of: "x-amz-content-sha256") == [Self.unsignedBody] }
    static let unsignedBody = "UNSIGNED-PAYLOAD"

    /// The values of all headers of this name, or nil if there is none.
    func values(of name: String) -> [String]? {
        let found = headers.filter { $0.name.lowercased() == name }.map(\.value)
        return found.isEmpty ? nil : found
    }
}

/// A key pair that signs.
public struct SigningKey: Equatable, Sendable {
    /// The public half.
    public var accessKeyID: String
    /// The secret half.
    public var secret: String
    /// What a temporary key is sent with, or nil for a lasting one.
    public var sessionToken: String?

    /// Makes one.
    public init(accessKeyID: String, secret: String, sessionToken: String? = nil) {
        self.accessKeyID = accessKeyID
        self.secret = secret
        self.sessionToken = sessionToken
    }
}
