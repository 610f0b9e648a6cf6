internal import Blocks
internal import ControlPlane

extension ECSDialect {
    static let lockActions = [
        ECSAction("LockSnapshot", isChange: true, lockSnapshot),
        ECSAction("UnlockSnapshot", isChange: true, unlockSnapshot),
        ECSAction("DescribeLockedSnapshots", isChange: false, describeLockedSnapshots),
    ]

    private static let lockSnapshot: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let parameters = call.parameters
        let snapshot = try await call.snapshot()
        guard try parameters.needed("LockMode") == "compliance" else { throw ECSFailure.parameter("LockMode") }
        let badDuration = ECSFailure(
            400, "InvalidLockDuration.Malformed", "The specified LockDuration is not valid.")
        guard let days = Int(try parameters.needed("LockDuration")), (1...36_500).contains(days) else {
            throw badDuration
        }
        guard let hours = Int(parameters["CoolOffPeriod"] ?? "0"), (0...72).contains(hours), hours < days * 24 else {
            throw ECSFailure(400, "InvalidCoolOffPeriod.Malformed", "The specified CoolOffPeriod is not valid.")
        }
        try call.dryRun()
        var request = LockSnapshot(mode: .compliance, end: .days(days), coolOffHours: hours == 0 ? nil : hours)
        request.endsBeforeRelease = true
        request.token = try token(call)
        do {
            let lock = try await call.verbs.snapshots.lock(snapshot.id, request)
            return .of { $0.add("LockedSnapshotInfo", write(lock)) }
        } catch let error as ServiceError where error.code == .invalid && error.noun != .token {
            // Days and hours are in range: it would outlive what it locks.
            throw badDuration
        }
    }

    private static let unlockSnapshot: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let snapshot = try await call.snapshot()
        do { try await call.verbs.snapshots.unlock(snapshot.id) } catch let error as ServiceError {
            guard error.code == .wrongState, error.noun == .snapshot else { throw error }
            throw ECSFailure(403, "OperationDenied", ECSID.inWords(error.message))
        }
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
}
