/// A request that was checked to be its signer's.
public struct EC2Request: Sendable {
    /// The query and the form body, as they came.
    public var sources: [String]

    /// Makes one.
    public init(sources: [String]) { self.sources = sources }
}

/// Why a request was refused before it was read.
public enum RefusedRequest: Sendable {
    case notSigned, malformed(String), unknownSigner, wrongSignature, expired, tooLarge, endedEarly, throttled
}
