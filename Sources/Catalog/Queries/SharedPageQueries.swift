/// A part of a list that is in the order of ids.
public struct SnapshotPart: Sendable {
    /// What of it was found.
    public var records: [SnapshotRecord]
    /// All up to this id was looked at, and more may follow; nil: this was the last part.
    public var reached: String?

    /// Makes one.
    public init(_ records: [SnapshotRecord], reached: String?) {
        self.records = records
        self.reached = reached
    }

    /// So many at most, which are a part if they are as many.
    public init(_ records: [SnapshotRecord], limit: Int?) {
        self.init(records, reached: limit.flatMap { records.count < $0 ? nil : records.last?.id })
    }

    /// Both, as far as both were looked at, and so many at most. What is in both is there once.
    public func joined(with other: SnapshotPart, limit: Int?) -> SnapshotPart {
        let known = Set(records.map(\.id))
        var all = (records + other.records.filter { !known.contains($0.id) }).sorted { $0.id < $1.id }
        let reached = [reached, other.reached].compactMap { $0 }.min()
        if let reached { all.removeAll { $0.id > reached } }
        guard let limit, all.count > limit else { return SnapshotPart(all, reached: reached) }
        all.removeLast(all.count - limit)
        return SnapshotPart(all, reached: all.last?.id ?? reached)
    }
}

extension CatalogSession {
    /// Shares that one part looks at, of each audience, before it ends without being full.
    public static let sharesWalked = 10_000
    /// The shares of so many owners are looked up, those of more found among all.
    private static let ownersLookedUp = 4

    /// A part of other accounts' snapshots that are there for this one because they are shared with it, or with everybody by an
    /// account that does not hide that. What it costs is bounded, however much others share that this one does not see.
    ///
    /// - Parameters:
    ///   - owners: only these accounts', at most a thousand; nil: all.
    ///   - ids: see ``snapshots(of:ids:volumes:after:limit:)``, as the others.
    ///   - last: none with later ids.
    ///   - walking: shares of each audience that are looked at.
    public func snapshots(
        sharedWith account: String, owners: [String]?, ids: [String]?, volumes: [String]?, after: String?,
        last: String?, limit: Int?, walking: Int = CatalogSession.sharesWalked
    ) throws(CatalogFailure) -> SnapshotPart {
        let owners = owners.map { Set($0).subtracting([account]) }
        if owners?.isEmpty == true { return SnapshotPart([], reached: nil) }
        // What is named is looked up, and whether it is shared with it. Else it is read in the order of what is shared.
        guard ids == nil, volumes == nil else {
            var whose: SQL = "account_id <> \(account)"
            if let owners { whose = whose + " AND account_id IN " + .list(owners.sorted()) }
            if let last { whose = whose + " AND id <= \(last)" }
            return SnapshotPart(
                try page(whose + " AND (" + Self.isShared(with: account) + ")", ids, volumes, after, limit),
                limit: limit)
        }
        var part = SnapshotPart([], reached: nil)
        let few = owners.flatMap { $0.count > Self.ownersLookedUp ? nil : $0.sorted().map(Optional.some) }
        for audience in [account, ShareRecord.everybody] {
            for owner in few ?? [nil] {
                var walk = ShareWalk(
                    audience: audience, owner: owner, owners: owners, besides: account, last: last, limit: limit)
                part = part.joined(with: try self.walk(&walk, from: after, atMost: walking), limit: limit)
            }
        }
        return part
    }

    private static func isShared(with account: String) -> SQL {
        """
        EXISTS (SELECT 1 FROM shares AS mine
            WHERE mine.snapshot_id = keyed_snapshots.id AND mine.account_id = \(account))
        OR EXISTS (SELECT 1 FROM shares AS everybodys
            WHERE everybodys.snapshot_id = keyed_snapshots.id AND everybodys.account_id = \(ShareRecord.everybody))
        AND NOT EXISTS (\u{20}
        """ + hiding + " AND account_settings.account_id = keyed_snapshots.account_id)"
    }

    /// What is shared with one audience, share by share.
    private struct ShareWalk {
        let audience: String
        /// Only this one's.
        let owner: String?
        /// Only these accounts'; nil: all.
        let owners: Set<String>?
        /// Not this one's.
        let besides: String
        let last: String?
        let limit: Int?
        var found: [SnapshotRecord] = []

        /// The next shares, by id.
        func next(_ count: Int, after id: String?) -> SQL {
            var sql: SQL = "SELECT snapshot_id, owner_id FROM shares WHERE account_id = \(audience)"
            if let owner { sql = sql + " AND owner_id = \(owner)" }
            if let id { sql = sql + " AND snapshot_id > \(id)" }
            if let last { sql = sql + " AND snapshot_id <= \(last)" }
            return sql + " ORDER BY snapshot_id LIMIT \(count)"
        }
    }

    private func walk(
        _ walk: inout ShareWalk, from start: String?, atMost walking: Int
    ) throws(CatalogFailure) -> SnapshotPart {
        var after = start, walked = 0
        while walked < walking {
            let wanted = walk.limit.map { $0 - walk.found.count } ?? .max
            if wanted <= 0 { break }
            // As many as may be missing; where most are not for it to see, many.
            let count = min(1000, walking - walked, walked == 0 ? wanted : max(wanted, 100))
            var shares: [(id: String, owner: String)] = []
            for row in try connection.query(walk.next(count, after: after)) {
                shares.append((try row.text("snapshot_id"), try row.text("owner_id")))
            }
            var mine = shares.filter { $0.owner != walk.besides && walk.owners?.contains($0.owner) ?? true }
            if walk.audience == ShareRecord.everybody {
                let hiding = try hiding(of: Set(mine.map(\.owner)))
                mine.removeAll { hiding.contains($0.owner) }
            }
            walk.found += try page("1 = 1", mine.map(\.id), nil, nil, walk.limit.map { $0 - walk.found.count })
            if shares.count < count, walk.limit.map({ walk.found.count < $0 }) ?? true {
                return SnapshotPart(walk.found, reached: nil)
            }
            walked += shares.count
            after = shares.last?.id ?? after
        }
        if let limit = walk.limit, walk.found.count >= limit { return SnapshotPart(walk.found, limit: limit) }
        return SnapshotPart(walk.found, reached: after)
    }
}
