internal import Blocks
internal import ControlPlane

extension EC2Dialect {
    static let lockActions = [
        EC2Action("LockSnapshot", isChange: true) { call in
            try call.dryRun()
            let id = try EC2Identifier.snapshot(call.parameters["SnapshotId"])
            let request = try lockRequest(call.parameters)
            _ = try await ownSnapshot(id, call)
            do {
                let lock = try await call.verbs.snapshots.lock(id, request)
                return .elements { write(lock, into: &$0) }
            } catch let error as ServiceError {
                guard error.code == .invalid else { throw error }
                throw EC2Failure.invalidValue(error.message)
            }
        },
        EC2Action("UnlockSnapshot", isChange: true) { call in
            try call.dryRun()
            let id = try await ownSnapshot(try EC2Identifier.snapshot(call.parameters["SnapshotId"]), call).id
            try await call.verbs.snapshots.unlock(id)
            return .elements { $0.add("snapshotId", id) }
        },
        EC2Action("DescribeLockedSnapshots", isChange: false) { call in
            try call.dryRun()
            let ids = call.parameters.list("SnapshotId")
            for id in ids { _ = try EC2Identifier.snapshot(id) }
            let paging = try Paging(call, ids: ids.isEmpty ? nil : "snapshotSet")
            let filters = try Filters(call.parameters, known: ["lock-state"])
            var locks = try await call.verbs.snapshots.locks()
            for id in ids { _ = try await ownSnapshot(id, call) }
            if !ids.isEmpty { locks = locks.filter { ids.contains($0.snapshotId) } }
            locks = try locks.filter { lock in
                try filters.match(tags: []) { $0 == "lock-state" ? [lock.state.rawValue] : [] }
            }
            let page = paging.page(of: locks, call) { $0.snapshotId }
            return .elements { writer in
                writer.list("snapshotSet", page.items) { writer, lock in
                    writer.add("ownerId", call.caller.account)
                    write(lock, into: &writer)
                }
                writer.add("nextToken", page.next)
            }
        },
    ]

    private static func lockRequest(_ parameters: RequestParameters) throws(EC2Failure) -> LockSnapshot {
        guard let word = parameters["LockMode"], !word.isEmpty else { throw .missing("LockMode") }
        guard let mode = SnapshotLockView.Mode(rawValue: word) else {
            throw .invalidValue("Value (\(word)) for parameter LockMode is invalid.")
        }
        let days = try parameters.number("LockDuration")
        let date = parameters["ExpirationDate"]
        let hours = try parameters.number("CoolOffPeriod")
        guard (days == nil) != (date == nil) else {
            throw .combination("Specify either LockDuration or ExpirationDate, and not both.")
        }
        guard hours == nil || mode == .compliance else {
            throw .combination("CoolOffPeriod can be specified with the lock mode compliance only.")
        }
        if let days { return LockSnapshot(mode: mode, end: .days(days), coolOffHours: hours) }
        guard let date, let time = WallTime(date) ?? WallTime(date.replacing("Z", with: ".000Z")) else {
            throw .invalidValue("Value (\(date ?? "")) for parameter ExpirationDate is invalid.")
        }
        return LockSnapshot(mode: mode, end: .at(time), coolOffHours: hours)
    }

    private static func write(_ lock: SnapshotLockView, into writer: inout XMLWriter) {
        writer.add("snapshotId", lock.snapshotId)
        writer.add("lockState", lock.state.rawValue)
        writer.add("lockDuration", lock.days)
        writer.add("coolOffPeriod", lock.coolOffHours)
        writer.add("coolOffPeriodExpiresOn", lock.coolsOffAt?.description)
        writer.add("lockCreatedOn", lock.createdAt.description)
        writer.add("lockExpiresOn", lock.expiresAt.description)
        writer.add("lockDurationStartTime", lock.startedAt.description)
    }
}
