import Blocks
import Testing

@testable import Catalog

/// What lists cost: no statement behind one reads a table from end to end.
@Suite struct QueryPlanTests {
    /// Remembers what it is asked.
    private final class Listener: SQLConnection {
        let connection: SQLiteConnection
        var asked: [SQL] = []
        init(_ connection: SQLiteConnection) { self.connection = connection }

        func execute(_ statement: SQL) throws(CatalogFailure) -> Int { try connection.execute(statement) }
        func query(_ statement: SQL) throws(CatalogFailure) -> [SQLRow] {
            asked.append(statement)
            return try connection.query(statement)
        }
        func begin() throws(CatalogFailure) { try connection.begin() }
        func commit() throws(CatalogFailure) { try connection.commit() }
        func rollBack() { connection.rollBack() }
        func close() { connection.close() }
    }

    /// The steps of every statement that `body` asks which read a whole table, or a whole index of it.
    private func scans(_ body: (CatalogSession) throws -> Void) throws -> [String] {
        let connection = try SQLiteConnection(path: ":memory:")
        try Migration.apply(to: connection, at: 1)
        let listener = Listener(connection)
        try body(CatalogSession(listener))
        #expect(!listener.asked.isEmpty)
        return try listener.asked.flatMap { statement in
            try connection.query("EXPLAIN QUERY PLAN " + statement).map { try $0.text("detail") }
                // A list of values, or what a step before found, is no table.
                .filter { $0.hasPrefix("SCAN ") && !$0.contains("SUBQUERY") && !$0.hasPrefix("SCAN cut") }
        }
    }

    @Test("a page of snapshots is found by its account, its ids or its volumes")
    func snapshots() throws {
        let ids = ["snap-1", "snap-2"], own = AccountRecord.first
        let found = try scans { session in
            for (ids, volumes, after) in [
                (nil, nil, nil), (nil, nil, "snap-1"), (ids, nil, nil), (nil, ["vol-1"], nil),
                (nil, ["vol-1"], "snap-1"),
            ] as [([String]?, [String]?, String?)] {
                _ = try session.snapshots(of: own, ids: ids, volumes: volumes, after: after, limit: 1001)
                for owners in [nil, ["200000000000"]] as [[String]?] {
                    _ = try session.snapshots(
                        sharedWith: own, owners: owners, ids: ids, volumes: volumes, after: after, last: "snap-9",
                        limit: 1001)
                }
            }
            _ = try session.details(ofSnapshots: ids)
            _ = try session.snapshots(of: own, volume: "vol-1")
            _ = try session.snapshotCount(of: own)
            _ = try session.pendingSnapshotCount(of: own, volume: "vol-1")
            _ = try session.unfinishedChildren(ofSnapshot: "snap-1")
            _ = try session.living(ofLineage: "vol-1")
            _ = try session.isAwaiting(UncountedLineage(name: "vol-1", since: WallTime(milliseconds: 1), marks: 1))
        }
        #expect(found.isEmpty, "\(found)")
    }

    @Test("a page of what is shared takes what is on it, however much everybody may use and whoever hides or has that")
    func shared() throws {
        let me = AccountRecord.first, other = "200000000000"
        /// The steps of a page in the middle, of somebody's and of the owner's.
        func steps(_ count: Int) throws -> [Int] {
            let connection = try SQLiteConnection(path: ":memory:")
            try Migration.apply(to: connection, at: 1)
            let session = CatalogSession(connection)
            try session.insert(AccountRecord(id: other, name: "other", createdAt: WallTime(milliseconds: 1)))
            try connection.transaction {
                for number in 0..<count {
                    var record = SnapshotRecord(
                        id: "snap-\(100_000 + number)", volumeID: "vol-\(number % 10)", state: .completed,
                        volumeSize: .mebibytes(1), createdAt: WallTime(milliseconds: 1))
                    record.account = other
                    try session.insert(record)
                    try session.share(record.id, with: ShareRecord.everybody)
                    if number % 3 == 0 { try session.share(record.id, with: me) }
                }
            }
            let after = "snap-\(100_000 + count / 2)"
            func taken(_ body: () throws -> [SnapshotRecord]) throws -> Int {
                let before = connection.steps
                #expect(try body().map(\.id) == (1...6).map { "snap-\(100_000 + count / 2 + $0)" })
                return connection.steps - before
            }
            func page(_ owners: [String]?, _ ids: [String]? = nil) throws -> [SnapshotRecord] {
                try session.snapshots(
                    sharedWith: me, owners: owners, ids: ids, volumes: nil, after: after, last: nil, limit: 6
                ).records
            }
            let named = (1...6).map { "snap-\(100_000 + count / 2 + $0)" }
            let seen = try [taken { try page(nil) }, taken { try page([other]) }, taken { try page(nil, named) }]
            // Its owner is told of none that others share, up to the last of its own page.
            let before = connection.steps
            let none = try session.snapshots(
                sharedWith: other, owners: nil, ids: nil, volumes: nil, after: after,
                last: "snap-\(100_000 + count / 2 + 6)", limit: 6)
            #expect(none.records.isEmpty && none.reached == nil)
            return seen + [connection.steps - before]
        }
        let (few, many) = try (steps(300), steps(6000))
        for (few, many) in zip(few, many) { #expect(few > 0 && many < few + few / 2, "\(few) and \(many) steps") }
    }

    @Test(
        "who hides what is everybody's hides it, but not from those with whom it is shared by name; each is there once")
    func hidden() throws {
        let me = AccountRecord.first, other = "200000000000"
        let connection = try SQLiteConnection(path: ":memory:")
        try Migration.apply(to: connection, at: 1)
        let session = CatalogSession(connection)
        try session.insert(AccountRecord(id: other, name: "other", createdAt: WallTime(milliseconds: 1)))
        for number in 0..<4 {
            var record = SnapshotRecord(
                id: "snap-\(number)", volumeID: "vol-\(number)", state: .completed, volumeSize: .mebibytes(1),
                createdAt: WallTime(milliseconds: 1))
            record.account = number == 3 ? me : other
            try session.insert(record)
            if number != 1 { try session.share(record.id, with: ShareRecord.everybody) }
            if number != 2 { try session.share(record.id, with: me) }
        }
        func seen(
            _ owners: [String]? = nil, _ volumes: [String]? = nil, last: String? = nil, limit: Int? = nil
        ) throws -> [String] {
            try session.snapshots(
                sharedWith: me, owners: owners, ids: nil, volumes: volumes, after: nil, last: last, limit: limit
            ).records.map(\.id)
        }
        let volumes = (0..<4).map { "vol-\($0)" }
        #expect(
            try seen() == ["snap-0", "snap-1", "snap-2"] && seen([other]) == seen() && seen(nil, volumes) == seen())
        #expect(try seen(limit: 2) == ["snap-0", "snap-1"] && seen(last: "snap-1") == ["snap-0", "snap-1"])
        #expect(try seen([]).isEmpty && seen(["300000000000"]).isEmpty && seen([other], last: "snap-0") == ["snap-0"])
        try session.set(ShareRecord.publicAccess, of: other, to: ShareRecord.hidden)
        #expect(try seen() == ["snap-0", "snap-1"] && seen([other]) == seen() && seen(nil, volumes) == seen())
    }

    @Test(
        "what is shared is told once and whole, part by part, however little of what is shared one sees",
        arguments: 1...4)
    func parts(walking: Int) throws {
        let me = AccountRecord.first, owners = (1...6).map { "\($0)00000000000" }.filter { $0 != me }
        let connection = try SQLiteConnection(path: ":memory:")
        try Migration.apply(to: connection, at: 1)
        let session = CatalogSession(connection)
        for owner in owners {
            try session.insert(AccountRecord(id: owner, name: owner, createdAt: WallTime(milliseconds: 1)))
        }
        try session.set(ShareRecord.publicAccess, of: owners[0], to: ShareRecord.hidden)
        var expected: [(id: String, owner: String)] = []
        for number in 0..<60 {
            // Long runs of one owner's, whether it hides them or not.
            let owner = number % 20 < 12 ? owners[number / 20] : number % 3 == 0 ? me : owners[number % owners.count]
            var record = SnapshotRecord(
                id: "snap-\(100 + number)", volumeID: "vol-1", state: .completed, volumeSize: .mebibytes(1),
                createdAt: WallTime(milliseconds: 1))
            record.account = owner
            record.isDeleted = number % 11 == 0
            try session.insert(record)
            if number % 5 != 0 { try session.share(record.id, with: ShareRecord.everybody) }
            if number % 7 == 0 { try session.share(record.id, with: me) }
            let isSeen = number % 7 == 0 || number % 5 != 0 && owner != owners[0]
            if owner != me, !record.isDeleted, isSeen { expected.append((record.id, owner)) }
        }
        for wanted in [nil, [owners[0]], [owners[1], owners[2]], owners + [me], [me], []] as [[String]?] {
            for limit in [nil, 1, 3, 7, 1000] as [Int?] {
                var found: [String] = [], after: String?
                repeat {
                    let part = try session.snapshots(
                        sharedWith: me, owners: wanted, ids: nil, volumes: nil, after: after, last: nil, limit: limit,
                        walking: walking)
                    #expect(part.records.count <= limit ?? .max)
                    // It always goes on.
                    if let reached = part.reached { #expect(reached > after ?? "") }
                    found += part.records.map(\.id)
                    after = part.reached
                } while after != nil
                #expect(
                    found == expected.filter { wanted?.contains($0.owner) ?? true }.map(\.id),
                    "\(wanted ?? ["all"]) by \(limit ?? 0)")
            }
        }
    }

    @Test("a part ends after so many shares that one does not see")
    func passedOver() throws {
        let me = AccountRecord.first, other = "200000000000"
        let connection = try SQLiteConnection(path: ":memory:")
        try Migration.apply(to: connection, at: 1)
        let session = CatalogSession(connection)
        try session.insert(AccountRecord(id: other, name: "other", createdAt: WallTime(milliseconds: 1)))
        try session.set(ShareRecord.publicAccess, of: other, to: ShareRecord.hidden)
        try connection.transaction {
            for number in 0..<500 {
                var record = SnapshotRecord(
                    id: "snap-\(1000 + number)", volumeID: "vol-1", state: .completed, volumeSize: .mebibytes(1),
                    createdAt: WallTime(milliseconds: 1))
                record.account = other
                try session.insert(record)
                try session.share(record.id, with: ShareRecord.everybody)
            }
        }
        for owners in [nil, [other]] as [[String]?] {
            let part = try session.snapshots(
                sharedWith: me, owners: owners, ids: nil, volumes: nil, after: nil, last: nil, limit: 5, walking: 100)
            #expect(part.records.isEmpty && part.reached == "snap-1099")
        }
    }

    @Test("so are an account's volumes, instances, images, tags and events")
    func others() throws {
        let own = AccountRecord.first
        let found = try scans { session in
            _ = try session.volumes(of: own)
            _ = try session.volumeAttachments(of: own)
            _ = try session.images(of: own)
            for kind in [TaggedKind.volumes, .snapshots, .instances, .policies] {
                _ = try session.tags(ofAll: kind, in: own)
            }
            _ = try session.events(of: own, EventSelection(limit: 10))
            _ = try session.policySnapshots(ofPolicy: "policy-1", volume: "vol-1")
            _ = try session.keptCounts(ofPolicy: "policy-1")
            _ = try session.usage(of: own, in: 0..<10, by: .object(.snapshot))
            _ = try session.provisioned(of: own, kind: "gp3", besides: ["vol-1"])
        }
        #expect(found.isEmpty, "\(found)")
    }
}
