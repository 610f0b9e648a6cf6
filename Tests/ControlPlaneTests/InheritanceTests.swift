import Blocks
import Catalog
import ObjectStore
import Repository
import Simulation
import TestSupport
import Testing

@testable import ControlPlane

/// For whom that counts what deleted snapshots stored, on a clock moved by hand.
@Suite struct InheritanceTests {
    /// Lets the time pass after which deletions are counted, and waits for that.
    static func count(_ fixture: HouseFixture, _ clock: ManualClock) async throws {
        // A deletion marks once more when it is over: no time passes for that which is marked later.
        try await fixture.quiet()
        clock.advance(by: Inheritance.pause)
        let catalog = fixture.house.household.catalog
        try await fixture.eventually("counted") { try await catalog.change { try $0.uncountedLineage() } == nil }
    }

    static func inherited(_ id: String, _ fixture: HouseFixture) async throws -> Int {
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

    private static func heirs(
        _ needs: [(id: String, account: String, packs: [PackName: Int])], gone: [String: String?]
    ) throws -> Heirs {
        var heirs = Heirs()
        for one in needs {
            heirs.know(try StoreDoor.id(one.id), PackAuthor(isGone: false, account: one.account))
        }
        for (id, account) in gone { heirs.know(try StoreDoor.id(id), PackAuthor(isGone: true, account: account)) }
        for one in needs {
            let needs = SnapshotNeeds(full: ByteCount(9), packs: one.packs.mapValues { ByteCount($0) })
            #expect(heirs.unknown(in: needs).isEmpty)
            heirs.add(LineageMember(id: one.id, account: one.account), needs)
        }
        return heirs
    }

    @Test("each pack counts once: for the oldest that needs it, with the most that any of them refers to")
    func shares() throws {
        let (gone, alive) = (try StoreDoor.id("snap-a"), try StoreDoor.id("snap-b"))
        var heirs = try Self.heirs(
            [
                ("snap-b", "1", [PackName(gone, 1): 5, PackName(alive, 1): 100]),
                ("snap-c", "1", [PackName(gone, 1): 7, PackName(gone, 2): 11, PackName(alive, 1): 50]),
            ], gone: ["snap-a": "1"])
        #expect(heirs.changes["snap-b"]?.inherited.bytes == 7 && heirs.changes["snap-c"]?.inherited.bytes == 11)
        #expect(heirs.needed == [gone, alive] && heirs.isWhole)
        let nobody = try StoreDoor.id("snap-d")
        #expect(heirs.unknown(in: SnapshotNeeds(full: .zero, packs: [PackName(nobody, 1): 1])) == [nobody])
        // One that cannot be read may have inherited any of it: all stays as it was.
        heirs.passOver()
        #expect(heirs.changes["snap-b"] == InheritedShare(inherited: .zero, full: ByteCount(9)) && !heirs.isWhole)
    }

    @Test("only what is another than it was is written")
    func changes() throws {
        let pack = PackName(try StoreDoor.id("snap-a"), 1)
        func changes(_ inherited: Int, _ full: Int?, isWhole: Bool = true) throws -> [String: InheritedShare] {
            var heirs = Heirs()
            heirs.know(pack.snapshot, PackAuthor(isGone: true, account: "1"))
            let full = full.map { ByteCount($0) }
            heirs.add(
                LineageMember(id: "snap-b", account: "1", inherited: ByteCount(inherited), full: full),
                SnapshotNeeds(full: ByteCount(9), packs: [pack: 5]))
            if !isWhole { heirs.passOver() }
            return heirs.changes
        }
        let known = InheritedShare(inherited: 5, full: 9)
        #expect(try changes(5, 9).isEmpty)
        #expect(try changes(5, nil) == ["snap-b": known] && changes(4, 9) == ["snap-b": known])
        #expect(try changes(4, 9, isWhole: false).isEmpty)
        #expect(try changes(4, 8, isWhole: false) == ["snap-b": InheritedShare(inherited: 4, full: 9)])
    }

    @Test("what an account stored counts for its own snapshots, for another's copies only when none of them is left")
    func accounts() throws {
        let pack = PackName(try StoreDoor.id("snap-a"), 1)
        let all = [
            ("snap-b", "2", [pack: 5]), ("snap-c", "1", [pack: 3]), ("snap-d", "1", [pack: 4]),
        ]
        func heirs(_ count: Int, _ account: String?) throws -> [String: Int] {
            try Self.heirs(all.prefix(count).map { ($0.0, $0.1, $0.2) }, gone: ["snap-a": account]).changes
                .mapValues(\.inherited.bytes)
        }
        #expect(try heirs(3, "1") == ["snap-b": 0, "snap-c": 5, "snap-d": 0])
        #expect(try heirs(1, "1") == ["snap-b": 5])
        #expect(try heirs(3, "3") == ["snap-b": 5, "snap-c": 0, "snap-d": 0])
        #expect(try heirs(3, nil) == ["snap-b": 5, "snap-c": 0, "snap-d": 0], "whose it was is not known")
    }

    @Test("a lineage that cannot be read stops no other and is counted later; a damaged one keeps what counted")
    func failing() async throws {
        let clock = ManualClock(at: UsageTests.start)
        let store = TrickStore()
        let fixture = try await store.house { $0.clock = clock }
        let catalog = fixture.house.household.catalog
        /// A volume whose first snapshot is deleted, and the one that inherits.
        func heir() async throws -> String {
            let volume = try await fixture.volume()
            try await fixture.write(volume, 0..<100, 1)
            let first = try await fixture.snapshot(volume)
            clock.advance(by: .seconds(1))
            try await fixture.write(volume, 0..<10, 2)
            let second = try await fixture.snapshot(volume)
            try await fixture.snapshots.delete(first)
            return second
        }
        let one = try await heir(), two = try await heir()
        try await fixture.quiet()
        store.play { call in call.operation == .get && call.key.hasSuffix(one) ? .permanent : nil }
        clock.advance(by: Inheritance.pause)
        try await fixture.eventually("the other is counted") { try await Self.inherited(two, fixture) > 0 }
        #expect(try await Self.inherited(one, fixture) == 0)
        let waiting = try #require(try await catalog.change { try $0.uncountedLineage() })
        #expect(waiting.since == clock.now(), "as if it had been marked now")
        store.play(nil)
        try await Self.count(fixture, clock)
        let before = try await Self.inherited(one, fixture)
        #expect(before > 0)
        // Damage: nothing is known of what it inherits, so what counted for it does.
        let manifest = try store.memory.get("snapshots/" + one, range: nil)
        try store.spoil("snapshots/" + one)
        try await catalog.change { try $0.recount(lineageOf: one, at: clock.now()) }
        fixture.house.household.inheritance.lookSoon()
        clock.advance(by: Inheritance.pause)
        let later = clock.now() + Inheritance.pauseOfDamaged
        try await fixture.eventually("it waits for a day") {
            try await catalog.change { try $0.uncountedLineage() }?.since == later
        }
        #expect(try await Self.inherited(one, fixture) == before)
        try store.put(manifest, at: "snapshots/" + one)
        clock.advance(by: Inheritance.pauseOfDamaged)
        try await Self.count(fixture, clock)
        #expect(try await Self.inherited(one, fixture) == before)
        await fixture.house.close()
    }

    @Test("while a snapshot is being made whose parent is deleted its lineage waits, and nothing is forgotten of it")
    func awaiting() async throws {
        let clock = ManualClock(at: UsageTests.start)
        let store = TrickStore()
        let fixture = try await store.house { $0.clock = clock }
        let catalog = fixture.house.household.catalog
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<100, 1)
        let one = try await fixture.snapshot(volume)
        clock.advance(by: .seconds(1))
        try await fixture.write(volume, 0..<10, 2)
        let two = try await fixture.snapshot(volume)
        try await fixture.snapshots.delete(one)
        try await Self.count(fixture, clock)
        let before = try await Self.inherited(two, fixture)
        #expect(before > 0)
        store.play { $0.operation == .putIfAbsent && $0.key.hasPrefix("snapshots/") ? .permanent : nil }
        try await fixture.write(volume, 10..<20, 3)
        let three = try await fixture.snapshot(volume, wait: false)
        try await fixture.eventually("it waits") { try await fixture.snapshots.show(three).reason != nil }
        try await fixture.snapshots.delete(two)
        for _ in 0..<2 {
            clock.advance(by: Inheritance.pause)
            try await fixture.eventually("it is put off") {
                try await catalog.change { try $0.uncountedLineage() }?.since == clock.now()
            }
        }
        let author = try await catalog.change { try $0.author(one) }
        #expect(author == PackAuthor(isGone: true, account: AccountRecord.first))
        store.play(nil)
        fixture.house.store.retryUploads()
        _ = try await fixture.snapshots.wait(for: three)
        try await Self.count(fixture, clock)
        #expect(try await Self.inherited(three, fixture) > 0)
        await fixture.house.close()
    }

    @Test("what another account's snapshot inherited goes to a copy of that which the account makes that stored it")
    func comingBack() async throws {
        let clock = ManualClock(at: UsageTests.start)
        let fixture = try await UsageTests.fixture(clock)
        let (builders, theirs) = try await fixture.otherAccount()
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<100, 1)
        let one = try await fixture.snapshot(volume)
        clock.advance(by: .seconds(1))
        _ = try await fixture.snapshots.share(one, SharingChange(adding: [builders]))
        let copy = try await theirs.snapshots.wait(for: theirs.snapshots.copy(CopySnapshot(one)).id).id
        try await fixture.snapshots.delete(one)
        try await Self.count(fixture, clock)
        let before = try await Self.inherited(copy, fixture)
        #expect(before > 0, "none of the account that stored it is left")
        _ = try await theirs.snapshots.share(copy, SharingChange(adding: [AccountRecord.first]))
        clock.advance(by: .seconds(1))
        let back = try await fixture.snapshots.wait(for: fixture.snapshots.copy(CopySnapshot(copy)).id).id
        try await Self.count(fixture, clock)
        #expect(try await Self.inherited(back, fixture) == before)
        #expect(try await Self.inherited(copy, fixture) == 0)
        await fixture.house.close()
    }

    @Test("copies of different volumes are of different lineages, and inherit each from its own")
    func copies() async throws {
        let clock = ManualClock(at: UsageTests.start)
        let fixture = try await RegionTests.fixture { $0.clock = clock }
        let west = try RegionTests.verbs(fixture).snapshots
        let catalog = fixture.house.place(of: RegionTests.west).catalog
        for byte in [UInt8(1), 2] {
            let volume = try await fixture.volume()
            try await fixture.write(volume, 0..<10, byte)
            let first = try await west.wait(
                for: try await west.copy(CopySnapshot(try await fixture.snapshot(volume), from: "us-east-1")).id)
            clock.advance(by: .seconds(1))
            try await fixture.write(volume, 20..<30, byte)
            let second = try await west.wait(
                for: try await west.copy(CopySnapshot(try await fixture.snapshot(volume), from: "us-east-1")).id)
            #expect(try await catalog.change { try $0.living(ofLineage: volume) }.map(\.id) == [first.id, second.id])
        }
        await fixture.house.close()
    }
}
