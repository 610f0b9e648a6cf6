internal import Blocks
internal import ControlPlane

extension ECSDialect {
    static let snapshotActions = [
        ECSAction("CreateSnapshot", isChange: true, createSnapshot),
        ECSAction("DescribeSnapshots", isChange: false, lacks: "SnapshotSN", describeSnapshots),
        ECSAction("DeleteSnapshot", isChange: true, deleteSnapshot),
        ECSAction(
            "ModifySnapshotAttribute", isChange: true, modifySnapshotAttribute),
    ]

    // MARK: CreateSnapshot

    private static let createSnapshot: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let parameters = call.parameters
        let missing = ECSFailure(404, "InvalidDiskId.NotFound", "The specified DiskId does not exist.")
        let volume = try await call.disk(orElse: missing)
        var request = CreateSnapshot(volume: volume.id)
        request.name = try Names.snapshotName(parameters)
        request.description = try Names.description(parameters)
        request.tags = try Tags.read(parameters)
        request.resourceGroup = try ResourceGroups.wanted(call)
        request.release = try retention(parameters).map { .days($0) }
        request.token = try token(call)
        try checkKind(parameters)
        guard volume.state == .available || volume.state == .inUse else { throw ECSFailure.diskStatus }
        let most = pendingMax(volume)
        request.terms = terms(of: [volume])
        guard volume.wasAttached else { throw neverAttached }
        if try parameters.flag("DryRun") == true, volume.pendingSnapshotIds.count >= most {
            throw tooManyPending(volume)
        }
        try call.dryRun()
        do {
            let made = try await call.verbs.snapshots.create(request)
            return .of { $0.add("SnapshotId", ECSID.name(made.id, .snapshot)) }
        } catch let error as ServiceError {
            if error.rate != nil { throw ECSFailure.snapshotsThrottled }
            if error.code == .wrongState, error.noun == .attachment { throw neverAttached }
            guard error.code == .limitExceeded else { throw error }
            switch error.quota {
            case nil, .pendingPerVolume, .pendingPerSlowVolume: throw tooManyPending(volume)
            default: throw error
            }
        }
    }

    static let neverAttached = ECSFailure(
        403, "IncorrectDiskStatus.NeverAttached", "The specified disk has never been attached to any instance.")

    /// What this cloud asks of disks before it takes a snapshot of each.
    static func terms(of volumes: [VolumeView]) -> SnapshotTerms {
        var terms = SnapshotTerms()
        terms.pendingMax = volumes.map { pendingMax($0) }.min()
        terms.keptMax = 2000
        terms.mustHaveBeenAttached = true
        return terms
    }

    /// Snapshots of one disk that may be under way at once.
    static func pendingMax(_ volume: VolumeView) -> Int { DiskCategory(of: volume).isESSDFamily ? 10 : 1 }

    static func tooManyPending(_ volume: VolumeView) -> ECSFailure {
        let most = pendingMax(volume)
        guard most > 1 else {
            return ECSFailure(
                403, "IncorrectDiskStatus.CreatingSnapshot", "A previous snapshot creation is in process.")
        }
        return ECSFailure(
            403, "QuotaExceed.ConcurrentSnapshotQuota",
            "The number of snapshots being created for the disk \(ECSID.name(volume.id, .disk) ?? "") has exceeded the "
                + "concurrent quota (\(most)). Please wait for the previous snapshots to complete before trying again.")
    }

    /// Days that a snapshot is kept for; nil: for ever.
    static func retention(_ parameters: ECSParameters) throws(ECSFailure) -> Int? {
        guard let text = parameters["RetentionDays"] else { return nil }
        guard let days = Int(text), SnapshotRelease.daysAllowed.contains(days) else { throw .days }
        return days
    }

    /// Every disk has instant access here, whatever is asked for.
    private static func checkKind(_ parameters: ECSParameters) throws(ECSFailure) {
        let category = parameters["Category"]
        if let category, !["standard", "flash"].contains(category.lowercased()) {
            throw ECSFailure(403, "InvalidSnapshotCategory.Malformed", "The specified Category is not valid.")
        }
        let isInstant = try parameters.flag("InstantAccess")
        if category != nil, isInstant == true {
            throw ECSFailure(
                403, "InvalidCategoryAndInstantAccess.Malformed",
                "The snapshot Category and InstantAccess can't be used together.")
        }
        if let text = parameters["InstantAccessRetentionDays"] {
            guard let days = Int(text), (1...65_535).contains(days) else {
                throw ECSFailure(
                    403, "InvalidInstantAccessRetentionDays.Malformed",
                    "The specified InstantAccessRetentionDays is not valid.")
            }
        }
    }

    // MARK: DescribeSnapshots

    private static let describeSnapshots: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let filter = try await SnapshotFilter(call)
        let pages = try ECSPages(call)
        try call.dryRun()
        let use = try await SnapshotUse(call)
        var selection = SnapshotSelection()
        selection.ids = filter.ids
        selection.volumes = filter.volumes
        selection.owners = [call.caller.account]
        let found = try await call.verbs.snapshots.all(selection)
        let page = pages.page(of: found.filter { filter.takes($0, use) }, call) { ($0.createdAt, $0.id) }
        return .of { fields in
            page.write(into: &fields)
            fields.add("Snapshots", listOf: "Snapshot", page.items.map { SnapshotWords.write($0, use, call) })
        }
    }

    // MARK: Changes

    private static let deleteSnapshot: @Sendable (ECSCall) async throws -> ECSFields = { call in
        guard call.parameters["SnapshotId"] != nil else {
            throw ECSFailure(
                400, "MissingParameter",
                "The input parameter SnapshotId that is mandatory for processing this request is not supplied.")
        }
        let missing = ECSFailure(404, "InvalidSnapshotId.NotFound", "The specified snapshot is not found.")
        let snapshot: SnapshotView
        do { snapshot = try await call.snapshot(orElse: missing) } catch let failure as ECSFailure {
            // What was this account's and is deleted stays so: once more changes nothing.
            guard failure == missing, try await isDeleted(call) else { throw failure }
            return ECSFields()
        }
        guard snapshot.ownerId == call.caller.account else { throw missing }
        if try call.parameters.flag("Force") != true, try await SnapshotUse(call).disks.contains(snapshot.id) {
            throw ECSFailure(403, "SnapshotCreatedDisk", "The snapshot has been used to create disk(s).")
        }
        try await delete(snapshot, call)
        return ECSFields()
    }

    private static func isDeleted(_ call: ECSCall) async throws -> Bool {
        guard let id = call.parameters["SnapshotId"].flatMap({ ECSID.native($0, .snapshot) }) else { return false }
        return try await call.verbs.snapshots.isDeleted(id)
    }

    /// What others may use is not deleted under them at this cloud.
    static func delete(_ snapshot: SnapshotView, _ call: ECSCall) async throws {
        if let sharing = snapshot.sharing, !sharing.accounts.isEmpty || sharing.isPublic {
            throw ECSFailure(
                403, "InvalidOperation.DeleteSharedSnapshotUnsupported",
                "The current snapshot shares authorization with other users. Please revoke the shared authorization through "
                    + "resource management first.")
        }
        try await call.verbs.snapshots.delete(snapshot.id)
    }

    private static let modifySnapshotAttribute: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let parameters = call.parameters
        let snapshot = try await call.snapshot()
        guard snapshot.ownerId == call.caller.account else { throw ECSFailure.noSnapshot }
        var change = ModifySnapshot()
        change.name = try Names.snapshotName(parameters)
        change.description = try Names.description(parameters, isEmptyAllowed: true)
        let days = try retention(parameters)
        change.release = days.map { .later(.days($0)) }
        if let text = parameters["DisableInstantAccess"], !["true", "false"].contains(text.lowercased()) {
            throw ECSFailure(
                404, "InvalidSnapshotDisableInstantAccess.Malformed", "The specified DisableInstantAccess is not valid!"
            )
        }
        guard change.name != nil || change.description != nil || days != nil || parameters.has("DisableInstantAccess")
        else { throw ECSFailure.nothingToModify }
        if days != nil, snapshot.state != .completed {
            throw ECSFailure(400, "InvalidSnapshotId.NotReady", ECSFailure.notReady.message)
        }
        do { _ = try await call.verbs.snapshots.modify(snapshot.id, change) } catch let error as ServiceError {
            guard days != nil, error.code == .wrongState || error.code == .invalid else { throw error }
            throw ECSFailure(
                400, "InvalidOperation.DecreaseRetentionDaysUnsupported",
                "The requested operation to decrease retention days for the snapshot is not supported.",
                logged: error.description)
        }
        return ECSFields()
    }
}
