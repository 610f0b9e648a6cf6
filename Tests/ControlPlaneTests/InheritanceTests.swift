import Blocks
import Catalog
import Repository
import Simulation
import TestSupport
import Testing

@testable import ControlPlane

/// For whom that counts what deleted snapshots stored, on a clock moved by hand.
@Suite struct InheritanceTests {
    /// Lets the time pass after which deletions are counted, and waits for that.
    private static func count(_ fixture: HouseFixture, _ clock: ManualClock) async throws {
        clock.advance(by: Inheritance.pause)
        let catalog = fixture.house.household.catalog
        try await fixture.eventually("counted") { try await catalog.change { try $0.uncountedLineage() } == nil }
    }

    private static func inherited(_ id: String, _ fixture: HouseFixture) async throws -> Int {
        try #require(try await fixture.house.household.catalog.change { try $0.inherited(by: id) }).bytes
    }

    @Test("what a deleted snapshot stored counts for the oldest that needs it, then for the next, then for none")
    func heirs() async throws {
        let clock = ManualClock(at: UsageTests.start)
        let fixture = try await UsageTests.fixture(clock)
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<100, 1)
        let one = try await fixture.snapshot(volume)
        var rest: [String] = []
        for byte in [UInt8(2), 3] {
            // Each is younger than the one before.
            clock.advance(by: .seconds(1))
            try await fixture.write(volume, 0..<10, byte)
            rest.append(try await fixture.snapshot(volume))
        }
        let (two, three) = (rest[0], rest[1])
        let stored = try #require(try await fixture.snapshots.show(one).storedBytes)
        try await fixture.snapshots.delete(one)
        #expect(try await Self.inherited(two, fixture) == 0, "deletions are gathered for a while")
        try await Self.count(fixture, clock)
        let first = try await Self.inherited(two, fixture)
        #expect(first > 0 && first <= stored)
        #expect(try await Self.inherited(three, fixture) == 0)
        // And it is metered so from the next hour on.
        let hour = Meter.hour(of: clock.now()) + 1
        clock.advance(by: UsageTests.hour)
        await UsageTests.meter(fixture)
        let begin = WallTime(milliseconds: Int64(hour) * 3_600_000)
        let rows = try await fixture.house.verbs(for: .root).usage.report(
            from: begin, to: begin + UsageTests.hour, by: .snapshot
        ).rows
        let own = try #require(try await fixture.snapshots.show(two).storedBytes)
        #expect(rows.first { $0.key == two }?.byteHours == Double(own + first))
        #expect(rows.count == 2)
        // The next heir; a restart in between loses no mark.
        try await fixture.snapshots.delete(two)
        try await fixture.reopen()
        try await Self.count(fixture, clock)
        #expect(try await Self.inherited(three, fixture) > 0)
        // Who overwrote everything needs nothing of it.
        try await fixture.write(volume, 0..<100, 4)
        let four = try await fixture.snapshot(volume)
        try await fixture.snapshots.delete(three)
        try await Self.count(fixture, clock)
        #expect(try await Self.inherited(four, fixture) == 0)
        await fixture.house.close()
    }

    @Test("a volume made from a snapshot is of its lineage: its snapshots inherit, too")
    func clones() async throws {
        let clock = ManualClock(at: UsageTests.start)
        let fixture = try await UsageTests.fixture(clock)
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<100, 1)
        let source = try await fixture.snapshot(volume)
        let clone = try await fixture.volumes.create(CreateVolume(size: nil, origin: .snapshot(source))).id
        _ = try await fixture.volumes.attach(clone)
        try await fixture.eventually("all is there") {
            try await fixture.volumes.show(clone).hydration.isComplete
        }
        let heir = try await fixture.snapshot(clone)
        #expect(try await fixture.snapshots.show(heir).parentId == source)
        try await fixture.snapshots.delete(source)
        try await Self.count(fixture, clock)
        #expect(try await Self.inherited(heir, fixture) > 0)
        await fixture.house.close()
    }

    @Test("a full copy's size is told once it is stored, and found out of those from before that was noted")
    func fullSize() async throws {
        let clock = ManualClock(at: UsageTests.start)
        let fixture = try await UsageTests.fixture(clock)
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<7, 1)
        _ = try await fixture.snapshot(volume)
        clock.advance(by: .seconds(1))
        try await fixture.write(volume, 20..<21, 1)
        let later = try await fixture.snapshot(volume)
        #expect(try await fixture.snapshots.show(later).fullBytes == 8 * 4096)
        let catalog = fixture.house.household.catalog
        try await catalog.change { session in
            var record = try #require(try session.snapshot(later))
            record.full = nil
            try session.update(record)
            try session.recountAllLineages(at: WallTime(milliseconds: 0))
        }
        fixture.house.household.inheritance.lookSoon()
        try await Self.count(fixture, clock)
        #expect(try await fixture.snapshots.list().map(\.fullBytes) == [7 * 4096, 8 * 4096])
        await fixture.house.close()
    }

    @Test("each pack counts once: for the oldest that needs it, with the most that any of them refers to")
    func shares() throws {
        let (gone, alive) = (try StoreDoor.id("snap-a"), try StoreDoor.id("snap-b"))
        func needs(_ packs: [PackName: Int]) -> SnapshotNeeds {
            SnapshotNeeds(full: .zero, packs: packs.mapValues { ByteCount($0) })
        }
        let shares = Inheritance.shares(
            [
                ("snap-b", needs([PackName(gone, 1): 5, PackName(alive, 1): 100])),
                ("snap-c", needs([PackName(gone, 1): 7, PackName(gone, 2): 11, PackName(alive, 1): 50])),
            ], ["snap-a"])
        #expect(shares["snap-b"]?.inherited.bytes == 7 && shares["snap-c"]?.inherited.bytes == 11)
    }
}
