internal import Blocks
internal import ControlPlane
internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import KingsoftDialect
internal import RequestSigning

/// Where requests of Kingsoft's APIs come in: whoever signed one is found out here, the rest is the dialect's.
struct KingsoftDoor: Sendable {
    private let authenticator: Authenticator
    private let brake: SignInBrake
    private let dialect: KingsoftDialect
    private let regions: Set<String>
    private static let bodyMax = 1 << 20
    private static let queryMax = 64 << 10
    private static let skewMax = Duration.seconds(900)

    /// - Parameter brake: what holds back answers to requests that are signed wrongly, at all doors together.
    init(_ house: House, brake: SignInBrake) {
        self.brake = brake
        authenticator = Authenticator(
            house, services: Set(KingsoftRequest.Service.allCases.map(\.rawValue)), skewMax: Self.skewMax,
            takesPresigned: true, presignedFor: Self.skewMax, takesDate: true)
        regions = Set(house.regions.map(\.name))
        dialect = KingsoftDialect(house) { UUID().uuidString.lowercased() }
    }

    /// What a request is, as far as its head says that it is one of this cloud's.
    enum Opening {
        case signed(KingsoftCredential)
        case unsigned
    }

    /// Nil: it is for another door. Amazon's direct APIs are signed for `ebs`, too, and have paths of their own.
    static func opening(of head: HTTPRequest, path: String) -> Opening? {
        guard path == "/" else { return nil }
        let query = query(of: head), header = head.headerFields[.authorization]
        if let credential = KingsoftCredential(authorization: header, query: query) { return .signed(credential) }
        let isSigned = header != nil || query.contains("X-Amz-Credential")
        return !isSigned && KingsoftCredential.isMeant(by: query) ? .unsigned : nil
    }

    private static func query(of head: HTTPRequest) -> String {
        String((head.path ?? "").drop { $0 != "?" }.dropFirst())
    }

    /// The answer, and whose key signed the request if it was checked.
    func answer(to request: Request, _ opening: Opening, from origin: RequestOrigin) async -> (Answer, String?) {
        let head = request.head, query = Self.query(of: head), accept = head.headerFields[.accept]
        var isJSON = accept?.lowercased().contains("application/json") == true
        func refusal(_ reason: KingsoftRefusal, _ logged: String? = nil) -> (Answer, String?) {
            var answer = dialect.refusal(reason, isJSON: isJSON)
            answer.logged = answer.logged ?? logged
            return (Answer(answer), nil)
        }
        if head.authority?.contains("://") == true { return refusal(.hostWithScheme) }
        guard query.utf8.count <= Self.queryMax else { return refusal(.tooLarge) }
        guard case .signed(let credential) = opening else { return refusal(.notSigned) }
        if let fault = credential.fault(regions: regions) { return refusal(fault) }
        // No temporary keys are given out: whoever sends a token has one of somebody else's.
        if head.headerFields.contains(where: { $0.name.canonicalName == "x-ksc-security-token" && !$0.value.isEmpty }) {
            return refusal(.unknownKey)
        }
        do {
            let opened = try authenticator.open(head)
            let body = try await RequestBytes.collect(request, limit: Self.bodyMax)
            let wanted = KingsoftRequest(credential.service, query: query, body: body, accept: accept)
            isJSON = wanted.wantsJSON
            let signer = try authenticator.check(head, body: body, after: opened)
            var origin = origin
            origin.accessKey = signer.accessKey
            let answer = await RequestOrigin.$current.withValue(origin) {
                await dialect.answer(wanted, for: signer.caller, in: signer.region)
            }
            return (Answer(answer), signer.accessKey)
        } catch let failure as SigningFailure {
            let reason = await brake.hold(origin.address) ? Self.reason(failure) : .throttled
            return refusal(reason, "\(failure)")
        } catch is RequestBytes.TooLarge {
            return refusal(.tooLarge)
        } catch {
            return refusal(.endedEarly)
        }
    }

    private static func reason(_ failure: SigningFailure) -> KingsoftRefusal {
        switch failure {
        case .missing: .notSigned
        case .malformed: .incomplete("The signature's time, headers or form are not as they should be.")
        case .wrongScope: .elsewhere("Credential should be scoped to the day that it is signed on and to this service.")
        case .skewed, .expired: .expired
        case .unknownKey: .unknownKey
        case .wrongBody, .wrongSignature: .wrongSignature
        }
    }
}

extension Answer {
    /// What a client of Kingsoft's gets.
    init(_ answer: KingsoftAnswer) {
        self.init(status: answer.status, type: answer.type, body: Array(answer.body.utf8))
        logged = answer.logged
        action = answer.action
        requestID = answer.requestID
    }
}
