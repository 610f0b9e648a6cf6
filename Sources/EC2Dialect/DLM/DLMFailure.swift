internal import ControlPlane

/// A refusal of Data Lifecycle Manager.
struct DLMFailure: Error {
    var name: String
    var message: String
    var status: Int
    var required: [String]?
    var exclusive: [String]?
    var ids: [String]?
    var logged: String?

    init(_ name: String, _ message: String, status: Int) {
        self.name = name
        self.message = message
        self.status = status
    }

    static func invalid(_ message: String, required: [String]? = nil, exclusive: [String]? = nil) -> DLMFailure {
        var failure = DLMFailure("InvalidRequestException", message, status: 400)
        failure.required = required
        failure.exclusive = exclusive
        return failure
    }
    static func unsupported(_ what: String) -> DLMFailure { .invalid("\(what) is not supported by this service.") }
    static func noPolicy(_ id: String) -> DLMFailure {
        var failure = DLMFailure("ResourceNotFoundException", "The policy '\(id)' does not exist.", status: 404)
        failure.ids = [id]
        return failure
    }

    init(from error: any Error) {
        guard let error = error as? ServiceError else {
            self.init("InternalServerException", "An internal error has occurred", status: 500)
            logged = "\(error)"
            return
        }
        switch error.code {
        case .missing: self.init("ResourceNotFoundException", error.message, status: 404)
        case .invalid, .wrongState, .inUse, .locked, .unsupported:
            self.init("InvalidRequestException", error.message, status: 400)
        case .forbidden: self.init("AccessDeniedException", error.message, status: 403)
        case .limitExceeded: self.init("LimitExceededException", error.message, status: 429)
        case .unavailable, .noSpace, .corrupt, .internalFault:
            self.init("InternalServerException", "An internal error has occurred", status: 500)
        }
        logged = error.description
    }

    private struct Body: Encodable {
        let message: String
        let code: String
        let requiredParameters: [String]?
        let mutuallyExclusiveParameters: [String]?
        let resourceType: String?
        let resourceIds: [String]?
    }

    var answer: DirectAnswer {
        Deed.refuse(name)
        let body = Body(
            message: message, code: name, requiredParameters: required, mutuallyExclusiveParameters: exclusive,
            resourceType: ids == nil ? nil : "policy", resourceIds: ids)
        var answer =
            (try? DirectAnswer.json(body, status: status))
            ?? DirectAnswer(status: 500, body: [], type: "application/json")
        answer.headers = [("x-amzn-ErrorType", name)]
        answer.logged = logged
        return answer
    }
}
