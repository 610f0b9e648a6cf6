internal import ControlPlane

/// How volumes are, in Amazon's words.
enum VolumeStatusWords {
    /// `warning`: it works, and something of it cannot be fetched now.
    static func status(_ volume: VolumeView) -> String {
        switch volume.state {
        case .creating: "insufficient-data"
        case .error, .quarantined: "impaired"
        case .available, .inUse, .deleting: volume.reason == nil ? "ok" : "warning"
        }
    }

    /// Name and status of each check.
    static func details(_ volume: VolumeView) -> [(name: String, status: String)] {
        let works = volume.state != .error && volume.state != .quarantined
        var details = [
            ("io-enabled", works ? "passed" : "failed"), ("io-performance", performance(volume, works: works)),
        ]
        if volume.isInitialized {
            details.append(("initialization-state", volume.hydration.isComplete ? "completed" : "initializing"))
        }
        return details.map { (name: $0.0, status: $0.1) }
    }

    private static func performance(_ volume: VolumeView, works: Bool) -> String {
        guard volume.attachment != nil, ["io1", "io2", "gp3"].contains(volume.profile.kind) else {
            return "not-applicable"
        }
        if !works { return "stalled" }
        return volume.reason == nil ? "normal" : "degraded"
    }

    /// An item of `volumeStatusSet`.
    static func write(_ volume: VolumeView, _ call: EC2Call, into writer: inout XMLWriter) {
        writer.add("volumeId", volume.id)
        writer.add("availabilityZone", volume.zone)
        writer.add("availabilityZoneId", call.region.zone(volume.zone)?.id)
        writer.add("volumeStatus") { writer in
            writer.add("status", status(volume))
            writer.list("details", details(volume)) { writer, detail in
                writer.add("name", detail.name)
                writer.add("status", detail.status)
            }
        }
        writer.list("eventsSet", [String]()) { $0.add("eventId", $1) }
        writer.list("actionsSet", [String]()) { $0.add("code", $1) }
        writer.list("attachmentStatuses", volume.attachments.map(\.host)) { writer, host in
            writer.add("ioPerformance", performance(volume, works: status(volume) != "impaired"))
            writer.add("instanceId", host)
        }
        guard volume.isInitialized else { return }
        writer.add("initializationStatusDetails") { writer in
            writer.add("initializationType", initialization(volume))
            writer.add("progress", Int(volume.hydration.progress * 100))
            if volume.fillRate != nil {
                writer.add("estimatedTimeToCompleteInSeconds", volume.hydration.remainingSeconds ?? 0)
            }
        }
    }

    private static func initialization(_ volume: VolumeView) -> String {
        if volume.sourceVolumeId != nil { return "volume-copy" }
        return volume.fillRate != nil ? "provisioned-rate" : "default"
    }

    /// What a filter of DescribeVolumeStatus compares with.
    static func values(of filter: String, _ volume: VolumeView, _ call: EC2Call) -> [String] {
        switch filter {
        case "availability-zone": [volume.zone]
        case "availability-zone-id": call.region.zone(volume.zone).map { [$0.id] } ?? []
        case "operator.managed": ["false"]
        case "volume-status.details-name": details(volume).map(\.name)
        case "volume-status.details-status": details(volume).map(\.status)
        case "volume-status.status": [status(volume)]
        default: []
        }
    }

    static let filters: Set<String> = [
        "action.code", "action.description", "action.event-id", "availability-zone", "availability-zone-id",
        "event.description", "event.event-id", "event.event-type", "event.not-after", "event.not-before",
        "operator.managed", "operator.principal", "volume-status.details-name", "volume-status.details-status",
        "volume-status.status",
    ]
}

extension VolumeView {
    /// Does its content come from somewhere, so that there is a word on how much of it is here?
    fileprivate var isInitialized: Bool { originSnapshotId != nil || sourceVolumeId != nil }
}
