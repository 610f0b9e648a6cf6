import Blocks
import Simulation
import TestSupport
import Testing
import VolumeEngine

@testable import Catalog
@testable import ControlPlane

/// A pending snapshot is deleted just as the next one is taken.
@Suite struct DeleteMeetsCutTests {
    @Test("the next one is completed, whatever becomes of the one that is deleted")
    func meets() async throws {
        for _ in 0..<4 {
            let (fixture, volume, first) = try await Self.pending()
            let house = fixture.house.household, snapshots = fixture.snapshots
            try await fixture.write(volume, 2..<6, 2)
            // In the volume's lane the cut comes first and then the deletion, which has taken the upload off the desk before.
            let (next, deletion) = try await house.lanes.run(volume) {
                let next = Task { try await snapshots.create(CreateSnapshot(volume: volume)).id }
                try await Task.sleep(for: .milliseconds(50))
                let deletion = Task { try await snapshots.delete(first) }
                try await fixture.eventually("it is off the desk") { house.desk.upload(of: first) == nil }
                return (next, deletion)
            }
            let second = try await next.value
            try await deletion.value
            #expect(try await snapshots.wait(for: second).state == .completed)
            await fixture.house.close()
        }
    }

    /// A house with a pending snapshot whose upload has failed once and waits for a clock that does not move.
    private static func pending() async throws -> (fixture: HouseFixture, volume: String, snapshot: String) {
        let clock = ManualClock()
        let fixture = try await HouseFixture { plan in
            plan.clock = clock
            plan.scrubEvery = nil
        }
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<4, 1)
        try fixture.hideStore()
        let snapshot = try await fixture.snapshots.create(CreateSnapshot(volume: volume)).id
        try await fixture.eventually("its upload has failed") { fixture.house.household.desk.tally.failures > 0 }
        try fixture.showStore()
        return (fixture, volume, snapshot)
    }

    private static func gone(_ fixture: HouseFixture, _ snapshot: String) async throws {
        try await fixture.eventually("it is gone") {
            try await fixture.house.household.catalog.change { try $0.snapshot(snapshot) } == nil
        }
    }

    @Test("a deletion goes on when its cut is cancelled and that could not be recorded")
    func cancelledUnrecorded() async throws {
        let (fixture, volume, snapshot) = try await Self.pending()
        let house = fixture.house.household
        let upload = try #require(try await onThread { house.desk.remove(snapshot) })
        _ = try await house.local.run { upload.view.volume.cancel(snapshot, reason: "it was deleted") }
        try await fixture.snapshots.delete(snapshot)
        try await Self.gone(fixture, snapshot)
        let next = try await fixture.snapshot(volume)
        #expect(try await fixture.look(snapshot: next).prefix(5) == [1, 1, 1, 1, 0])
        await fixture.house.close()
    }

    @Test("a deletion that cannot read the catalog once its upload is off the desk is done when it can again")
    func catalogAway() async throws {
        let (fixture, volume, snapshot) = try await Self.pending()
        let house = fixture.house.household
        // Once the upload is off the desk, the deletion waits for the volume's lane, and finds no snapshots there.
        let deletion = try await house.lanes.run(volume) {
            let deletion = Task { try await fixture.snapshots.delete(snapshot) }
            try await fixture.eventually("it is off the desk") { house.desk.upload(of: snapshot) == nil }
            try await house.catalog.change { session in
                try session.connection.execute("CREATE TABLE aside (text TEXT)")
                try session.connection.execute(
                    "INSERT INTO aside SELECT sql FROM sqlite_master WHERE name = 'keyed_snapshots'")
                try session.connection.execute("DROP VIEW keyed_snapshots")
            }
            return deletion
        }
        try await deletion.value
        let tasks = try await house.catalog.change { try $0.unfinishedTasks(ofSubject: snapshot) }
        #expect(tasks.contains { $0.kind == TaskView.Kind.deleteSnapshot.rawValue && $0.retries > 0 })
        try await house.catalog.change { session in
            let row = try #require(try session.connection.query("SELECT text FROM aside").first)
            try session.connection.execute(SQL(stringLiteral: row.text("text")))
        }
        try await Self.gone(fixture, snapshot)
        let next = try await fixture.snapshot(volume)
        #expect(try await fixture.look(snapshot: next).prefix(5) == [1, 1, 1, 1, 0])
        await fixture.house.close()
    }

    /// Nobody waits for anybody: each snapshot is taken while one of those before, most of them pending, is deleted, in whatever
    /// order their steps come. Those that are left hold what the volume held, and none failed.
    @Test(
        "of snapshots that are taken while others are deleted each that is left is whole",
        arguments: Seed.some(fixed: 2, fresh: 2))
    func storm(seed: Seed) async throws {
        var random = SeededRandom(seed: seed.number)
        let fixture = try await HouseFixture { $0.scrubEvery = nil }
        let snapshots = fixture.snapshots
        let volume = try await fixture.volume()
        _ = try await fixture.volumes.attach(volume)
        var now = try await fixture.look(volume)
        var images: [String: [UInt8]] = [:]
        for step in 0..<30 {
            let start = Int.random(in: 0..<now.count, using: &random)
            let blocks = start..<min(now.count, start + Int.random(in: 1...9, using: &random))
            let byte = UInt8(step % 250 + 1)
            try await fixture.write(volume, blocks, byte)
            for block in blocks { now[block] = byte }
            let victim = images.keys.sorted().randomElement(using: &random)
            let deletion = Task {
                if let victim, step % 3 != 0 { try await snapshots.delete(victim) }
            }
            let made = try await snapshots.create(CreateSnapshot(volume: volume)).id
            try await deletion.value
            images[made] = now
            if let victim, step % 3 != 0 { images[victim] = nil }
        }
        for (snapshot, image) in images {
            #expect(try await snapshots.wait(for: snapshot).state == .completed)
            #expect(try await fixture.restore(snapshot) == image)
        }
        await fixture.house.close()
    }
}
