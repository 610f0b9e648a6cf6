internal import Blocks
internal import ControlPlane

extension ECSDialect {
    static let keepingActions = [
        ECSAction("LockSnapshot", isChange: true, lacks: "ClientToken is ignored", lockSnapshot),
        ECSAction("UnlockSnapshot", isChange: true, unlockSnapshot),
        ECSAction("DescribeLockedSnapshots", isChange: false, describeLockedSnapshots),
        ECSAction(
            "ModifySnapshotCategory", isChange: true, lacks: "it is done when the call returns: no TaskId",
            modifySnapshotCategory),
        ECSAction(
            "CopySnapshot", isChange: true, lacks: "ResourceGroupId is ignored", copySnapshot),
        ECSAction(
            "DescribeSnapshotLinks", isChange: false,
            lacks: "TotalSize counts what changed from snapshot to snapshot, deleted ones' share not", describeLinks),
        ECSAction(
            "DescribeSnapshotsUsage", isChange: false, lacks: "SnapshotSize counts likewise"
        ) { call in
            let all = try await call.verbs.snapshots.list()
            return .of { fields in
                fields.add("SnapshotCount", all.count)
                fields.add("SnapshotSize", all.reduce(0) { $0 + ($1.changedBytes ?? 0) })
            }
        },
        ECSAction("DescribeSnapshotPackage", isChange: false) { call in
            let page = try ECSPages(call).page(of: [SnapshotView](), call) { ($0.createdAt, $0.id) }
            return .of { fields in
                page.write(into: &fields)
                fields.add("SnapshotPackages", listOf: "SnapshotPackage", [])
            }
        },
    ]

    // MARK: Locks

    private static let lockSnapshot: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let parameters = call.parameters
        let snapshot = try await call.snapshot()
        guard try parameters.needed("LockMode") == "compliance" else { throw ECSFailure.parameter("LockMode") }
        _ = try parameters.needed("LockDuration")
        guard let days = try parameters.number("LockDuration"), (1...36_500).contains(days) else {
            throw ECSFailure.parameter("LockDuration")
        }
        let hours = try parameters.number("CoolOffPeriod") ?? 0
        guard (0...72).contains(hours), hours < days * 24 else { throw ECSFailure.parameter("CoolOffPeriod") }
        if let kept = SnapshotWords.retentionDays(snapshot), let end = snapshot.releaseAt, kept > 0 {
            // A lock must not outlive what it locks.
            let lockEnd = (snapshot.completedAt ?? snapshot.createdAt) + .seconds(days * 86_400)
            guard lockEnd <= end else { throw ECSFailure.parameter("LockDuration") }
        }
        try call.dryRun()
        let lock = try await call.verbs.snapshots.lock(
            snapshot.id, LockSnapshot(mode: .compliance, end: .days(days), coolOffHours: hours == 0 ? nil : hours))
        return .of { $0.add("LockedSnapshotInfo", write(lock)) }
    }

    private static let unlockSnapshot: @Sendable (ECSCall) async throws -> ECSFields = { call in
        try await call.verbs.snapshots.unlock(call.snapshot().id)
        return ECSFields()
    }

    private static let describeLockedSnapshots: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let ids = call.parameters.list("SnapshotIds")
        guard ids.count <= 100 else { throw ECSFailure.parameter("SnapshotIds") }
        let wanted = Set(ids.compactMap { ECSID.native($0, .snapshot) })
        let pages = try ECSPages(call)
        let locks = try await call.verbs.snapshots.locks().filter { lock in
            (ids.isEmpty || wanted.contains(lock.snapshotId))
                && call.parameters["LockStatus"].map { $0 == status(lock) } ?? true
        }
        let page = pages.page(of: locks, call) { ($0.createdAt, $0.snapshotId) }
        return .of { fields in
            page.write(into: &fields)
            fields.add("LockedSnapshotsInfo", .array(page.items.map { write($0) }))
        }
    }

    private static func status(_ lock: SnapshotLockView) -> String {
        switch lock.state {
        case .governance, .compliance: "compliance"
        case .complianceCoolOff: "compliance-cooloff"
        case .expired: "expired"
        }
    }

    private static func write(_ lock: SnapshotLockView) -> ECSValue {
        ECSFields.of { fields in
            fields.add("SnapshotId", ECSID.name(lock.snapshotId, .snapshot))
            fields.add("LockMode", lock.mode.rawValue)
            fields.add("LockStatus", status(lock))
            fields.add("LockCreationTime", lock.createdAt.ecs)
            fields.add("LockDuration", lock.days)
            fields.add("LockDurationStartTime", lock.startedAt.ecs)
            fields.add("LockExpiredTime", lock.expiresAt.ecs)
            fields.add("CoolOffPeriod", lock.coolOffHours ?? 0)
            fields.add("CoolOffPeriodExpiredTime", lock.coolsOffAt?.ecs)
        }.value
    }

    // MARK: Archive and copies

    private static let modifySnapshotCategory: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let snapshot = try await call.snapshot()
        guard call.parameters["Category"]?.lowercased() == "archive" else { throw ECSFailure.parameter("Category") }
        guard snapshot.state == .completed else { throw ECSFailure.notReady }
        let days = try retention(call.parameters)
        if let days, days < 74 { throw ECSFailure.days }
        try call.dryRun()
        // A refusal changes nothing, and it is not kept shorter than it was.
        _ = try await call.verbs.snapshots.archive(snapshot.id)
        if let days {
            var change = ModifySnapshot()
            change.release = snapshot.releaseAt == nil ? .when(.days(days)) : .later(.days(days))
            _ = try await call.verbs.snapshots.modify(snapshot.id, change)
        }
        return ECSFields()
    }

    private static let copySnapshot: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let parameters = call.parameters
        let missing = ECSFailure(403, "InvalidSnapshotId.NotFound", "The specified snapshot is not exists.")
        let snapshot = try await call.snapshot(orElse: missing)
        let region = try parameters.needed("DestinationRegionId")
        let isEncrypted = try parameters.flag("Encrypted") ?? false
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
        if isEncrypted { request.encryption = VolumeEncryption(key: parameters["KMSKeyId"]) }
        request.token = try token(call)
        guard snapshot.state == .completed else { throw ECSFailure.notReady }
        if snapshot.tier?.isArchived == true {
            throw ECSFailure(
                403, "OperationDenied.SnapshotCategoryNotSupportCopy",
                "The specified category of snapshot not support copy.")
        }
        try call.dryRun()
        let made = try await verbs.snapshots.copy(request)
        return .of { $0.add("SnapshotId", ECSID.name(made.id, .snapshot)) }
    }

    // MARK: Chains

    private static let describeLinks: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let parameters = call.parameters
        let badLinks = ECSFailure(400, "InvalidSnapshotLinkIds", "The specified snapshotLinkIds is invalid.")
        let badDisks = ECSFailure(400, "InvalidDiskIds", "The specified diskIds is invalid.")
        let links = try parameters.array("SnapshotLinkIds", orElse: badLinks)?.compactMap { ECSID.native($0, .chain) }
        let disks = try parameters.array("DiskIds", orElse: badDisks)?.compactMap { ECSID.native($0, .disk) }
        let volumes = Dictionary(try await call.verbs.volumes.list().map { ($0.id, $0) }) { first, _ in first }
        let host = parameters["InstanceId"].map { ECSID.native($0, .instance) ?? "" }
        let pages = try ECSPages(call)
        let all = try await call.verbs.snapshots.list().filter { $0.volumeId != SnapshotView.noVolume }
        let chains = Dictionary(grouping: all) { $0.volumeId }.filter { id, _ in
            links?.contains(id) ?? true && disks?.contains(id) ?? true
                && host.map { host in volumes[id]?.attachments.contains { $0.host == host } == true } ?? true
        }
        let page = pages.page(of: chains.map { (id: $0.key, snapshots: $0.value) }, call) { chain in
            (chain.snapshots[0].createdAt, chain.id)
        }
        return .of { fields in
            page.write(into: &fields)
            fields.add(
                "SnapshotLinks", listOf: "SnapshotLink",
                page.items.map { chain in
                    let volume = volumes[chain.id]
                    return ECSFields.of { item in
                        item.add("SnapshotLinkId", ECSID.name(chain.id, .chain))
                        item.add("RegionId", call.region.name)
                        item.add("InstanceId", volume.flatMap { DiskWords.instance($0) } ?? "")
                        item.add("InstanceName", "")
                        item.add("SourceDiskId", ECSID.name(chain.id, .disk))
                        item.add("SourceDiskName", volume?.name ?? "")
                        item.add("SourceDiskSize", Gibibytes.of(chain.snapshots.last?.volumeSizeBytes ?? 0))
                        item.add("SourceDiskType", volume.map { DiskWords.type($0) } ?? "data")
                        item.add("InstantAccess", false)
                        item.add("Category", "standard")
                        item.add("TotalSize", chain.snapshots.reduce(0) { $0 + ($1.changedBytes ?? 0) })
                        item.add("TotalCount", chain.snapshots.count)
                    }.value
                })
        }
    }
}
