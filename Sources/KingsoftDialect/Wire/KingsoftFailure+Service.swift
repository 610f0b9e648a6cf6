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
        case _ where error.rate != nil: self.init("Throttling", "Rate exceeded.")
        case (.forbidden, _): self = .denied
        case (.missing, .volume): self = .noVolume
        case (.missing, .snapshot): self = .noSnapshot
        case (.missing, .instance): self = .noInstance
        case (.missing, .image): self = .noImage
        case (.missing, .policy): self = .noPolicy
        case (.invalid, .token), (.missing, .token): self = .wrong("ClientToken", text)
        case (.missing, _), (.invalid, _): self.init("InvalidParameterValue", text)
        case (.unsupported, .volume): self.init("VolumeTypeNotSupportSnapshot", text)
        case (.unsupported, _): self.init("UnsupportedAction", text)
        case (.inUse, .snapshot): self.init("SnapshotCreatedImage", Self.usedByImage)
        case (.wrongState, .volume), (.inUse, .volume), (.wrongState, .attachment), (.inUse, .attachment),
            (.locked, .volume):
            self.init("VolumeStatusError", text)
        case (.wrongState, .instance), (.inUse, .instance), (.locked, .instance): self.init("InstanceStatusError", text)
        case (.wrongState, _), (.inUse, _), (.locked, _): self.init("SnapshotStatusError", text)
        case (.limitExceeded, .snapshot): self.init("SnapshotQuotaExceeded", text)
        case (.limitExceeded, .policy): self.init("PolicyQuotaExceeded", text)
        case (.limitExceeded, _): self.init("InvalidParameterValue", text)
        case (.unavailable, _), (.noSpace, _):
            self.init("ServiceTimeout", "The service is busy. Please retry later.", status: 503)
        case (.corrupt, _), (.internalFault, _): self = .internalFault(error.description)
        }
        logged = error.description
    }

    static let usedByImage = "The snapshot has been used to create user defined image(s)."

    /// That a quota is reached.
    private static func code(of error: ServiceError) -> String {
        switch error.quota {
        case .pendingPerVolume, .pendingPerSlowVolume: "SnapshotCreatingConflict"
        case .snapshots, .pending, .copies, .fastRestores: "SnapshotQuotaExceeded"
        case .policies, .binRules: "PolicyQuotaExceeded"
        case .gp2, .gp3, .io1, .io2, .st1, .sc1, .standardKind, .io1Operations, .io2Operations, nil:
            "InvalidParameterValue"
        }
    }

    // Clients key on these codes, so that none of them is in the answer of a Describe action.
    static let noVolume = KingsoftFailure("VolumeCanNotFoundError", "The volume can not be found.", status: 404)
    static let noSnapshot = KingsoftFailure("SnapshotCanNotFoundError", "The snapshot can not be found.", status: 404)
    static let noInstance = KingsoftFailure("InstanceCanNotFoundError", "The instance can not be found.", status: 404)
    static let noImage = KingsoftFailure("ImageCanNotFoundError", "The image can not be found.", status: 404)
    static let noPolicy = KingsoftFailure(
        "AutoSnapshotPolicyCanNotFoundError", "The automatic snapshot policy can not be found.", status: 404)
}
