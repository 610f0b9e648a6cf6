internal import Blocks
internal import Catalog

extension SnapshotService {
    /// With whom a snapshot of the caller's is shared.
    public func sharing(of id: String) async throws -> SnapshotSharing {
        try await ServiceError.about(.snapshot) {
            _ = try await house.snapshotRecord(id, for: caller)
            return try await house.catalog.change { try Self.sharing(of: id, $0) }
        }
    }

    /// Changes with whom it is shared: all of it or nothing. Those who may use it no more keep what they made of it.
    ///
    /// Refused: what is no account's number; to make an encrypted snapshot everybody's, or any while the account blocks that.
    public func share(_ id: String, _ change: SharingChange) async throws -> SnapshotSharing {
        try await ServiceError.about(.snapshot) {
            try caller.mayChange(.snapshot)
            _ = try await house.snapshotRecord(id, for: caller)
            for account in change.adding + change.removing { try Self.check(account) }
            let caller = caller, now = house.clock.now()
            let (sharing, concerned) = try await house.catalog.change { session in
                guard let record = try session.snapshot(id), record.isPresent else { throw Household.noSnapshot(id) }
                let isMore = change.isPublic == true || !change.adding.isEmpty
                if isMore { try record.mustNotBeArchived(at: now) }
                if change.isPublic == true { try Self.checkPublic(record, session) }
                let others = Set(change.adding).subtracting(try session.shares(of: id)).subtracting([caller.account])
                for account in others { try session.share(id, with: account) }
                let concerned = try PolicyPlan.Reaction.note(record, sharedWith: others.sorted(), session)
                for account in change.removing { try session.unshare(id, with: account) }
                try PolicySnapshotRecord.leave(Set(change.adding + change.removing), toTheOwnerOf: id, session)
                switch change.isPublic {
                case true?: try session.share(id, with: ShareRecord.everybody)
                case false?: try session.unshare(id, with: ShareRecord.everybody)
                case nil: break
                }
                let sharing = try Self.sharing(of: id, session)
                guard sharing.accounts.count <= Limits.sharesMax else {
                    throw ServiceError(
                        .limitExceeded, .snapshot,
                        "the snapshot \(id) would be shared with \(sharing.accounts.count) accounts: at most "
                            + "\(Limits.sharesMax) are allowed")
                }
                return (sharing, concerned)
            }
            for policy in concerned { house.scheduler.look(at: policy) }
            house.announce(id)
            return sharing
        }
    }

    /// Other accounts' snapshots that the caller may use, oldest first.
    public func sharedWithCaller() async throws -> [SnapshotView] {
        try await ServiceError.about(.snapshot) {
            let courses = house.courses
            let (records, shares, tags) = try await house.catalog.change { [caller] session in
                let records = try session.snapshots(sharedWith: caller.account)
                return (
                    records, try session.shares(seenBy: caller.account),
                    try session.shareeTags(onAll: records.map(\.id), by: caller.account)
                )
            }
            return records.filter(\.isPresent).map { record in
                var view = SnapshotView(courses, record, nil, house).seenByOthers
                view.sharing = SnapshotSharing(shares[record.id])
                view.tags = tags[record.id]
                return view
            }
        }
    }

    /// Can the account's snapshots be everybody's?
    public func publicAccess() async throws -> PublicAccess {
        try await ServiceError.about(.snapshot) {
            try await house.catalog.change { [caller] in try Household.publicAccess(of: caller.account, $0) }
        }
    }

    /// Settles that for the account: its administrators do, so that it holds for whoever else may share.
    public func set(publicAccess: PublicAccess) async throws {
        try await ServiceError.about(.snapshot) {
            try caller.mayAdminister(.snapshot)
            try await house.catalog.change { [caller] session in
                try Household.set(publicAccess: publicAccess, of: caller.account, session)
            }
        }
    }

    private static func sharing(of id: String, _ session: CatalogSession) throws -> SnapshotSharing {
        SnapshotSharing(try session.shares(of: id)) ?? SnapshotSharing()
    }

    static func check(_ account: String) throws {
        guard account.utf8.count == Household.accountDigits, account.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else {
            throw ServiceError(
                .invalid, .account,
                "\"\(account.quotable)\" is no account: it has \(Household.accountDigits) digits, as in 123456789012")
        }
    }

    private static func checkPublic(_ record: SnapshotRecord, _ session: CatalogSession) throws {
        guard record.dataKey == nil else {
            throw ServiceError(
                .forbidden, .snapshot,
                "the snapshot \(record.id) is encrypted: it can be shared with accounts, and not with everybody")
        }
        let access = try Household.publicAccess(of: record.account, session)
        guard access == .unblocked else {
            throw ServiceError(
                .forbidden, .snapshot,
                "the account's public access is \(access.rawValue): none of its snapshots can be made everybody's")
        }
    }
}

extension SnapshotSharing {
    /// Nil for what is shared with nobody.
    init?(_ shares: [String]?) {
        guard let shares, !shares.isEmpty else { return nil }
        self.init(
            isPublic: shares.contains(ShareRecord.everybody), accounts: shares.filter { $0 != ShareRecord.everybody })
    }
}

extension SnapshotView {
    /// What those may see with whom it is shared, apart from tags of their own: its description, and not what it cost, what else is
    /// in the account, or the rest of what its owner noted.
    var seenByOthers: SnapshotView {
        var view = self
        view.reason = nil
        view.tier = nil
        view.releaseAt = nil
        view.damage?.problems = []
        view.name = nil
        view.tags = nil
        view.parentId = nil
        view.copyOf = nil
        view.groupId = nil
        view.storedBytes = nil
        view.changedBytes = nil
        view.exclusiveBytes = nil
        view.keyId = nil
        view.dataKeyId = nil
        view.uri = nil
        return view
    }
}
