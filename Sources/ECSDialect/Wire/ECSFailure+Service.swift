internal import ControlPlane
internal import RequestSigning

extension ECSFailure {
    /// What the control plane refused, in Alibaba's words where an action has no better ones of its own.
    init(from error: any Error) {
        if let failure = error as? ECSFailure {
            self = failure
            return
        }
        guard let error = error as? ServiceError else {
            self = .unexpected("\(error)")
            return
        }
        self = Self.words(for: error)
        logged = error.description
    }

    private static func words(for error: ServiceError) -> ECSFailure {
        if error.rate != nil { return .throttled }
        let message = ECSID.inWords(error.message)
        if let quota = error.quota { return words(for: quota, message) }
        switch (error.code, error.noun) {
        case (.forbidden, _): return .forbidden
        case (.missing, .volume): return .noDisk
        case (.missing, .snapshot): return .noSnapshot
        case (.missing, .instance): return .noInstance
        case (.invalid, .token), (.missing, .token):
            return ECSFailure(403, "IdempotentParameterMismatch", "The specified clientToken is used.")
        case (.locked, .snapshot):
            return ECSFailure(403, "InvalidOperation.SnapshotIsLocked", message)
        case (.inUse, .snapshot):
            return ECSFailure(
                403, "SnapshotCreatedImage", "The snapshot has been used to create user defined image(s).")
        case (.wrongState, .snapshot): return .notReady
        case (.wrongState, .volume), (.inUse, .volume): return .diskStatus
        case (.wrongState, .instance): return .instanceStatus()
        case (.limitExceeded, .tag): return .tooManyTags
        case (.limitExceeded, .snapshot):
            return ECSFailure(403, "QuotaExceed.ConcurrentSnapshotQuota", message)
        case (.missing, _): return ECSFailure(404, "InvalidResource.NotFound", message)
        case (.invalid, _): return ECSFailure(400, "InvalidParameter", message)
        case (.locked, _), (.wrongState, _), (.inUse, _), (.limitExceeded, _):
            return ECSFailure(403, "OperationDenied", message)
        case (.noSpace, _): return ECSFailure(403, "OperationDenied.NoStock", message)
        case (.unavailable, _):
            return ECSFailure(
                503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server.")
        case (.unsupported, _):
            return ECSFailure(
                400, "DiskCategory.OperationNotSupported",
                "The operation is not supported to the specified disk due to its disk category.")
        case (.corrupt, _), (.internalFault, _): return .unexpected(error.description)
        }
    }

    private static func words(for quota: Quota, _ message: String) -> ECSFailure {
        switch quota {
        case .snapshots: .tooManySnapshots
        case .pending, .pendingPerVolume, .pendingPerSlowVolume:
            ECSFailure(403, "QuotaExceed.ConcurrentSnapshotQuota", message)
        case .policies:
            ECSFailure(
                403, "AutoSnapshotPolicy.QuotaExceed",
                "The maximum number of automatic snapshot policy has been reached.")
        default: ECSFailure(403, "QuotaExceed", message)
        }
    }

    /// Why a request was not believed.
    init(_ failure: ACSFailure) {
        switch failure {
        case .missing(let name): self.init(400, "Missing\(name)", "\(name) is mandatory for this action.")
        case .incomplete:
            self.init(
                400, "IncompleteSignature", "The request signature does not conform to Aliyun standards.")
        case .unknownKey:
            self.init(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        case .foreignToken:
            self.init(400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.")
        case .badTime:
            self.init(400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.")
        case .expired:
            self.init(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
        case .wrongSignature(let text):
            self.init(
                400, "SignatureDoesNotMatch",
                "Specified signature is not matched with our calculation. server string to sign is:\(text)")
        case .usedNonce:
            self.init(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
        case .tooMany: self = .throttled
        case .unreadable(let why): self.init(400, "InvalidParameter", why)
        }
    }
}
