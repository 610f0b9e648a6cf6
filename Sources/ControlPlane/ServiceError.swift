/// Why a verb was refused or failed: what the client may read, and what the log keeps, apart.
///
/// Every error that a service throws is one of these. A dialect maps `(code, noun)` to its own words with one `switch`
/// and no `default`.
public struct ServiceError: Error, Sendable {
    /// What kind of refusal it is; closed, so that each dialect must have a name for each.
    public enum Code: String, Sendable, CaseIterable {
        /// A parameter is malformed or out of range.
        case invalid
        /// There is no such object.
        case missing
        /// The object is in a state that does not allow this.
        case wrongState
        /// The caller may not do this.
        case forbidden
        /// The object is protected against this.
        case locked
        /// Something still uses the object.
        case inUse
        /// A limit of the house is reached.
        case limitExceeded
        /// The disk or the store is full.
        case noSpace
        /// The store, a volume or the house cannot answer now; the same request may succeed later.
        case unavailable
        /// Stored bytes do not match their checksums.
        case corrupt
        /// What is on disk or in the store has a format this version does not know.
        case unsupported
        /// The house is at fault; the log has the cause.
        case internalFault
    }

    /// What the request was about.
    public enum Noun: String, Sendable, CaseIterable {
        case volume, snapshot, attachment, instance, image, task, store, house, account, tag, token, rule, policy
    }

    /// The kind.
    public let code: Code
    /// The object's kind.
    public let noun: Noun
    /// For the client: what was wrong, with which value, what to do.
    public let message: String
    /// The quota that is reached, if it is one.
    public let quota: Quota?
    /// The rate that is exceeded, if it is one.
    public let rate: RateExceeded?
    /// For the log.
    public let detail: String?
    /// For the log.
    public let cause: (any Error)?

    /// Makes an error.
    public init(
        _ code: Code, _ noun: Noun, _ message: String, quota: Quota? = nil, rate: RateExceeded? = nil,
        detail: String? = nil, cause: (any Error)? = nil
    ) {
        self.rate = rate
        self.quota = quota
        self.code = code
        self.noun = noun
        self.message = message
        self.detail = detail
        self.cause = cause
    }
}

extension ServiceError: CustomStringConvertible {
    /// The message, then what the log keeps.
    public var description: String {
        var text = "\(noun.rawValue) \(code.rawValue): \(message)"
        if let detail { text += " (\(detail))" }
        if let cause { text += " <- \(cause)" }
        return text
    }
}
