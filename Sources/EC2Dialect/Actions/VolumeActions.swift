internal import ControlPlane

extension EC2Dialect {
    static let volumeActions = [
        EC2Action(
            "CreateVolume", isChange: true,
            lacks: "VolumeInitializationRate is kept and told; volumes are filled as fast as store and disk let them",
            createVolume),
        EC2Action("DescribeVolumes", isChange: false, describeVolumes),
        EC2Action("DeleteVolume", isChange: true, deleteVolume),
    ]

    private static let createVolume: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        let plan = try NewVolumePlan(call)
        // Amazon looks at the snapshot before it says what a dry run would have come to.
        if let snapshot = plan.snapshot {
            do { _ = try await call.verbs.snapshots.find(snapshot) } catch let error as ServiceError {
                guard error.code == .missing || error.code == .invalid else { throw error }
                throw EC2Failure("InvalidSnapshot.NotFound", "Snapshot does not exist")
            }
        }
        try call.dryRun()
        let request = try await plan.request(call)
        let volume = try await make(request, call)
        return .elements { VolumeWords.write(volume, call, isDescribed: false, into: &$0) }
    }

    /// Makes a volume, or says in Amazon's words that its token made one that is gone.
    static func make(_ request: CreateVolume, _ call: EC2Call) async throws -> VolumeView {
        do { return try await call.verbs.volumes.create(request) } catch let error as ServiceError {
            if error.code == .wrongState, error.noun == .snapshot, case .snapshot(let id) = request.origin {
                let state = try await call.verbs.snapshots.find(id).state
                guard state == .completed else {
                    throw EC2Failure("IncorrectState", "Snapshot is in invalid state - \(state.rawValue)")
                }
            }
            guard error.code == .missing, error.noun == .token, let token = request.token?.text else { throw error }
            let made = error.message.split(separator: " ").first { $0.hasPrefix("vol-") } ?? ""
            throw EC2Failure(
                "IdempotentParameterMismatch",
                "The client token '\(token)' is associated with resource '\(made.filter { $0 != "," })' which has already been "
                    + "deleted. Please use a different client token.")
        }
    }

    private static let describeVolumes: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        try call.dryRun()
        let ids = call.parameters.list("VolumeId")
        for id in ids {
            guard !id.isEmpty else { throw EC2Failure.missing("volumes") }
            guard EC2Identifier.isForm(id, prefix: "vol-") else {
                throw EC2Failure.invalidValue("Value (\(id)) for parameter volumes is invalid. Expected: 'vol-...'.")
            }
        }
        let paging = try Paging(call, ids: ids.isEmpty ? nil : "volumeIdsSet")
        let filters = try Filters(call.parameters, known: VolumeWords.filters)
        var volumes = try await call.verbs.volumes.list().filter { $0.state != .deleting }.sorted { $0.id < $1.id }
        if !ids.isEmpty {
            let known = Set(volumes.map(\.id))
            if let unknown = ids.first(where: { !known.contains($0) }) { throw EC2Identifier.noVolume(unknown) }
            volumes = volumes.filter { ids.contains($0.id) }
        }
        volumes = try volumes.filter { volume in
            try filters.match(tags: Tag.all(volume.tags)) { VolumeWords.values(of: $0, volume, call) }
        }
        let page = paging.page(of: volumes, call) { $0.id }
        return .elements { writer in
            writer.list("volumeSet", page.items) { writer, volume in
                VolumeWords.write(volume, call, isDescribed: true, into: &writer)
            }
            writer.add("nextToken", page.next)
        }
    }

    private static let deleteVolume: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        guard let id = call.parameters["VolumeId"], EC2Identifier.isForm(id, prefix: "vol-") else {
            throw EC2Failure.invalidValue("The volume ID '\(call.parameters["VolumeId"] ?? "")' is malformed")
        }
        let volume = try await volume(id, call)
        try call.dryRun()
        if let attachment = volume.attachment {
            throw EC2Failure("VolumeInUse", "Volume \(id) is currently attached to \(attachment.host)")
        }
        try await call.verbs.volumes.delete(id)
        return .done
    }

    /// The caller's volume, or Amazon's words that there is none.
    static func volume(_ id: String, _ call: EC2Call) async throws -> VolumeView {
        do {
            let volume = try await call.verbs.volumes.show(id)
            // Deleted, and waiting for its snapshots to be uploaded.
            guard volume.state != .deleting else { throw EC2Identifier.noVolume(id) }
            return volume
        } catch let error as ServiceError {
            // An id of eight digits has the right form for Amazon, and nobody here has one.
            guard error.code == .missing || error.code == .invalid else { throw error }
            throw EC2Identifier.noVolume(id)
        }
    }
}

extension Tag {
    static func all(_ tags: [String: String]?) -> [Tag] { (tags ?? [:]).map { Tag(key: $0.key, value: $0.value) } }
}
