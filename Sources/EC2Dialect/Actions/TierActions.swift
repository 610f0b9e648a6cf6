internal import Blocks
internal import ControlPlane

extension EC2Dialect {
    static let tierActions = [
        EC2Action(
            "ModifySnapshotTier", isChange: true,
            lacks:
                "another class of storage: the content stays where it is, and archival is done when the call returns",
            modifySnapshotTier),
        EC2Action(
            "RestoreSnapshotTier", isChange: true, lacks: "waiting: a restore is done when the call returns",
            restoreSnapshotTier),
        EC2Action("DescribeSnapshotTierStatus", isChange: false, describeSnapshotTierStatus),
    ]

    private static let modifySnapshotTier: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        let id = try EC2Identifier.snapshot(call.parameters["SnapshotId"])
        if let tier = call.parameters["StorageTier"], !tier.isEmpty, tier != "archive" {
            throw EC2Failure.invalidValue("Value (\(tier)) for parameter storageTier is invalid.")
        }
        _ = try await ownSnapshot(id, call)
        try call.dryRun()
        do {
            let archived = try await call.verbs.snapshots.archive(id)
            return .elements { writer in
                writer.add("snapshotId", id)
                writer.add("tieringStartTime", archived.tier?.beganAt.description)
            }
        } catch let error as ServiceError {
            guard error.code == .limitExceeded else { throw error }
            throw EC2Failure("ResourceLimitExceeded", error.message)
        }
    }

    private static let restoreSnapshotTier: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        let id = try EC2Identifier.snapshot(call.parameters["SnapshotId"])
        let days = try call.parameters.number("TemporaryRestoreDays")
        let isPermanent = try call.parameters.flag("PermanentRestore") ?? false
        guard days == nil || !isPermanent else {
            throw EC2Failure.combination(
                "The parameter TemporaryRestoreDays cannot be used with the parameter PermanentRestore")
        }
        guard days != nil || isPermanent else { throw EC2Failure.missing("TemporaryRestoreDays") }
        if let days, !SnapshotService.restoreDays.contains(days) {
            throw EC2Failure.invalidValue(
                "Value (\(days)) for parameter temporaryRestoreDays is invalid. Specify a value between 1 and 180.")
        }
        _ = try await ownSnapshot(id, call)
        try call.dryRun()
        let restored = try await call.verbs.snapshots.restoreArchived(id, days: days)
        return .elements { writer in
            writer.add("snapshotId", id)
            writer.add("restoreStartTime", restored.tier?.beganAt.description)
            writer.add("restoreDuration", days)
            writer.add("isPermanentRestore", isPermanent)
        }
    }

    private static let tierFilters: Set<String> = ["last-tiering-operation", "snapshot-id", "volume-id"]

    private static let describeSnapshotTierStatus: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        try call.dryRun()
        let paging = try Paging(call, ids: nil)
        let filters = try Filters(call.parameters, known: tierFilters)
        var snapshots = try await call.verbs.snapshots.list().sorted { $0.id < $1.id }
        snapshots = try snapshots.filter { snapshot in
            try filters.match(tags: Tag.all(snapshot.allTags)) { name in
                switch name {
                case "last-tiering-operation": snapshot.tier.map { [SnapshotWords.operation($0)] } ?? []
                default: SnapshotWords.values(of: name, snapshot)
                }
            }
        }
        let page = paging.page(of: snapshots, call) { $0.id }
        return .elements { writer in
            writer.list("snapshotTierStatusSet", page.items) { writer, snapshot in
                SnapshotWords.writeTier(snapshot, into: &writer)
            }
            writer.add("nextToken", page.next)
        }
    }
}

extension SnapshotWords {
    /// Where it is, in Amazon's words; what is out of the archive for a time is `standard`.
    static func tier(_ snapshot: SnapshotView) -> String {
        snapshot.tier?.isArchived == true ? "archive" : "standard"
    }

    /// What was done last; all of it is done when the call returns.
    static func operation(_ tier: SnapshotTierView) -> String { "\(tier.operation.rawValue)-completed" }

    /// An item of DescribeSnapshotTierStatus.
    static func writeTier(_ snapshot: SnapshotView, into writer: inout XMLWriter) {
        writer.add("snapshotId", snapshot.id)
        writer.add("volumeId", snapshot.volumeId)
        writer.add("status", state(snapshot))
        writer.add("ownerId", snapshot.ownerId)
        writer.add(tags: snapshot.allTags, evenIfEmpty: false)
        writer.add("storageTier", tier(snapshot))
        guard let tier = snapshot.tier else { return }
        writer.add("lastTieringStartTime", tier.beganAt.description)
        writer.add("lastTieringProgress", 100)
        writer.add("lastTieringOperationStatus", operation(tier))
        writer.add("archivalCompleteTime", tier.archivedAt.description)
        writer.add("restoreExpiryTime", tier.restoredUntil?.description)
    }
}
