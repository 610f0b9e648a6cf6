/// A request that was checked to be its signer's.
public struct KingsoftRequest: Sendable {
    /// What it is signed for, which tells two actions of one name apart.
    public enum Service: String, Sendable, CaseIterable {
        /// Volumes and their snapshots.
        case ebs
        /// Policies, images, instances.
        case kec
        /// Projects.
        case iam
        /// Tags, by the two names that clients know.
        case tag, tagv2

        /// The one version that there is of it.
        public var version: String {
            switch self {
            case .ebs, .kec, .tag: "2016-03-04"
            case .iam: "2015-11-01"
            case .tagv2: "2020-09-01"
            }
        }
    }

    /// What it is signed for.
    public var service: Service
    /// What stands after the question mark, as it came.
    public var query: String
    /// A form, a JSON document, or nothing.
    public var body: [UInt8]
    /// The header that says what the client reads; nil without one.
    public var accept: String?

    /// Makes one.
    public init(_ service: Service, query: String, body: [UInt8] = [], accept: String? = nil) {
        self.service = service
        self.query = query
        self.body = body
        self.accept = accept
    }

    /// JSON for whoever asks for it, or sends it and asks for nothing; XML for the others.
    public var wantsJSON: Bool {
        if let accept { return accept.lowercased().contains("application/json") }
        return body.first == UInt8(ascii: "{")
    }
}

/// Why a request was refused before it was read.
public enum KingsoftRefusal: Sendable, Equatable {
    /// There is no signature.
    case notSigned
    /// Its signature lacks something; the text says what.
    case incomplete(String)
    /// It is signed for something else; the text says what.
    case elsewhere(String)
    case unknownKey, wrongSignature, expired, tooLarge, endedEarly, throttled
    /// The host is given with a scheme.
    case hostWithScheme
}

extension KingsoftFailure {
    /// What was refused before it was read: without a word that clients take for the end of an object.
    init(_ reason: KingsoftRefusal) {
        switch reason {
        case .notSigned:
            self.init(.missingAuthenticationToken, "Request is missing Authentication Token.", status: 403)
        case .incomplete(let why): self.init(.missingAuthenticationToken, why, status: 403)
        case .elsewhere(let why): self.init(.signatureDoesNotMatch, why, status: 403)
        case .unknownKey:
            self.init(.accessKeyNotRecognized, "The access key is unknown or disabled.", status: 403)
        case .wrongSignature:
            self.init(
                .signatureDoesNotMatch,
                "The signature does not match what was received. Check the secret key and the signing method.",
                status: 403)
        case .expired:
            self.init(.requestExpired, "The request was signed too long ago, or for later.", status: 403)
        case .throttled: self.init(.throttling, "Rate exceeded.")
        case .tooLarge:
            self.init(.invalidParameterValue, "The request is larger than this service takes.", status: 413)
        case .endedEarly: self.init(.invalidParameterValue, "The request ended too early.")
        case .hostWithScheme:
            self.init(
                .invalidParameterValue,
                "The Host header has a scheme: give the client its endpoint as host and port, without http://.")
        }
    }

    static func noRegion(_ name: String) -> KingsoftFailure {
        KingsoftFailure(.elsewhere("Credential should be scoped to a valid region, not:\(name.shortened)."))
    }
}
