/// Why a request to one of Alibaba's RPC APIs is not believed, in the order in which it is looked at.
public enum ACSFailure: Error, Equatable, Sendable {
    /// The common parameter of this name is not there.
    case missing(String)
    /// The signature, or what says how it is made, is missing or of a kind that is not known.
    case incomplete
    /// No such key.
    case unknownKey(String)
    /// It comes with a token of temporary credentials, which nobody here gave out.
    case foreignToken
    /// The time is none.
    case badTime
    /// The client's clock is off by more than is allowed, or the request is old.
    case expired
    /// The signature does not match: a wrong secret, or a request changed on its way. With what it should have signed.
    case wrongSignature(String)
    /// A request with this nonce was taken already.
    case usedNonce
    /// More requests of this key came within the time in which nonces are kept than can be remembered.
    case tooMany
    /// What was sent is no parameters.
    case unreadable(String)
}
