internal import Blocks
internal import ControlPlane
internal import ECSDialect
internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import RequestSigning

/// Where requests of Alibaba's RPC API come in: whoever signed one is found out here, the rest is the dialect's.
struct AlibabaDoor: Sendable {
    private let house: House
    private let brake: SignInBrake
    private let dialect: ECSDialect
    private let verifier = ACSVerifier(skewMax: Self.skewMax)
    private let nonces = Guarded(ACSNonces())
    private let clock = SystemClock()
    /// Bytes of a request's form.
    static let bodyMax = 1 << 20
    private static let skewMax = Duration.seconds(900)

    /// - Parameter brake: what holds back answers to requests that are signed wrongly, at all doors together.
    init(_ house: House, brake: SignInBrake) {
        self.house = house
        self.brake = brake
        dialect = ECSDialect(house) { UUID().uuidString }
    }

    /// Is a request for this door, by what its head says?
    static func isMeant(_ head: HTTPRequest) -> Bool {
        let request = Authenticator.signable(head)
        if ACSVerifier.isVersion3(request) { return true }
        guard !request.headers.contains(where: { $0.name.lowercased() == "authorization" }) else { return false }
        return ACSParameters.areMeant(by: [request.query])
    }

    /// The same by its form, where the head says nothing of who signed it.
    static func isMeant(form: [UInt8]) -> Bool {
        ACSParameters.areMeant(by: [String(decoding: form, as: UTF8.self)])
    }

    /// The answer, and whose key signed the request if it was checked.
    func answer(to request: Request, from origin: RequestOrigin) async -> (Answer, String?) {
        let signed = Authenticator.signable(request.head)
        var unread = ECSRequest(
            action: nil, version: nil, parameters: Self.format(signed.query), host: request.head.authority ?? "",
            usuallyJSON: ACSVerifier.isVersion3(signed))
        guard [.get, .post].contains(request.method) else {
            return (Answer(dialect.refusal(.method, of: unread)), nil)
        }
        do {
            let body = try await RequestBytes.collect(request, limit: Self.bodyMax)
            if unread.parameters.isEmpty {
                unread.parameters = Self.format(String(decoding: body, as: UTF8.self))
            }
            let (claim, caller) = try check(signed, body: body)
            var origin = origin
            origin.accessKey = claim.accessKeyID
            let wanted = ECSRequest(
                action: claim.action, version: claim.version, parameters: claim.parameters.values, host: unread.host,
                usuallyJSON: claim.isVersion3)
            let answer = await RequestOrigin.$current.withValue(origin) {
                await dialect.answer(wanted, for: caller)
            }
            return (Answer(answer), claim.accessKeyID)
        } catch let failure as ACSFailure {
            guard await brake.hold(origin.address) else {
                return (Answer(dialect.refusal(.throttled, of: unread)), nil)
            }
            return (Answer(dialect.refusal(failure, of: unread)), nil)
        } catch is RequestBytes.TooLarge {
            return (Answer(dialect.refusal(.tooLarge, of: unread)), nil)
        } catch {
            return (Answer(dialect.refusal(.endedEarly, of: unread)), nil)
        }
    }

    /// Whoever signed it, now and for the first time.
    private func check(_ request: SignableRequest, body: [UInt8]) throws(ACSFailure) -> (ACSClaim, Caller) {
        var caller: Caller?
        let now = clock.now()
        let claim = try verifier.verify(request, body: body, now: now) { id in
            let holder = house.holder(of: id)
            caller = holder?.caller
            return holder?.secret
        }
        guard let caller else { preconditionFailure("a signature was right, and nobody's") }
        let end = claim.signedAt + Self.skewMax
        let refusal = nonces.withLock { nonces -> ACSFailure? in
            do throws(ACSFailure) {
                try nonces.take(claim.nonce, of: claim.accessKeyID, until: end, at: now)
                return nil
            } catch { return error }
        }
        if let refusal { throw refusal }
        return (claim, caller)
    }

    /// What form of answer a request asks for, though nobody knows yet whose it is.
    private static func format(_ source: String) -> [String: String] {
        let parameters = try? ACSParameters(query: source, form: "")
        return parameters?["Format"].map { ["Format": $0] } ?? [:]
    }
}

extension Answer {
    /// What a client of Alibaba's API gets.
    init(_ answer: ECSAnswer) {
        self.init(status: answer.status, type: answer.type, body: Array(answer.body.utf8))
        logged = answer.logged
        action = answer.action
        requestID = answer.requestID
        headers = [("x-acs-request-id", answer.requestID)]
    }
}
