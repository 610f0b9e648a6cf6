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
                _ = try session.snapshots(sharedWith: own, ids: ids, volumes: volumes, after: after, limit: 1001)
            }
            _ = try session.details(ofSnapshots: ids)
            _ = try session.snapshots(of: own, volume: "vol-1")
            _ = try session.snapshotCount(of: own)
            _ = try session.pendingSnapshotCount(of: own, volume: "vol-1")
            _ = try session.unfinishedChildren(ofSnapshot: "snap-1")
            _ = try session.living(ofLineage: "vol-1")
        }
        #expect(found.isEmpty, "\(found)")
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
            _ = try session.usage(of: own, in: 0..<10, by: .object(.snapshot))
            _ = try session.provisioned(of: own, kind: "gp3", besides: ["vol-1"])
        }
        #expect(found.isEmpty, "\(found)")
    }
}
