import Blocks
import Testing

@testable import Catalog

@Suite struct MigrationTests {
    private let second = Migration(number: 2, name: "second", statements: ["ALTER TABLE volumes ADD COLUMN extra TEXT"])

    @Test("every migration is applied once, in order, and recorded")
    func applied() throws {
        let connection = try SQLiteConnection(path: ":memory:")
        try Migration.apply(to: connection, at: 5)
        try Migration.apply(to: connection, at: 6)
        let rows = try connection.query("SELECT * FROM migrations ORDER BY number")
        #expect(try rows.map { try $0.integer("number") } == Migration.all.map(\.number))
        #expect(try rows.map { try $0.text("name") } == Migration.all.map(\.name))
        #expect(try rows.allSatisfy { try $0.integer("applied_at") == 5 })
    }

    @Test("an older schema gets only what it lacks")
    func later() throws {
        let connection = try SQLiteConnection(path: ":memory:")
        try Migration.apply([.first], to: connection, at: 1)
        try Migration.apply([.first, second], to: connection, at: 2)
        let rows = try connection.query("SELECT applied_at FROM migrations ORDER BY number")
        #expect(try rows.map { try $0.integer("applied_at") } == [1, 2])
        _ = try connection.query("SELECT extra FROM volumes")
    }

    @Test("what was attached before volumes could be shared stays so, by the export it had, and goes with its volume")
    func beforeSharing() throws {
        let connection = try SQLiteConnection(path: ":memory:")
        try Migration.apply(Array(Migration.all.prefix(35)), to: connection, at: 1)
        for id in ["vol-1", "vol-2", "vol-3"] {
            try connection.execute(
                """
                INSERT INTO volumes (id, name, state, size, created_at, account_id)
                VALUES (\(id), 'old', 'available', 4096, 7, \(AccountRecord.first))
                """)
        }
        try connection.execute(
            """
            INSERT INTO attachments (volume_id, host, device, goes_with_instance, attached_at)
            VALUES ('vol-1', 'i-1', '/dev/sdf', 1, 8), ('vol-2', 'local', NULL, 0, 9)
            """)
        try Migration.apply(to: connection, at: 2)
        let session = CatalogSession(connection)
        #expect(
            try session.volumeAttachments() == [
                AttachmentRecord(
                    objectID: "vol-1", host: "i-1", device: "/dev/sdf", goesWithInstance: true,
                    attachedAt: WallTime(milliseconds: 8)),
                AttachmentRecord(objectID: "vol-2", host: "local", attachedAt: WallTime(milliseconds: 9)),
            ])
        #expect(try session.volumeAttachments().map(\.export) == ["vol-1", "vol-2"])
        let volume = try #require(try session.volume("vol-1"))
        #expect(!volume.isShared && volume.fillRate == nil && volume.description == nil)
        #expect(volume.wasAttached)
        #expect(!volume.isMadeEmpty, "nobody knows")
        #expect(try session.volume("vol-3")?.wasAttached == true, "nobody knows, so it may have been")
        try session.deleteVolume("vol-1")
        #expect(try session.volumeAttachments().map(\.objectID) == ["vol-2"])
    }

    @Test("of a new disk that is under way at the upgrade, the state counts that its instance has then")
    func replacementsUnderWay() throws {
        let connection = try SQLiteConnection(path: ":memory:")
        try Migration.apply(Array(Migration.all.prefix(47)), to: connection, at: 1)
        try connection.execute(
            """
            INSERT INTO instances (id, account_id, state, zone, kind, is_kept, launch_id, launched_at, changed_at)
            VALUES ('i-1', \(AccountRecord.first), 'stopped', 'a', 'm5.large', 0, 'r-1', 7, 8)
            """)
        for (id, instance) in [("replacevol-1", "i-1"), ("replacevol-2", "i-2")] {
            try connection.execute(
                """
                INSERT INTO root_replacements (id, account_id, instance_id, device, snapshot_id, size, old_volume,
                    deletes_old, state, started_at)
                VALUES (\(id), \(AccountRecord.first), \(instance), '/dev/sda1', 'snap-1', 4096, 'vol-1', 1, 'pending', 9)
                """)
        }
        try Migration.apply(to: connection, at: 2)
        let session = CatalogSession(connection)
        let found = try #require(try session.rootReplacement("replacevol-1"))
        #expect(found.instanceState == .stopped && found.instanceSince == WallTime(milliseconds: 8))
        #expect(try session.rootReplacement("replacevol-2")?.instanceState == nil)
    }

    @Test("what was there before accounts belongs to the first one, and has a kind and no origin")
    func beforeAccounts() throws {
        let connection = try SQLiteConnection(path: ":memory:")
        try Migration.apply([.first, .setAside, .encryption, .care], to: connection, at: 1)
        try connection.execute(
            """
            INSERT INTO volumes (id, name, state, size, source_snapshot, created_at)
            VALUES ('vol-1', 'old', 'available', 4096, 'snap-1', 7)
            """)
        try connection.execute(
            """
            INSERT INTO snapshots (id, volume_id, state, is_deleted, volume_size, created_at)
            VALUES ('snap-1', 'vol-1', 'completed', 0, 4096, 8)
            """)
        for (id, kind) in [("task-1", "take-snapshot"), ("task-2", "rotate-keys")] {
            try connection.execute(
                """
                INSERT INTO tasks (id, kind, subject_id, state, retries, created_at, updated_at)
                VALUES (\(id), \(kind), 'x', 'running', 0, 9, 9)
                """)
        }
        try Migration.apply(to: connection, at: 2)
        let session = CatalogSession(connection)
        let volume = try #require(try session.volume("vol-1"))
        #expect(volume.account == AccountRecord.first && volume.name == "old" && volume.sourceSnapshot == "snap-1")
        #expect(volume.kind == "gp2" && volume.iops == nil && volume.zone == nil && volume.originSnapshot == nil)
        #expect(try session.snapshots(of: AccountRecord.first).map(\.id) == ["snap-1"])
        #expect(try session.unfinishedTasks().map(\.account) == [AccountRecord.first, nil])
        #expect(try session.accounts().map(\.id) == [AccountRecord.first])
    }

    @Test(
        "snapshots from before lineages get that of what they build on, else their volume's, and are all counted once")
    func lineages() throws {
        let connection = try SQLiteConnection(path: ":memory:")
        try Migration.apply(Migration.all.filter { $0.number < Migration.lineages.number }, to: connection, at: 1)
        // A parent that is gone says nothing; one that is there, whichever volume it is of, does.
        let known: [(id: String, volume: String, parent: String?)] = [
            ("snap-1", "vol-1", nil), ("snap-2", "vol-1", "snap-1"), ("snap-4", "vol-1", "snap-3"),
            ("snap-5", "vol-2", "snap-4"), ("snap-6", "vol-3", nil),
            // Copies whose source was not looked at yet have nothing in common.
            ("snap-7", "vol-ffffffff", nil), ("snap-8", "vol-ffffffff", nil),
        ]
        for snapshot in known {
            try connection.execute(
                """
                INSERT INTO snapshots (id, volume_id, parent_id, state, is_deleted, volume_size, created_at)
                VALUES (\(snapshot.id), \(snapshot.volume), \(snapshot.parent), 'completed', 0, 4096, 8)
                """)
        }
        try Migration.apply(to: connection, at: 2)
        let session = CatalogSession(connection)
        #expect(try session.living(ofLineage: "vol-1").map(\.id) == ["snap-1", "snap-2", "snap-4", "snap-5"])
        #expect(try session.living(ofLineage: "vol-2").isEmpty)
        #expect(try session.living(ofLineage: "vol-3").map(\.id) == ["snap-6"])
        #expect(try session.living(ofLineage: "vol-ffffffff").isEmpty)
        #expect(try session.living(ofLineage: "snap-7").map(\.id) == ["snap-7"])
        // Of them a copy gets to know its volume, or what it builds on.
        for (id, parent, lineage) in [("snap-7", nil, "vol-9"), ("snap-8", "snap-7", "vol-9")]
            as [(String, String?, String)]
        {
            var copy = try #require(try session.snapshot(id))
            copy.volumeID = parent == nil ? "vol-9" : "vol-8"
            copy.parentID = parent
            try session.placeCopy(copy)
            #expect(try session.living(ofLineage: lineage).map(\.id).last == id)
        }
        try connection.execute("DELETE FROM uncounted_lineages WHERE lineage IN ('snap-7', 'snap-8')")
        let lineage = try #require(try session.uncountedLineage())
        #expect(lineage.name == "vol-1" && lineage.since.milliseconds == 0)
        // Marked once more while it was counted: it stays to be counted.
        try session.recount(lineageOf: "snap-5", at: WallTime(milliseconds: 9))
        let shares = ["snap-2": InheritedShare(inherited: ByteCount(5), full: ByteCount(6))]
        try session.write(shares)
        try session.end(lineage, authors: [], at: WallTime(milliseconds: 10))
        #expect(try session.inherited(by: "snap-2") == ByteCount(5))
        #expect(try session.snapshot("snap-2")?.full == ByteCount(6) && session.snapshot("snap-1")?.full == nil)
        // Who waits comes first then.
        let other = try #require(try session.uncountedLineage())
        #expect(other.name == "vol-3")
        try session.end(other, authors: [], at: WallTime(milliseconds: 11))
        let again = try #require(try session.uncountedLineage())
        #expect(again.name == "vol-1" && again.marks == 2 && again.since.milliseconds == 10)
        #expect(try session.isMarkedAgain(lineage) && !session.isMarkedAgain(again))
        // What was put off for long is not once there is something new; what waits for longer goes on.
        try session.postpone(again, to: WallTime(milliseconds: 90))
        for time in [20, 30] as [Int64] {
            try session.recount(lineageOf: "snap-5", at: WallTime(milliseconds: time))
            #expect(try session.uncountedLineage()?.since.milliseconds == 20)
        }
        // Whose the deleted one was is known for as long as what it stored is needed.
        try session.deleteSnapshot("snap-5")
        let author = PackAuthor(isGone: true, account: AccountRecord.first)
        #expect(try session.author("snap-5") == author)
        try session.recountAllLineages(at: WallTime(milliseconds: 12))
        let last = try #require(try session.uncountedLineage())
        try session.end(last, authors: ["snap-5"], at: WallTime(milliseconds: 13))
        #expect(try last.name == "vol-1" && session.author("snap-5") == author)
        try session.recount(lineageOf: "snap-2", at: WallTime(milliseconds: 1))
        try session.end(#require(try session.uncountedLineage()), authors: [], at: WallTime(milliseconds: 13))
        #expect(try session.author("snap-5") == PackAuthor(isGone: true, account: nil))
        #expect(try session.author("snap-2") == PackAuthor(isGone: false, account: AccountRecord.first))
    }

    @Test("a newer schema is refused and left as it is")
    func newer() throws {
        let connection = try SQLiteConnection(path: ":memory:")
        try Migration.apply([.first, second], to: connection, at: 1)
        #expect(throws: CatalogFailure.newerSchema(found: 2, known: 1)) {
            try Migration.apply([.first], to: connection, at: 2)
        }
        _ = try connection.query("SELECT extra FROM volumes")
    }

    @Test("another program's migration under the same number is refused")
    func foreign() throws {
        let connection = try SQLiteConnection(path: ":memory:")
        try Migration.apply([.first], to: connection, at: 1)
        let other = Migration(number: 1, name: "other", statements: [])
        #expect(throws: CatalogFailure.foreignMigration(number: 1, found: "first", known: "other")) {
            try Migration.apply([other], to: connection, at: 2)
        }
    }

    @Test("a migration that fails half-way leaves nothing of itself")
    func half() throws {
        let connection = try SQLiteConnection(path: ":memory:")
        let broken = Migration(
            number: 2, name: "broken", statements: ["CREATE TABLE left_over (id TEXT) @table", "CREATE NONSENSE"])
        #expect(throws: CatalogFailure.self) { try Migration.apply([.first, broken], to: connection, at: 1) }
        #expect(throws: CatalogFailure.self) { try connection.query("SELECT * FROM left_over") }
        try Migration.apply([.first], to: connection, at: 2)
    }
}
