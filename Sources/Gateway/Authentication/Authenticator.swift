internal import Blocks
internal import ControlPlane
internal import HTTPTypes
internal import RequestSigning

/// Checks who sent a request. So far one key: the administrator's.
struct Authenticator: Sendable {
    private let key: RootCredentials
    private let verifier = SigV4Verifier(services: ["varve"])
    private let clock = SystemClock()

    init(key: RootCredentials) {
        self.key = key
    }

    /// What is known of a sender before the body is read.
    enum Opening {
        /// The signature is right for the declared body, whose hash must still be compared.
        case proven(by: String, body: BodyHash)
        /// Without the body nothing can be said.
        case undeclared
    }

    /// Looks at the head alone, so that strangers cannot make the server keep large bodies.
    func open(_ head: HTTPRequest) throws(SigningFailure) -> Opening {
        var request = Self.signable(head)
        guard let declared = request.declaredBodyHash else { return .undeclared }
        request.bodyHash = declared
        return .proven(by: try verify(request), body: declared)
    }

    /// The access key that signed the request with this body.
    func check(_ head: HTTPRequest, body: [UInt8], after opening: Opening) throws(SigningFailure) -> String {
        switch opening {
        case .proven(let caller, let declared):
            guard BodyHash(of: body) == declared else { throw .wrongBody }
            return caller
        case .undeclared:
            var request = Self.signable(head)
            request.bodyHash = BodyHash(of: body)
            return try verify(request)
        }
    }

    private func verify(_ request: SignableRequest) throws(SigningFailure) -> String {
        let claim = try verifier.verify(request, now: clock.now()) { id in
            id == key.accessKeyID ? key.secretAccessKey : nil
        }
        return claim.accessKeyID
    }

    private static func signable(_ head: HTTPRequest) -> SignableRequest {
        var headers = head.headerFields.map { SignableRequest.Header($0.name.canonicalName, $0.value) }
        if let host = head.authority { headers.append(.init("host", host)) }
        return SignableRequest(
            method: head.method.rawValue, target: head.path ?? "/", headers: headers, bodyHash: .empty)
    }
}
