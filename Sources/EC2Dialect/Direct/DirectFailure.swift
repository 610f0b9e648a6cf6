internal import ControlPlane

/// A refusal of the EBS direct APIs: the exception's name, and for some a reason, are what clients match on.
struct DirectFailure: Error {
    var name: String
    var reason: String?
    var message: String
    var status: Int
    var logged: String?

    init(_ name: String, _ reason: String?, _ message: String, status: Int, logged: String? = nil) {
        self.name = name
        self.reason = reason
        self.message = message
        self.status = status
        self.logged = logged
    }

    static func invalid(_ reason: String, _ message: String) -> DirectFailure {
        DirectFailure("ValidationException", reason, message, status: 400)
    }
    static func unknown(_ request: DirectRequest) -> DirectFailure {
        DirectFailure(
            "UnknownOperationException", nil, "There is no operation \(request.method) \(request.path) here.",
            status: 404)
    }
    static func noSnapshot(_ id: String) -> DirectFailure {
        DirectFailure(
            "ResourceNotFoundException", "SNAPSHOT_NOT_FOUND", "The snapshot '\(id)' does not exist.", status: 404)
    }

    init(from error: any Error) {
        guard let error = error as? ServiceError else {
            self.init("InternalServerException", nil, "An internal error has occurred", status: 500, logged: "\(error)")
            return
        }
        if let exceeded = error.rate {
            self.init(exceeded, error.message)
            logged = error.description
            return
        }
        switch error.code {
        case .missing: self.init("ResourceNotFoundException", "SNAPSHOT_NOT_FOUND", error.message, status: 404)
        case .invalid: self.init("ValidationException", "INVALID_PARAMETER_VALUE", error.message, status: 400)
        case .forbidden: self.init("AccessDeniedException", "UNAUTHORIZED_ACCOUNT", error.message, status: 403)
        case .wrongState, .inUse, .locked:
            self.init("ValidationException", "INVALID_SNAPSHOT_ID", error.message, status: 400)
        case .limitExceeded, .noSpace: self.init("ServiceQuotaExceededException", nil, error.message, status: 402)
        case .unavailable, .unsupported, .corrupt, .internalFault:
            self.init("InternalServerException", nil, "An internal error has occurred", status: 500)
        }
        logged = error.description
    }

    private init(_ exceeded: RateExceeded, _ message: String) {
        let reason =
            switch exceeded.rate {
            case .account: "ACCOUNT_THROTTLED"
            case .snapshot, .snapshots, .modifications: "RESOURCE_LEVEL_THROTTLE"
            }
        self.init("RequestThrottledException", reason, message, status: 400)
    }

    init(_ reason: RefusedRequest) {
        switch reason {
        case .notSigned:
            self.init("MissingAuthenticationTokenException", nil, "Missing Authentication Token", status: 403)
        case .malformed(let why): self.init("IncompleteSignatureException", nil, why, status: 400)
        case .unknownSigner:
            self.init(
                "UnrecognizedClientException", nil, "The security token included in the request is invalid.",
                status: 403)
        case .wrongSignature:
            self.init(
                "InvalidSignatureException", nil,
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
                    + "Key and signing method.", status: 403)
        case .expired: self.init("InvalidSignatureException", nil, "Signature expired", status: 403)
        case .tooLarge:
            self.init("ValidationException", "INVALID_PARAMETER_VALUE", "The request is too large.", status: 413)
        case .endedEarly:
            self.init("ValidationException", "INVALID_PARAMETER_VALUE", "Failed to read block data", status: 400)
        case .throttled: self.init("RequestLimitExceeded", nil, "Request limit exceeded.", status: 503)
        }
    }

    private struct Body: Encodable {
        let message: String
        let reason: String?
    }

    var answer: DirectAnswer {
        Deed.refuse(name)
        var answer =
            (try? DirectAnswer.json(Body(message: message, reason: reason), status: status))
            ?? DirectAnswer(status: 500, body: [], type: "application/json")
        answer.headers = [("x-amzn-ErrorType", name)]
        answer.logged = logged
        return answer
    }
}
