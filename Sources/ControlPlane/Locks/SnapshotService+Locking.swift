internal import Blocks
internal import Catalog

extension SnapshotService {
    private static let daysMax = 36_500
    private static let coolOffMax = 72
    /// What tokens are for.
    private static let lockAction = "lock-snapshot"

    /// Keeps a snapshot, pending ones too, from being deleted until a time. What is a matter of compliance can be taken back
    /// while it cools off, and be prolonged ever after.
    public func lock(_ id: String, _ request: LockSnapshot) async throws -> SnapshotLockView {
        try await ServiceError.about(.snapshot) {
            try caller.mayChange(.snapshot)
            _ = try await house.snapshotRecord(id, for: caller)
            let now = house.clock.now()
            let wanted = try Self.record(id, request, now)
            let made = try await house.catalog.change { [caller] session in
                if let used = try request.token?.used(for: Self.lockAction, by: caller.account, session) {
                    // As it is now: it may have been changed since, and taken back.
                    guard let lock = try session.lock(of: used.object) else { throw used.gone }
                    return lock
                }
                guard let snapshot = try session.snapshot(id), snapshot.isPresent else {
                    throw Household.noSnapshot(id)
                }
                try snapshot.mustBeCut()
                let lock = try Self.replacing(try session.lock(of: id), with: wanted, at: now)
                if request.endsBeforeRelease, let release = snapshot.releaseAt, lock.expiresAt > release {
                    throw ServiceError(
                        .invalid, .snapshot,
                        "a lock until \(lock.expiresAt) would outlive the snapshot \(id), which is released at \(release)"
                    )
                }
                try request.token?.take(
                    for: Self.lockAction, by: caller.account, making: id, at: now, session)
                try session.put(lock)
                return lock
            }
            house.announce(id)
            return SnapshotLockView(made, at: now)
        }
    }

    private static func record(_ id: String, _ request: LockSnapshot, _ now: WallTime) throws -> LockRecord {
        let day = Duration.seconds(86_400)
        let end: WallTime
        switch request.end {
        case .days(let days):
            guard (1...daysMax).contains(days) else {
                throw ServiceError(.invalid, .snapshot, "a lock of \(days) days: 1 to \(daysMax) are allowed")
            }
            end = now + .seconds(days * 86_400)
        case .at(let time):
            guard time >= now + day, time <= now + .seconds(daysMax * 86_400) else {
                throw ServiceError(
                    .invalid, .snapshot,
                    "a lock until \(time): it must be at least a day away, and at most \(daysMax) days")
            }
            end = time
        }
        var lock = LockRecord(
            snapshotID: id, mode: request.mode == .governance ? .governance : .compliance, createdAt: now,
            startedAt: now, expiresAt: end)
        guard let hours = request.coolOffHours else { return lock }
        guard request.mode == .compliance else {
            throw ServiceError(.invalid, .snapshot, "only a lock of compliance cools off")
        }
        guard (1...coolOffMax).contains(hours) else {
            throw ServiceError(.invalid, .snapshot, "\(hours) hours to cool off: 1 to \(coolOffMax) are allowed")
        }
        lock.coolOffHours = hours
        lock.coolsOffAt = now + .seconds(hours * 3600)
        return lock
    }

    private static func replacing(
        _ old: LockRecord?, with wanted: LockRecord, at now: WallTime
    ) throws -> LockRecord {
        guard let old, old.state(at: now) != .expired else { return wanted }
        var lock = wanted
        lock.createdAt = old.createdAt
        switch old.state(at: now) {
        case .compliance:
            guard wanted.mode == .compliance, wanted.coolOffHours == nil, wanted.expiresAt >= old.expiresAt else {
                throw locked(old, "it can only be prolonged")
            }
            // It has cooled off, and does not begin to again.
            lock.startedAt = old.startedAt
            lock.coolOffHours = old.coolOffHours
            lock.coolsOffAt = old.coolsOffAt
        case .complianceCoolOff where wanted.mode == .compliance:
            // Prolonging what cools off does not prolong that.
            lock.coolOffHours = wanted.coolOffHours ?? old.coolOffHours
            lock.coolsOffAt = wanted.coolOffHours == nil ? old.coolsOffAt : wanted.coolsOffAt
        case .complianceCoolOff, .governance, .expired: break
        }
        return lock
    }

    /// Takes a lock back. Refused for what is a matter of compliance and has cooled off, and for what is not locked.
    public func unlock(_ id: String) async throws {
        try await ServiceError.about(.snapshot) {
            try caller.mayChange(.snapshot)
            _ = try await house.snapshotRecord(id, for: caller)
            let now = house.clock.now()
            try await house.catalog.change { session in
                guard let lock = try session.lock(of: id), lock.state(at: now) != .expired else {
                    throw ServiceError(.wrongState, .snapshot, "the snapshot \(id) is not locked")
                }
                guard lock.state(at: now) != .compliance else { throw Self.locked(lock, "that cannot be taken back") }
                try session.deleteLock(of: id)
            }
            house.announce(id)
        }
    }

    /// The locks of the account's snapshots, expired ones too.
    public func locks() async throws -> [SnapshotLockView] {
        try await ServiceError.about(.snapshot) {
            let now = house.clock.now()
            return try await house.catalog.change { [caller] in try $0.locks(of: caller.account) }
                .map { SnapshotLockView($0, at: now) }
        }
    }

    static func locked(_ lock: LockRecord, _ consequence: String) -> ServiceError {
        ServiceError(
            .locked, .snapshot,
            "the snapshot \(lock.snapshotID) is locked (\(lock.mode.rawValue)) until \(lock.expiresAt): \(consequence)")
    }
}
