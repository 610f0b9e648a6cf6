public import ControlPlane

/// Amazon's STS, as far as clients need it to learn who they are.
public struct STSDialect: Sendable {
    private static let namespace = "https://sts.amazonaws.com/doc/2011-06-15/"
    private let ids: @Sendable () -> String

    private let rootKey: String

    /// - Parameter ids: makes request ids; UUIDs in service.
    public init(_ house: House, ids: @escaping @Sendable () -> String) {
        self.ids = ids
        rootKey = house.rootCredentials.accessKeyID
    }

    /// Does what the request asks, in the name of `caller`, who signed with `accessKey`. Never throws.
    public func answer(_ request: EC2Request, for caller: Caller, accessKey: String) -> EC2Answer {
        let id = ids()
        do throws(EC2Failure) {
            let parameters = try RequestParameters(request.sources)
            guard parameters["Action"] == "GetCallerIdentity" else {
                throw EC2Failure(
                    "InvalidAction", "Could not find operation \(parameters["Action"] ?? "") for version 2011-06-15")
            }
            let isRoot = accessKey == rootKey
            let arn = "arn:aws:iam::\(caller.account):\(isRoot ? "root" : "user/\(caller.principal)")"
            let text = XMLWriter.document("GetCallerIdentityResponse", namespace: Self.namespace) { writer in
                writer.add("GetCallerIdentityResult") { writer in
                    writer.add("Arn", arn)
                    writer.add("UserId", isRoot ? caller.account : accessKey)
                    writer.add("Account", caller.account)
                }
                writer.add("ResponseMetadata") { $0.add("RequestId", id) }
            }
            return EC2Answer(status: 200, body: text, requestID: id)
        } catch {
            return Self.refusal(error, id)
        }
    }

    /// For requests that are refused before anyone knows what they ask.
    public func refusal(_ reason: RefusedRequest) -> EC2Answer {
        let failure =
            switch reason {
            case .unknownSigner:
                EC2Failure("InvalidClientTokenId", "The security token included in the request is invalid", status: 403)
            case .wrongSignature:
                EC2Failure(
                    "SignatureDoesNotMatch",
                    "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                        + "Access Key and signing method. Consult the service documentation for details.", status: 403)
            default: EC2Failure(reason)
            }
        return Self.refusal(failure, ids())
    }

    private static func refusal(_ failure: EC2Failure, _ id: String) -> EC2Answer {
        let text = XMLWriter.document("ErrorResponse", namespace: namespace) { writer in
            writer.add("Error") { writer in
                writer.add("Type", "Sender")
                writer.add("Code", failure.code)
                writer.add("Message", failure.message)
            }
            writer.add("RequestId", id)
        }
        return EC2Answer(status: failure.status, body: text, requestID: id, logged: failure.logged)
    }
}
