internal import Blocks
internal import ControlPlane
internal import EC2Dialect
internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import RequestSigning

/// Where requests of Amazon's query protocols come in: whoever signed one is found out here, the rest is the dialect's.
struct AmazonDoor: Sendable {
    /// What a request is signed for, which tells the dialect.
    enum Service: String {
        case ec2, sts, ebs, rbin, dlm

        /// Nil: not signed, or for something else.
        init?(of head: HTTPRequest) {
            guard let claim = SigV4Claim(of: Authenticator.signable(head)),
                let service = Service(rawValue: claim.scope.service)
            else { return nil }
            self = service
        }

        /// Is there anything of it at a path?
        func has(path: String) -> Bool {
            switch self {
            case .ec2, .sts: path == "/"
            case .ebs: path == "/snapshots" || path.hasPrefix("/snapshots/")
            case .rbin: ["/rules", "/list-rules", "/tags/"].contains { path.hasPrefix($0) }
            case .dlm: path == "/policies" || path.hasPrefix("/policies/") || path.hasPrefix("/tags/")
            }
        }
    }

    private let authenticator: Authenticator
    private let brake: SignInBrake
    private let ec2: EC2Dialect
    private let sts: STSDialect
    private let direct: DirectDialect
    private let bin: BinDialect
    private let dlm: DLMDialect
    private let regions: Set<String>
    /// Bytes of a request's body: a block is half of it.
    private static let bodyMax = 1 << 20

    private static let skewMax = Duration.seconds(900)

    /// - Parameters:
    ///   - takesSigV2: may requests to EC2 be signed with Version 2?
    ///   - brake: what holds back answers to requests that are signed wrongly, at all doors together.
    init(_ house: House, takesSigV2: Bool, brake: SignInBrake) {
        self.brake = brake
        // What names no service comes in as EC2's, so Version 2, which names none, is EC2's alone.
        authenticator = Authenticator(
            house, services: Set([Service.ec2, .sts, .ebs, .rbin, .dlm].map(\.rawValue)),
            unsignedUploads: [Service.ebs.rawValue], skewMax: Self.skewMax, takesPresigned: true,
            older: SigV2Verifier(skewMax: Self.skewMax, isTurnedOff: !takesSigV2))
        let ids: @Sendable () -> String = { UUID().uuidString.lowercased() }
        ec2 = EC2Dialect(house, ids: ids)
        sts = STSDialect(house, ids: ids)
        regions = Set(house.regions.map(\.name))
        dlm = DLMDialect(house)
        direct = DirectDialect(house) { SystemClock().now().milliseconds / 1000 }
        bin = BinDialect(house)
    }

    /// The answer, and whose key signed the request if it was checked.
    ///
    /// - Parameter origin: where it came from, as far as that is known before it is read.
    func answer(to request: Request, _ service: Service, from origin: RequestOrigin) async -> (Answer, String?) {
        do {
            let opening = try authenticator.open(request.head)
            let body = try await RequestBytes.collect(request, limit: Self.bodyMax)
            let signer = try authenticator.check(request.head, body: body, after: opening)
            // What a request is signed for tells the region too.
            let region = signer.region
            guard service == .sts || regions.contains(region) else {
                return (refusal(.unknownSigner, service, "signed for the region \(region)"), nil)
            }
            var origin = origin
            origin.accessKey = signer.accessKey
            let answer = await RequestOrigin.$current.withValue(origin) {
                await self.answer(to: request, service, body: body, of: signer, in: region)
            }
            return (answer, signer.accessKey)
        } catch let failure as SigningFailure {
            let reason = await brake.hold(origin.address) ? Self.reason(failure) : .throttled
            return (refusal(reason, service, "\(failure)"), nil)
        } catch {
            return (unread(error, service), nil)
        }
    }

    /// A body that could not be read.
    func unread(_ error: any Error, _ service: Service = .ec2) -> Answer {
        refusal(error is RequestBytes.TooLarge ? .tooLarge : .endedEarly, service, nil)
    }

    /// What the dialect says.
    private func answer(
        to request: Request, _ service: Service, body: [UInt8], of signer: Authenticator.Signer, in region: String
    ) async -> Answer {
        let target = request.head.path ?? "/", method = request.method.rawValue
        let path = String(target.prefix { $0 != "?" }), query = String(target.drop { $0 != "?" }.dropFirst())
        var call: DirectRequest {
            DirectRequest(
                method: method, path: path, query: query,
                headers: request.headers.map { ($0.name.canonicalName, $0.value) }, body: body)
        }
        var form: EC2Request { EC2Request(sources: [query, String(decoding: body, as: UTF8.self)]) }
        switch service {
        case .ebs: return Answer(await direct.answer(call, for: signer.caller, in: region))
        case .dlm: return Answer(await dlm.answer(call, for: signer.caller, in: region))
        case .rbin: return Answer(await bin.answer(call, for: signer.caller, in: region))
        case .sts: return Answer(sts.answer(form, for: signer.caller, accessKey: signer.accessKey))
        case .ec2: return Answer(await ec2.answer(form, for: signer.caller, in: region))
        }
    }

    private func refusal(_ reason: RefusedRequest, _ service: Service, _ logged: String?) -> Answer {
        if [.ebs, .rbin, .dlm].contains(service) {
            var answer = Answer(service == .rbin ? bin.refusal(reason) : direct.refusal(reason))
            answer.logged = answer.logged ?? logged
            return answer
        }
        var answer = service == .sts ? sts.refusal(reason) : ec2.refusal(reason)
        answer.logged = answer.logged ?? logged
        return Answer(answer)
    }

    private static func reason(_ failure: SigningFailure) -> RefusedRequest {
        switch failure {
        case .missing: .notSigned
        case .malformed(let why): .malformed(why)
        case .wrongScope(let why): .malformed(why)
        case .skewed, .expired: .expired
        case .unknownKey: .unknownSigner
        case .wrongBody, .wrongSignature: .wrongSignature
        }
    }
}

extension Answer {
    /// What a client of the direct APIs gets.
    init(_ answer: DirectAnswer) {
        self.init(status: answer.status, type: answer.type, body: answer.body)
        logged = answer.logged
        headers = answer.headers
    }

    /// What a query protocol's clients get.
    init(_ answer: EC2Answer) {
        self.init(status: answer.status, type: "text/xml;charset=UTF-8", body: Array(answer.body.utf8))
        logged = answer.logged
        action = answer.action
        requestID = answer.requestID
        headers = [("Server", "AmazonEC2"), ("Cache-Control", "no-cache, no-store")]
    }
}
