/// Why a request is not believed.
public enum SigningFailure: Error, Equatable, Sendable {
    /// It is not signed.
    case missing
    /// The signature cannot be read; the text says what is wrong.
    case malformed(String)
    /// It is for another service or day; the text says which.
    case wrongScope(String)
    /// The client's clock is off by this much.
    case skewed(by: Duration)
    /// It was presigned, and its time is over.
    case expired
    /// No such key.
    case unknownKey(String)
    /// The body is not the one that was signed.
    case wrongBody
    /// The signature does not match: a wrong secret, or a request changed on its way.
    case wrongSignature
}

extension SigningFailure: CustomStringConvertible {
    /// One plain sentence, fit for the client.
    public var description: String {
        switch self {
        case .missing: "the request is not signed; sign it with AWS Signature Version 4"
        case .malformed(let reason): "the signature cannot be read: \(reason)"
        case .wrongScope(let reason): "the signature is for something else: \(reason)"
        case .skewed(let skew):
            "the request was signed \(skew.components.seconds) s away from this server's time; set the clock"
        case .expired: "the request was presigned, and its time is over; sign a new one"
        case .unknownKey(let key): "there is no access key \(key)"
        case .wrongBody: "the body is not the one that was signed"
        case .wrongSignature: "the signature does not match; check the secret access key"
        }
    }
}
