internal import Blocks
internal import Catalog

/// What a client sends so that its request is done once, however often it is sent.
public struct RequestToken: Equatable, Sendable {
    /// The client's word.
    public var text: String
    /// What is asked for, in a form in which equal requests are equal.
    public var fingerprint: String

    /// Makes one.
    public init(_ text: String, fingerprint: String) {
        self.text = text
        self.fingerprint = fingerprint
    }
}

extension RequestToken {
    /// It was used before, for the same request: what that made.
    struct Used: Error {
        let object: String
        let token: String

        /// It is no more.
        var gone: ServiceError {
            ServiceError(.missing, .token, "the token \(token.quotable) made \(object), which was deleted since")
        }
    }

    /// What it made before; nil: nothing.
    ///
    /// - Throws: a refusal, if it was used for another request.
    func used(for action: String, by account: String, _ session: CatalogSession) throws -> Used? {
        guard let known = try session.token(text, for: action, of: account) else { return nil }
        guard known.fingerprint == fingerprint else {
            throw ServiceError(
                .invalid, .token, "the token \(text.quotable) was used for a request that asked for something else")
        }
        return Used(object: known.objectID, token: text)
    }

    /// In the transaction that records what is made: takes the token, or tells what it made before.
    ///
    /// - Throws: ``Used``; or a refusal, if it was used for another request.
    func take(
        for action: String, by account: String, making object: String, at now: WallTime, _ session: CatalogSession
    ) throws {
        if let used = try used(for: action, by: account, session) { throw used }
        try session.insert(
            TokenRecord(
                account: account, action: action, token: text, fingerprint: fingerprint, objectID: object,
                createdAt: now))
    }
}
