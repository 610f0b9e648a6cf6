internal import Blocks
internal import ControlPlane

extension ECSDialect {
    static let copyActions = [
        ECSAction("ModifySnapshotCategory", isChange: true, modifySnapshotCategory),
        ECSAction("CopySnapshot", isChange: true, copySnapshot),
    ]

    private static let modifySnapshotCategory: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let snapshot = try await call.snapshot()
        guard call.parameters["Category"]?.lowercased() == "archive" else { throw ECSFailure.parameter("Category") }
        guard snapshot.state == .completed else { throw ECSFailure.notReady }
        let days = try retention(call.parameters)
        if let days, days < 74 { throw ECSFailure.days }
        try call.dryRun()
        // A refusal changes nothing, and it is not kept shorter than it was.
        do { _ = try await call.verbs.snapshots.archive(snapshot.id) } catch let error as ServiceError {
            switch (error.code, error.noun) {
            case (.limitExceeded, .snapshot): throw ECSFailure.tooManySnapshots
            case (.wrongState, .snapshot): throw ECSFailure(403, "OperationDenied", ECSID.inWords(error.message))
            default: throw error
            }
        }
        if let days {
            var change = ModifySnapshot()
            change.release = snapshot.releaseAt == nil ? .when(.days(days)) : .later(.days(days))
            _ = try await call.verbs.snapshots.modify(snapshot.id, change)
        }
        return .of { $0.add("TaskId", ECSID.name(snapshot.id, .task)) }
    }

    private static let copySnapshot: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let parameters = call.parameters
        let missing = ECSFailure(403, "InvalidSnapshotId.NotFound", "The specified snapshot is not exists.")
        let snapshot = try await call.snapshot(orElse: missing)
        let region = try parameters.needed("DestinationRegionId")
        let wanted = try parameters.flag("Encrypted")
        let isEncrypted = wanted ?? false
        guard let verbs = call.verbsIn(region) else {
            throw ECSFailure(403, "InvalidRegionId.NotExists", "Region not exists.")
        }
        if region == call.region.name, !isEncrypted {
            throw ECSFailure(
                403, "InvalidOperation.NotSupportCopyInSameRegion",
                "Copying snapshot in the same region is not supported.")
        }
        var request = CopySnapshot(snapshot.id, from: call.region.name)
        let badName = ECSFailure(403, "InvalidSnapshotName.Malformed", ECSFailure.snapshotName.message)
        _ = try parameters.needed("DestinationSnapshotName")
        request.name = try Names.name("DestinationSnapshotName", parameters, orElse: badName)
        if request.name?.hasPrefix("auto") == true { throw badName }
        let text = try parameters.needed("DestinationSnapshotDescription")
        guard (2...256).contains(text.unicodeScalars.count), !Names.isURL(text) else {
            throw ECSFailure.description(403)
        }
        request.description = text
        do { request.release = try retention(parameters).map { .days($0) } } catch {
            throw ECSFailure(403, "InvalidRetentionDays.Malformed", ECSFailure.days.message)
        }
        request.tags = try Tags.read(parameters)
        request.resourceGroup = try ResourceGroups.wanted(call)
        if isEncrypted { request.encryption = VolumeEncryption(key: parameters["KMSKeyId"]) }
        request.token = try token(call)
        guard snapshot.state == .completed else { throw ECSFailure.notReady }
        if snapshot.tier?.isArchived == true {
            throw ECSFailure(
                403, "OperationDenied.SnapshotCategoryNotSupportCopy",
                "The specified category of snapshot not support copy.")
        }
        if snapshot.encrypted, wanted == false {
            throw ECSFailure(
                403, "InvalidEncrypted.NotSupportDecrypt", "Encrypted snapshot not support copy to decrypt snapshot.")
        }
        try call.dryRun()
        let made = try await verbs.snapshots.copy(request)
        return .of { $0.add("SnapshotId", ECSID.name(made.id, .snapshot)) }
    }
}
