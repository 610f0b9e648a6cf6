internal import Blocks
internal import ControlPlane
internal import HTTPTypes
internal import RequestSigning

/// Checks who sent a request.
struct Authenticator: Sendable {
    private let house: House
    private let verifier: SigV4Verifier
    /// Nil: what is signed so is not signed at all.
    private let older: SigV2Verifier?
    private let clock = SystemClock()

    /// - Parameters:
    ///   - services: what requests may be signed for.
    ///   - unsignedUploads: those of which a PUT may have a body that is not signed.
    ///   - presignedFor: for how long a presigned request that does not say so is good; nil: it must say so.
    ///   - takesDate: may the time stand in `Date`?
    ///   - older: checks requests that are signed with Version 2, where those are known.
    init(
        _ house: House, services: Set<String>, unsignedUploads: Set<String> = [], skewMax: Duration = .seconds(300),
        takesPresigned: Bool = false, presignedFor: Duration? = nil, takesDate: Bool = false,
        older: SigV2Verifier? = nil
    ) {
        self.house = house
        self.older = older
        var verifier = SigV4Verifier(
            services: services, unsignedUploads: unsignedUploads, skewMax: skewMax,
            takesPresigned: takesPresigned)
        verifier.presignedFor = presignedFor
        verifier.takesDate = takesDate
        self.verifier = verifier
    }

    /// Whoever signed a request, and with which key.
    struct Signer: Sendable {
        let accessKey: String
        let caller: Caller
        /// The region that was signed for.
        let region: String
    }

    /// What is known of a sender before the body is read.
    enum Opening {
        /// The signature is right for the declared body, whose hash must still be compared.
        case proven(by: Signer, body: BodyHash)
        /// The signature is right, and says of the body only that it is not signed.
        case unsigned(by: Signer)
        /// Without the body nothing can be said.
        case undeclared
    }

    /// Looks at the head alone, so that strangers cannot make the server keep large bodies.
    func open(_ head: HTTPRequest) throws(SigningFailure) -> Opening {
        var request = Self.signable(head)
        if request.isBodyUnsigned { return .unsigned(by: try verify(request)) }
        guard let declared = request.declaredBodyHash else { return .undeclared }
        request.bodyHash = declared
        return .proven(by: try verify(request), body: declared)
    }

    /// Who signed the request with this body.
    func check(_ head: HTTPRequest, body: [UInt8], after opening: Opening) throws(SigningFailure) -> Signer {
        switch opening {
        case .proven(let signer, let declared):
            guard BodyHash(of: body) == declared else { throw .wrongBody }
            return signer
        case .unsigned(let signer): return signer
        case .undeclared:
            var request = Self.signable(head)
            if let older, Self.isOlder(request, body) { return try verify(request, body, older) }
            request.bodyHash = BodyHash(of: body)
            return try verify(request)
        }
    }

    /// Is the request signed with Version 2, in its query or its form, and not otherwise besides?
    private static func isOlder(_ request: SignableRequest, _ body: [UInt8]) -> Bool {
        SigV4Claim(of: request) == nil && !request.headers.contains { $0.name.lowercased() == "authorization" }
            && SigV2Claim.isMeant(by: [request.query, String(decoding: body, as: UTF8.self)])
    }

    /// Version 2 signs no region: it is for the first one.
    private func verify(
        _ request: SignableRequest, _ body: [UInt8], _ older: SigV2Verifier
    ) throws(SigningFailure) -> Signer {
        var caller: Caller?
        let form = String(decoding: body, as: UTF8.self)
        let claim = try older.verify(request, form: form, now: clock.now()) { id in
            let holder = house.holder(of: id)
            caller = holder?.caller
            return holder?.secret
        }
        guard let caller else { preconditionFailure("a signature was right, and nobody's") }
        return Signer(accessKey: claim.accessKeyID, caller: caller, region: house.region.name)
    }

    private func verify(_ request: SignableRequest) throws(SigningFailure) -> Signer {
        var caller: Caller?
        let claim = try verifier.verify(request, now: clock.now()) { id in
            let holder = house.holder(of: id)
            caller = holder?.caller
            return holder?.secret
        }
        guard let caller else { preconditionFailure("a signature was right, and nobody's") }
        return Signer(accessKey: claim.accessKeyID, caller: caller, region: claim.scope.region)
    }

    /// The request as a signature sees it, but for its body.
    static func signable(_ head: HTTPRequest) -> SignableRequest {
        var headers = head.headerFields.map { SignableRequest.Header($0.name.canonicalName, $0.value) }
        if let host = head.authority { headers.append(.init("host", host)) }
        return SignableRequest(
            method: head.method.rawValue, target: head.path ?? "/", headers: headers, bodyHash: .empty)
    }
}
