internal import ControlPlane

extension KingsoftFailure {
    /// What the control plane refused, in Kingsoft's words where an action has no better ones of its own.
    init(from error: any Error) {
        guard let error = error as? ServiceError else {
            self = .internalFault("\(error)")
            return
        }
        let text = KingsoftID.translated(error.message)
        switch (error.code, error.noun) {
        case _ where error.quota != nil: self.init(Self.code(of: error), text)
        case _ where error.rate != nil: self.init(.throttling, "Rate exceeded.")
        case (.forbidden, _): self = .denied
        case (.missing, .volume): self = .noVolume
        case (.missing, .snapshot): self = .noSnapshot
        case (.missing, .instance): self = .noInstance
        case (.missing, .image): self = .noImage
        case (.missing, .policy): self = .noPolicy
        case (.invalid, .token), (.missing, .token): self = .wrong("ClientToken", text)
        case (.missing, _), (.invalid, _): self.init(.invalidParameterValue, text)
        case (.unsupported, .volume): self.init(.volumeTypeNotSupportSnapshot, text)
        case (.unsupported, _): self.init(.unsupportedAction, text)
        case (.inUse, .snapshot): self.init(.snapshotCreatedImage, Self.usedByImage)
        case (.wrongState, .volume), (.inUse, .volume), (.wrongState, .attachment), (.inUse, .attachment),
            (.locked, .volume):
            self.init(.volumeStatusError, text)
        case (.wrongState, .instance), (.inUse, .instance), (.locked, .instance): self.init(.instanceStatusError, text)
        case (.wrongState, _), (.inUse, _), (.locked, _): self.init(.snapshotStatusError, text)
        case (.limitExceeded, .snapshot): self.init(.snapshotQuotaExceeded, text)
        case (.limitExceeded, .policy): self.init(.policyQuotaExceeded, text)
        case (.limitExceeded, _): self.init(.invalidParameterValue, text)
        case (.unavailable, _), (.noSpace, _):
            self.init(.serviceTimeout, "The service is busy. Please retry later.", status: 503)
        case (.corrupt, _), (.internalFault, _): self = .internalFault(error.description)
        }
        logged = error.description
    }

    static let usedByImage = "The snapshot has been used to create user defined image(s)."

    /// That a quota is reached.
    private static func code(of error: ServiceError) -> KingsoftCode {
        switch error.quota {
        case .pendingPerVolume, .pendingPerSlowVolume: .snapshotCreatingConflict
        case .snapshots, .pending, .copies, .fastRestores: .snapshotQuotaExceeded
        case .policies, .binRules: .policyQuotaExceeded
        case .gp2, .gp3, .io1, .io2, .st1, .sc1, .standardKind, .io1Operations, .io2Operations, nil:
            .invalidParameterValue
        }
    }

    // Clients key on these codes, so that none of them is in the answer of a Describe action.
    static let noVolume = KingsoftFailure(.volumeCanNotFoundError, "The volume can not be found.", status: 404)
    static let noSnapshot = KingsoftFailure(.snapshotCanNotFoundError, "The snapshot can not be found.", status: 404)
    static let noInstance = KingsoftFailure(.instanceCanNotFoundError, "The instance can not be found.", status: 404)
    static let noImage = KingsoftFailure(.imageCanNotFoundError, "The image can not be found.", status: 404)
    static let noPolicy = KingsoftFailure(
        .autoSnapshotPolicyCanNotFoundError, "The automatic snapshot policy can not be found.", status: 404)
}
