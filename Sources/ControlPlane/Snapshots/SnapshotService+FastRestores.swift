public import Blocks
internal import Catalog

/// That volumes made of a snapshot in a zone are to be fast from the start.
public struct FastRestoreView: Codable, Equatable, Sendable {
    /// The snapshot.
    public var snapshotId: String
    /// Whose it is.
    public var ownerId: String
    /// The zone's name.
    public var zone: String
    /// Since when that holds.
    public var enabledAt: WallTime
}

/// Fast restores are kept for each account, snapshot and zone, and hold at once. What is made of a snapshot is usable at once
/// in any case, and nothing is fetched ahead for them yet.
extension SnapshotService {
    /// Asks for it, of the account's own snapshot or one that is shared with it. Repeating it is harmless.
    ///
    /// It goes with the snapshot, since the record's row does.
    public func restoreFast(_ id: String, in zone: String) async throws -> FastRestoreView {
        try await ServiceError.about(.snapshot) {
            try caller.mayChange(.snapshot)
            let zone = try house.zone(named: zone)
            _ = try await house.usableSnapshot(id, for: caller)
            let now = house.clock.now()
            let (made, owner) = try await house.catalog.change { [caller] session in
                guard let snapshot = try session.snapshot(id), !snapshot.isDeleted,
                    try Household.mayUse(snapshot, caller, session)
                else { throw Household.noSnapshot(id) }
                try snapshot.mustNotBeArchived(at: now)
                guard snapshot.state == .pending || snapshot.state == .completed else {
                    throw ServiceError(.wrongState, .snapshot, "the snapshot \(id) failed: it cannot be restored")
                }
                let known = try session.fastRestores(of: caller.account)
                if let present = known.first(where: { $0.snapshotID == id && $0.zone == zone }) {
                    return (present, snapshot.account)
                }
                let count = Set(known.map(\.snapshotID)).union([id]).count
                try Quota.fastRestores.check(count, of: caller.account, .snapshot, session)
                let made = FastRestoreRecord(snapshotID: id, zone: zone, account: caller.account, enabledAt: now)
                try session.insert(made)
                return (made, snapshot.account)
            }
            return FastRestoreView(made, owner: owner)
        }
    }

    /// Takes it back. Refused where it was not asked for.
    public func restoreNoMoreFast(_ id: String, in zone: String) async throws -> FastRestoreView {
        try await ServiceError.about(.snapshot) {
            try caller.mayChange(.snapshot)
            let zone = try house.zone(named: zone)
            // Also of one that it may not use any more, or it would count for good.
            let present = try await house.catalog.change { [caller] session in
                try session.fastRestores(of: caller.account).contains { $0.snapshotID == id && $0.zone == zone }
            }
            if !present { _ = try await house.usableSnapshot(id, for: caller) }
            let owner = try await house.catalog.change { try $0.snapshot(id)?.account } ?? caller.account
            let gone = try await house.catalog.change { [caller] session in
                let known = try session.fastRestores(of: caller.account)
                guard let present = known.first(where: { $0.snapshotID == id && $0.zone == zone }) else {
                    throw ServiceError(
                        .wrongState, .snapshot, "the snapshot \(id) is not restored fast in \(zone)")
                }
                try session.delete(present)
                return present
            }
            return FastRestoreView(gone, owner: owner)
        }
    }

    /// All that the account asked for, by snapshot and zone, of snapshots that it may (still) use.
    public func fastRestores() async throws -> [FastRestoreView] {
        try await ServiceError.about(.snapshot) {
            try await house.catalog.change { [caller] session in
                try session.fastRestores(of: caller.account).compactMap { record in
                    guard let snapshot = try session.snapshot(record.snapshotID),
                        try Household.mayUse(snapshot, caller, session)
                    else { return nil }
                    return FastRestoreView(record, owner: snapshot.account)
                }
            }
        }
    }
}

extension Household {
    /// A zone's name, by its name or id.
    func zone(named text: String) throws -> String {
        guard let zone = region.zone(text) else {
            throw ServiceError(.missing, .house, "there is no zone \(text.quotable) in \(region.name)")
        }
        return zone.name
    }
}

extension FastRestoreView {
    init(_ record: FastRestoreRecord, owner: String) {
        self.init(snapshotId: record.snapshotID, ownerId: owner, zone: record.zone, enabledAt: record.enabledAt)
    }
}
