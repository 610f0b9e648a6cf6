internal import Blocks
internal import ControlPlane

extension EC2Failure {
    /// What the control plane refused, in Amazon's words where an action has no better ones of its own.
    init(from error: any Error) {
        guard let error = error as? ServiceError else {
            self = .unexpected("\(error)")
            return
        }
        if let quota = error.quota {
            self.init(quota, error.message)
            logged = error.description
            return
        }
        if let rate = error.rate {
            self.init(rate)
            logged = error.description
            return
        }
        switch (error.code, error.noun) {
        case (.forbidden, _): self = .unauthorized
        case (.locked, _): self.init("OperationNotPermitted", error.message)
        case (.missing, .volume): self.init("InvalidVolume.NotFound", error.message)
        case (.missing, .snapshot): self.init("InvalidSnapshot.NotFound", error.message)
        case (.invalid, .token):
            self.init(
                "IdempotentParameterMismatch",
                "Parameters on this idempotent request are inconsistent with parameters used in previous request(s).")
        case (.missing, .token): self.init("IdempotentParameterMismatch", error.message)
        case (.missing, .image): self.init("InvalidAMIID.NotFound", error.message)
        case (.wrongState, .image): self.init("InvalidAMIID.Unavailable", error.message)
        case (.inUse, .image): self.init("InvalidAMIName.Duplicate", error.message)
        case (.missing, .instance): self.init("InvalidInstanceID.NotFound", error.message)
        case (.missing, .attachment): self.init("InvalidAttachment.NotFound", error.message)
        case (.missing, _): self.init("InvalidParameterValue", error.message)
        case (.limitExceeded, .tag): self.init("TagLimitExceeded", error.message)
        case (.limitExceeded, .snapshot): self.init("ConcurrentSnapshotLimitExceeded", error.message)
        case (.limitExceeded, _): self.init("ResourceLimitExceeded", error.message)
        case (.invalid, _): self.init("InvalidParameterValue", error.message)
        case (.inUse, .volume): self.init("VolumeInUse", error.message)
        case (.inUse, .snapshot): self.init("InvalidSnapshot.InUse", error.message)
        case (.wrongState, _), (.inUse, _): self.init("IncorrectState", error.message)
        case (.noSpace, _): self.init("InsufficientVolumeCapacity", error.message, status: 500)
        case (.unavailable, _): self.init("Unavailable", error.message, status: 503)
        case (.unsupported, _): self.init("UnsupportedOperation", error.message)
        case (.corrupt, _), (.internalFault, _): self = .unexpected(error.description)
        }
        logged = error.description
    }

    /// That a quota is reached.
    private init(_ quota: Quota, _ message: String) {
        switch quota {
        case .snapshots:
            self.init("SnapshotLimitExceeded", "Maximum allowed active snapshot limit exceeded.")
        case .pending: self.init("PendingSnapshotLimitExceeded", message)
        case .pendingPerVolume, .pendingPerSlowVolume:
            self.init(
                "ConcurrentSnapshotLimitExceeded",
                "Maximum allowed in-progress snapshots for a single volume exceeded.")
        case .gp2, .gp3, .io1, .io2, .st1, .sc1, .standardKind: self.init("VolumeLimitExceeded", message)
        case .io1Operations, .io2Operations: self.init("MaxIOPSLimitExceeded", message)
        case .fastRestores: self.init("FastSnapshotRestoreLimitExceeded", message)
        case .copies, .policies, .binRules: self.init("ResourceLimitExceeded", message)
        }
    }

    /// That something was asked for too often.
    private init(_ exceeded: RateExceeded) {
        switch exceeded.rate {
        case .snapshots:
            self.init(
                "SnapshotCreationPerVolumeRateExceeded",
                "The maximum per volume CreateSnapshot request rate has been exceeded. Use an increasing or variable sleep "
                    + "interval between requests.")
        case .modifications:
            self.init(
                "VolumeModificationRateExceeded",
                "You've reached the maximum modification rate per volume limit. Wait until "
                    + "\(exceeded.until?.description ?? "later") before you can issue the next modification request for this "
                    + "volume.")
        case .account, .snapshot: self.init("RequestLimitExceeded", "Request limit exceeded.", status: 503)
        }
    }

    /// What was refused before it was read.
    init(_ reason: RefusedRequest) {
        switch reason {
        case .notSigned:
            self.init("MissingAuthenticationToken", "Request is missing Authentication Token", status: 403)
        case .malformed(let why):
            self.init("IncompleteSignature", why)
        case .unknownSigner, .wrongSignature: self = .authFailure
        case .expired:
            self.init("RequestExpired", "Request has expired.")
        case .tooLarge:
            self.init("RequestEntityTooLarge", "The request is larger than this service takes.", status: 413)
        case .endedEarly:
            self.init("MalformedQueryString", "The request ended too early.")
        case .throttled: self.init("RequestLimitExceeded", "Request limit exceeded.", status: 503)
        }
    }
}
