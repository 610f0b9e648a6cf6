internal import Blocks
internal import Catalog

/// Fast restores are kept for each account, snapshot and zone; the local copy that makes them fast is one for all of them, and
/// made in the background (``FastTurn``). Each of these verbs is one transaction; what is to be done then, the next look finds.
extension SnapshotService {
    /// Asks for it, of the account's own snapshot or one that is shared with it. Repeating it is harmless.
    ///
    /// It goes with the snapshot: when that is deleted, put into the bin or into the archive.
    ///
    /// - Parameter zone: its name or id; nil: the region's first.
    public func restoreFast(_ id: String, in zone: String? = nil) async throws -> FastRestoreView {
        try await ServiceError.about(.snapshot) {
            try caller.mayChange(.snapshot)
            let zone = try house.zone(named: zone)
            _ = try await house.usableSnapshot(id, for: caller)
            let (made, copy, owner) = try await house.catalog.change { [house, caller] session in
                let asked = try house.askForFast(id, in: zone, by: caller.account, session)
                let owner = try session.snapshot(id)?.account ?? caller.account
                if owner == caller.account {
                    try PolicySnapshotRecord.leave(fastIn: zone, toTheOwnerOf: id, session)
                }
                return (asked.record, try session.fastCopy(of: id), owner)
            }
            Failpoint.hit("fast.recorded")
            house.fast.lookSoon()
            return FastRestoreView(made, copy, owner: owner, house)
        }
    }

    /// Takes it back. Refused where it was not asked for.
    ///
    /// - Parameter zone: its name or id; nil: the region's first.
    public func restoreNoMoreFast(_ id: String, in zone: String? = nil) async throws -> FastRestoreView {
        try await ServiceError.about(.snapshot) {
            try caller.mayChange(.snapshot)
            let zone = try house.zone(named: zone)
            // Also of one that it may not use any more, or it would count for good.
            let present = try await house.catalog.change { [caller] session in
                try session.fastRestores(of: caller.account).contains { $0.snapshotID == id && $0.zone == zone }
            }
            if !present { _ = try await house.usableSnapshot(id, for: caller) }
            let owner = try await house.catalog.change { try $0.snapshot(id)?.account } ?? caller.account
            let gone = try await house.catalog.change { [house, caller] session in
                guard let gone = try house.takeBackFast(id, in: zone, by: caller.account, session) else {
                    throw ServiceError(
                        .wrongState, .snapshot, "the snapshot \(id) is not restored fast in \(zone)")
                }
                if owner == caller.account {
                    try PolicySnapshotRecord.leave(fastIn: zone, toTheOwnerOf: id, session)
                }
                return gone
            }
            house.fast.lookSoon()
            return FastRestoreView(gone, nil, owner: owner, house)
        }
    }

    /// All that the account asked for, or took back within the last hour, by snapshot and zone, of snapshots that it may (still)
    /// use.
    public func fastRestores() async throws -> [FastRestoreView] {
        try await ServiceError.about(.snapshot) {
            try await house.catalog.change { [caller, house] session in
                try session.fastRestores(of: caller.account).compactMap { record in
                    guard let snapshot = try session.snapshot(record.snapshotID),
                        try Household.mayUse(snapshot, caller, session)
                    else { return nil }
                    let copy = try session.fastCopy(of: record.snapshotID)
                    return FastRestoreView(record, copy, owner: snapshot.account, house)
                }
            }
        }
    }
}

extension Household {
    /// Asks for a fast restore in an account's name, with the task that brings the copy. ``FastCopies/lookSoon()`` is the caller's.
    ///
    /// - Parameter zone: its name.
    /// - Returns: what was asked for, now or before.
    func askForFast(
        _ id: String, in zone: String, by account: String, _ session: CatalogSession
    ) throws -> (record: FastRestoreRecord, isNew: Bool) {
        let now = clock.now()
        guard let snapshot = try session.snapshot(id), !snapshot.isDeleted,
            try Household.mayUse(snapshot, account, session)
        else { throw Household.noSnapshot(id) }
        try snapshot.mustNotBeArchived(at: now)
        guard snapshot.state == .pending || snapshot.state == .completed else {
            throw ServiceError(.wrongState, .snapshot, "the snapshot \(id) failed: it cannot be restored")
        }
        let known = try session.fastRestores(of: account).filter(\.holds)
        if let present = known.first(where: { $0.snapshotID == id && $0.zone == zone }) { return (present, false) }
        let count = Set(known.map(\.snapshotID)).union([id]).count
        try Quota.fastRestores.check(count, of: account, .snapshot, session)
        let made = FastRestoreRecord(snapshotID: id, zone: zone, account: account, enabledAt: now)
        try session.put(made)
        let task = newTask(.fetchSnapshot, about: id, of: account)
        let isUnderWay = try session.unfinishedTasks(ofSubject: id).contains { $0.kind == task.kind }
        if try session.fastCopy(of: id)?.completedAt == nil, !isUnderWay { try session.insert(task) }
        return (made, true)
    }

    /// Takes it back.
    ///
    /// - Returns: nil: the account has not asked for it, or took it back before.
    func takeBackFast(
        _ id: String, in zone: String, by account: String, _ session: CatalogSession
    ) throws -> FastRestoreRecord? {
        let known = try session.fastRestores(of: account)
        guard var present = known.first(where: { $0.snapshotID == id && $0.zone == zone && $0.holds }) else {
            return nil
        }
        present.disablingAt = clock.now()
        try session.put(present)
        return present
    }

    /// A zone's name, by its name or id; the first one's by none.
    func zone(named text: String?) throws -> String {
        guard let text else { return region.zones[0].name }
        guard let zone = region.zone(text) else {
            throw ServiceError(.missing, .house, "there is no zone \(text.quotable) in \(region.name)")
        }
        return zone.name
    }
}
