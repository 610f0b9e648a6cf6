internal import Blocks
internal import ControlPlane

extension ECSDialect {
    static let diskActions = [
        ECSAction(
            "CreateDisk", isChange: true,
            lacks: "bursting and provisioned IOPS are ignored", createDisk),
        ECSAction(
            "DescribeDisks", isChange: false,
            lacks: "of several policies of a disk AutoSnapshotPolicyId names the first", describeDisks),
        ECSAction("DeleteDisk", isChange: true, deleteDisk),
    ]

    // MARK: CreateDisk

    private static let createDisk: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let parameters = call.parameters
        let host = try await parameters["InstanceId"] == nil ? nil : call.instance()
        let zone = try zone(parameters, host, call)
        let snapshot = try await parameters["SnapshotId"] == nil ? nil : call.snapshot()
        let asked = try parameters.number("Size")
        guard asked != nil || snapshot != nil else {
            throw ECSFailure(
                400, "MissingParameter", "The input parameter either \"SnapshotId\" or \"Size\" should be specified.")
        }
        let category = try DiskCategory(parameters)
        let least = snapshot.map { Gibibytes.of($0.volumeSizeBytes) } ?? 0
        let size = max(asked ?? least, least)
        // Disks of other clouds may be smaller than any here: what is made of them may be so too.
        let isRaised = asked == nil || asked ?? 0 < least
        guard let kind = category.kind, kind.gibibytes.contains(size) || isRaised && size <= kind.gibibytes.upperBound
        else {
            throw ECSFailure(
                400, "InvalidSize.ValueNotSupported", "The specified parameter Size is not valid.")
        }
        let origin = snapshot.map { CreateVolume.Origin.snapshot($0.id) } ?? .empty
        var request = CreateVolume(
            size: .gibibytes(max(size, kind.gibibytes.lowerBound)), origin: origin)
        request.name = try Names.name("DiskName", parameters, orElse: .diskName)
        request.description = try Names.description(parameters, status: 400)
        request.tags = try Tags.read(parameters)
        request.resourceGroup = try ResourceGroups.wanted(call)
        request.zone = zone
        request.profile = VolumeProfile(kind: kind.name)
        request.isShared = try isShared(parameters, kind)
        if try parameters.flag("Encrypted") == true {
            request.encryption = VolumeEncryption(key: parameters["KMSKeyId"])
        }
        request.token = try token(call)
        try snapshot.map(checkUsable)
        try call.dryRun()
        let made = try await call.verbs.volumes.create(request)
        if let host, made.attachment == nil {
            do { _ = try await attach(made.id, to: host, as: nil, call) } catch {
                // What is refused leaves nothing behind.
                try? await call.verbs.volumes.delete(made.id)
                throw error
            }
        }
        return .of { $0.add("DiskId", ECSID.name(made.id, .disk)) }
    }

    /// May several instances have it at a time, where its category lets them?
    private static func isShared(_ parameters: ECSParameters, _ kind: VolumeKind) throws(ECSFailure) -> Bool {
        switch parameters["MultiAttach"] {
        case nil, "Disabled": return false
        case "Enabled" where kind.mayBeShared: return true
        default: throw .parameter("MultiAttach")
        }
    }

    /// Can disks be made of it?
    static func checkUsable(_ snapshot: SnapshotView) throws(ECSFailure) {
        guard SnapshotWords.isAvailable(snapshot) else { throw .notReady }
        guard snapshot.tier?.isArchived != true else {
            throw ECSFailure(
                403, "OperationDenied.SnapshotNotAllowed", "The specified snapshot is not allowed to create disk.")
        }
    }

    private static func zone(
        _ parameters: ECSParameters, _ host: InstanceView?, _ call: ECSCall
    ) throws(ECSFailure) -> String {
        if let host { return host.zone }
        let name = try parameters.needed("ZoneId")
        guard let zone = call.region.zone(name), zone.name == name else {
            throw ECSFailure(404, "InvalidZoneId.NotFound", "The specified zone does not exist.")
        }
        return zone.name
    }

    /// What a client sends so that its request is done once; nil without.
    static func token(_ call: ECSCall) throws(ECSFailure) -> RequestToken? {
        guard let text = call.parameters["ClientToken"] else { return nil }
        guard text.utf8.count <= 64, text.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw ECSFailure(
                403, "InvalidClientToken.Malformed",
                "The specified clientToken is improperly formatted. It must contain only ASCII characters and must not exceed "
                    + "64 characters in length.")
        }
        // Which action it is the one way of signing says among the parameters, the other does not.
        let rest = call.parameters.fingerprint(without: ["ClientToken", "DryRun", "Action"])
        return RequestToken(text, fingerprint: "\(call.action) \(rest)")
    }

    // MARK: DescribeDisks

    private static let describeDisks: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let filter = try DiskFilter(call.parameters)
        let group = try ResourceGroups.filter(call)
        if let zone = call.parameters["ZoneId"], call.region.zone(zone)?.name != zone {
            throw ECSFailure(400, "InvalidZoneId.NotFound", "The zoneId provided does not exist in our records.")
        }
        let pages = try ECSPages(call, maximum: 500)
        try call.dryRun()
        var policies: [String: [String]] = [:]
        for policy in try await ECSDialect.policies(call) {
            guard let id = ECSID.name(policy.view.id, .policy) else { continue }
            for volume in policy.volumes { policies[volume, default: []].append(id) }
        }
        let groups = try await ResourceGroups(call), wishes = try await call.verbs.volumes.wishes()
        let disks = try await call.verbs.volumes.list().filter {
            $0.state != .deleting && filter.takes($0, policies[$0.id] ?? [], wishes[$0.id] ?? VolumeWishes())
                && (group == nil || groups.name(of: $0.id) == group)
        }
        let page = pages.page(of: disks, call) { ($0.createdAt, $0.id) }
        return .of { fields in
            page.write(into: &fields)
            fields.add(
                "Disks", listOf: "Disk",
                page.items.map {
                    DiskWords.write(
                        $0, under: policies[$0.id] ?? [], in: groups.name(of: $0.id), wishes[$0.id] ?? VolumeWishes(),
                        call)
                })
        }
    }

    private static let deleteDisk: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let volume = try await call.disk()
        let attached = ECSFailure(403, "DiskStillAttached", "The disk is still attached to the disk.")
        guard volume.attachment == nil else { throw attached }
        guard volume.pendingSnapshotIds.isEmpty else { throw ECSFailure.creating }
        do { try await call.verbs.volumes.delete(volume.id) } catch let error as ServiceError {
            guard error.code == .inUse, error.noun == .volume else { throw error }
            throw attached
        }
        return ECSFields()
    }
}
