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

    /// The access key that signed the request, or why it is not believed.
    func check(_ head: HTTPRequest, body: [UInt8]) -> Result<String, SigningFailure> {
        var headers = head.headerFields.map { SignableRequest.Header($0.name.canonicalName, $0.value) }
        if let host = head.authority { headers.append(.init("host", host)) }
        let request = SignableRequest(
            method: head.method.rawValue, target: head.path ?? "/", headers: headers, bodyHash: BodyHash(of: body))
        do throws(SigningFailure) {
            let claim = try verifier.verify(request, now: clock.now()) { id in
                id == key.accessKeyID ? key.secretAccessKey : nil
            }
            return .success(claim.accessKeyID)
        } catch {
            return .failure(error)
        }
    }
}
