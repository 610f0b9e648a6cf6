public import Blocks

/// How connections can be made secure, and whether they must be.
public struct TLSOffer: Sendable {
    /// Does the handshake.
    public var security: any StreamSecurity
    /// Is everything but STARTTLS refused until then?
    public var isRequired: Bool
    /// How long a handshake may take.
    public var handshakeLimit: Duration

    /// Makes an offer.
    public init(security: any StreamSecurity, isRequired: Bool, handshakeLimit: Duration = .seconds(10)) {
        self.security = security
        self.isRequired = isRequired
        self.handshakeLimit = handshakeLimit
    }
}
