internal import ControlPlane

extension EC2Dialect {
    static let copyActions = [
        EC2Action(
            "CopySnapshot", isChange: true,
            lacks: "CompletionDurationMinutes is checked and not kept: every copy is made as fast as it can",
            copySnapshot)
    ]

    private static let copySnapshot: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        let plan = try CopyPlan(call)
        try call.dryRun()
        try plan.refuseOutposts()
        do {
            let made = try await call.verbs.snapshots.copy(plan.request)
            return .elements { writer in
                writer.add("snapshotId", made.id)
                writer.add(tags: made.tags, evenIfEmpty: true)
            }
        } catch let error as ServiceError {
            switch (error.code, error.noun) {
            case (.limitExceeded, .snapshot) where error.quota == .copies:
                let limit = try await call.verbs.quotas.list().first { $0.quota == .copies }?.value ?? 0
                throw EC2Failure(
                    "ResourceLimitExceeded",
                    "Too many snapshot copies in progress. The limit is \(limit) for this destination region.")
            case (.invalid, .store):
                throw EC2Failure.invalidValue("The specified keyId \(plan.request.encryption?.key ?? "") is invalid")
            default: throw error
            }
        }
    }
}

/// What CopySnapshot asks for, checked in the order and with the words of Amazon: ids, regions, time, tags.
struct CopyPlan {
    let request: CopySnapshot
    private let isLocal: Bool

    init(_ call: EC2Call) throws(EC2Failure) {
        let parameters = call.parameters
        guard let id = parameters["SourceSnapshotId"], !id.isEmpty else { throw .missing("sourceSnapshotId") }
        guard EC2Identifier.isForm(id, prefix: "snap-") else {
            throw .invalidValue("The specified snapshotId is invalid")
        }
        guard let source = parameters["SourceRegion"], !source.isEmpty else { throw .missing("sourceRegion") }
        guard call.regions.contains(where: { $0.name == source }) else {
            throw EC2Failure("InvalidRegion", "\(source) is not a valid region name.")
        }
        if let target = parameters["DestinationRegion"], !target.isEmpty, target != call.region.name {
            throw .invalidValue(
                "DestinationRegion '\(target)' does not match the current region (\(call.region.name))")
        }
        if let url = parameters["PresignedUrl"], !url.isEmpty { try Self.check(url, source: id, call) }
        if let minutes = try parameters.number("CompletionDurationMinutes"),
            !(15...2880).contains(minutes) || !minutes.isMultiple(of: 15)
        {
            throw .invalidValue(
                "'\(minutes)' is not a valid value for completion duration. Specify a value between 15 and 2880 minutes, "
                    + "in 15 minute increments only")
        }
        var request = CopySnapshot(id, from: source, description: try EC2Dialect.description(call))
        request.tags = try TagSpecifications.read(call, for: "snapshot")
        request.needsSource = false
        let key = parameters["KmsKeyId"].flatMap { $0.isEmpty ? nil : $0 }
        let isEncrypted = try parameters.flag("Encrypted") ?? false
        guard key == nil || isEncrypted else {
            throw EC2Failure(
                "InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set.")
        }
        if isEncrypted { request.encryption = VolumeEncryption(key: key) }
        self.request = request
        isLocal = ["DestinationOutpostArn", "DestinationAvailabilityZone"].contains { parameters.has($0) }
    }

    /// Copies into Outposts and Local Zones are not here.
    func refuseOutposts() throws(EC2Failure) {
        guard !isLocal else {
            throw EC2Failure("UnsupportedOperation", "Outposts and Local Zones are not supported.")
        }
    }

    /// What SDKs add for a region that cannot ask another: it is never fetched, but must not say something else.
    private static func check(_ url: String, source: String, _ call: EC2Call) throws(EC2Failure) {
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw .invalidValue("The protocol in PresignedUrl should be http or https")
        }
        let query = url.prefix { $0 != "#" }.drop { $0 != "?" }.dropFirst()
        let parameters = try RequestParameters([String(query)])
        if let asked = parameters["SourceSnapshotId"], asked != source {
            throw .invalidValue(
                "The source snapshot specified in PresignedUrl '\(asked)' does not match the source snapshot in the "
                    + "request: '\(source)'")
        }
        if let asked = parameters["DestinationRegion"], asked != call.region.name {
            throw .invalidValue("The destination region specified in PresignedUrl: '\(asked)' is incorrect")
        }
    }
}
