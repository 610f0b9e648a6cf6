internal import Blocks
internal import ControlPlane

extension ECSDialect {
    static let diskChangeActions = [
        ECSAction("ResizeDisk", isChange: true, resizeDisk),
        ECSAction(
            "ModifyDiskAttribute", isChange: true,
            lacks: "BurstingEnabled is ignored",
            modifyDiskAttribute),
    ]

    private static let resizeDisk: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let volume = try await call.disk()
        _ = try call.parameters.needed("NewSize")
        let token = try token(call)
        if let token, try await call.verbs.volumes.isModified(by: token) { return ECSFields() }
        let asked = try call.parameters.number("NewSize") ?? 0
        guard volume.state == .available || volume.state == .inUse else { throw ECSFailure.diskStatus }
        guard volume.pendingSnapshotIds.isEmpty else { throw ECSFailure.creating }
        let present = Gibibytes.of(volume.sizeBytes)
        guard asked >= present else {
            throw ECSFailure(
                403, "InvalidDiskSize.TooSmall", "Specified new disk size is less than the original disk size.")
        }
        guard asked > present else {
            throw ECSFailure(
                403, "InvalidDiskSize", "Specified new disk size is less than or equal the original disk size.")
        }
        let most = DiskCategory(of: volume).kind?.gibibytes.upperBound ?? 65_536
        guard asked <= most else {
            throw ECSFailure(
                403, "InvalidDiskSize.TooLarge", "Specified new disk size is beyond the permitted range.")
        }
        try call.dryRun()
        var change = ModifyVolume(size: .gibibytes(asked))
        change.token = token
        _ = try await call.verbs.volumes.modify(volume.id, change)
        return ECSFields()
    }

    private static let modifyDiskAttribute: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let parameters = call.parameters
        var names = parameters.list("DiskIds")
        if names.isEmpty { names = [try parameters.needed("DiskId")] }
        guard names.count <= 100 else {
            throw ECSFailure(403, "InvalidDiskIds.Malformed", "The amount of specified disk Ids exceeds the limit.")
        }
        let labels = VolumeLabels(
            name: try Names.name("DiskName", parameters, orElse: .diskName),
            description: try Names.description(parameters))
        let goes = try parameters.flag("DeleteWithInstance"), takes = try parameters.flag("DeleteAutoSnapshot")
        let isEnabled = try parameters.flag("EnableAutoSnapshot")
        let hasWishes = [goes, takes, isEnabled].contains { $0 != nil }
        guard labels != VolumeLabels() || hasWishes || parameters["BurstingEnabled"] != nil else {
            throw ECSFailure.nothingToModify
        }
        var volumes: [VolumeView] = []
        for id in names { volumes.append(try await call.disk(named: id)) }
        for volume in volumes {
            if labels != VolumeLabels() { _ = try await call.verbs.volumes.label(volume.id, labels) }
            guard hasWishes else { continue }
            try await call.verbs.volumes.wish(of: volume.id) { wishes in
                if let goes { wishes.goesWithInstance = goes }
                if let takes { wishes.takesPolicySnapshots = takes }
                if let isEnabled { wishes.skipsPolicies = !isEnabled }
            }
        }
        return ECSFields()
    }
}
