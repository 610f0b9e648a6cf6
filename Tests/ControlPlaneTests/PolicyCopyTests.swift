import Blocks
import Catalog
import Simulation
import TestSupport
import Testing

@testable import ControlPlane

/// Policies that copy to another region.
@Suite struct PolicyCopyTests {
    private struct World {
        let fixture: HouseFixture
        let clock: ManualClock
        let volume: String
        var policies: PolicyService { fixture.house.policies }
        var west: SnapshotService { get throws { try RegionTests.verbs(fixture).snapshots } }

        init() async throws {
            let clock = ManualClock()
            self.clock = clock
            fixture = try await HouseFixture { plan in
                plan.clock = clock
                plan.scrubEvery = nil
                plan.moreRegions = [RegionPlan(region: Region(name: RegionTests.west))]
            }
            var request = CreateVolume(size: .mebibytes(1))
            request.tags = ["backup": "yes"]
            volume = try await fixture.volumes.create(request).id
        }

        func day() async throws {
            clock.advance(by: .seconds(86_400))
            let house = fixture.house.household
            await house.scheduler.turn(house)
            for one in try await fixture.snapshots.list() where one.state == .pending {
                _ = try await fixture.snapshots.wait(for: one.id)
            }
            try await copyOn()
        }

        func copyOn() async throws {
            let house = fixture.house.household
            for policy in try await policies.list() { house.scheduler.look(at: policy.id) }
            await house.scheduler.copyTurn(house)
            for one in try await west.list() where one.state == .pending { _ = try await west.wait(for: one.id) }
            for policy in try await policies.list() { house.scheduler.look(at: policy.id) }
            await house.scheduler.copyTurn(house)
            await house.scheduler.turn(house)
        }

        func here() async throws -> [String] { try await fixture.snapshots.list().map { date($0.name) }.sorted() }
        func there() async throws -> [String] { try await west.list().map { date($0.name) }.sorted() }
        private func date(_ name: String?) -> String { String((name ?? "").dropFirst("auto-".count).prefix(10)) }
    }

    private static func plan(
        _ retention: Retention, copies: Retention, tags: Bool = false, to region: String = RegionTests.west
    ) -> PolicyPlan {
        let copy = PolicyPlan.Copy(to: region, keeping: copies, copiesTags: tags)
        let schedule = PolicyPlan.Schedule(
            "daily", .every(hours: 24, from: TimeOfDay(minutes: 0)), keeping: retention, copiesTags: true,
            copies: [copy])
        return PolicyPlan(targets: .init(.volumes, tags: [.init(key: "backup", value: "yes")]), schedules: [schedule])
    }

    @Test(
        "each snapshot is copied once, the copy has the policy's mark and the tags, and each side is kept by its own rule"
    )
    func copies() async throws {
        let world = try await World()
        let policy = try await world.policies.create(
            Self.plan(.newest(count: 1), copies: .age(amount: 2, unit: .days), tags: true))
        try await world.day()
        try await world.copyOn()
        let copy = try #require(try await world.west.list().first)
        let source = try #require(try await world.fixture.snapshots.list().first)
        #expect(copy.copyOf?.snapshotId == source.id && copy.name == source.name && copy.tags == ["backup": "yes"])
        #expect(copy.policy?.policyId == policy.id && copy.policy?.schedules == ["daily"])
        #expect(copy.policy?.expiresAt == copy.createdAt + .seconds(2 * 86_400))
        #expect(try await world.west.list().count == 1, "copied once, however often it is looked at")
        for _ in 0..<4 { try await world.day() }
        #expect(try await world.here() == ["2027-01-20"])
        #expect(try await world.there() == ["2027-01-19", "2027-01-20"])
        await world.fixture.house.close()
    }

    @Test(
        "paused it copies nothing and lets no copy go; without the rule, what was owed is owed no more, and copies stay"
    )
    func paused() async throws {
        let world = try await World()
        let id = try await world.policies.create(Self.plan(.newest(count: 9), copies: .age(amount: 2, unit: .days))).id
        try await world.day()
        _ = try await world.policies.set(isEnabled: false, of: id)
        world.clock.advance(by: .seconds(3600))
        _ = try await world.policies.run(id)
        for one in try await world.fixture.snapshots.list() { _ = try await world.fixture.snapshots.wait(for: one.id) }
        for _ in 0..<3 { try await world.day() }
        let before = try await world.west.list().map(\.id)
        #expect(before.count == 1)
        _ = try await world.policies.set(isEnabled: true, of: id)
        try await world.copyOn()
        let after = try await world.west.list().map(\.id)
        #expect(after.count == 1 && after != before, "what was taken meanwhile is copied, and replaces the old one")

        _ = try await world.policies.set(isEnabled: false, of: id)
        world.clock.advance(by: .seconds(3600))
        _ = try await world.policies.run(id)
        for one in try await world.fixture.snapshots.list() { _ = try await world.fixture.snapshots.wait(for: one.id) }
        var plan = try #require(try await world.policies.show(id).plan)
        plan.schedules[0].copies = []
        _ = try await world.policies.change(id, to: plan)
        _ = try await world.policies.set(isEnabled: true, of: id)
        for _ in 0..<3 { try await world.day() }
        #expect(try await world.west.list().count == 1)
        await world.fixture.house.close()
    }

    @Test("a snapshot whose copy cannot begin is not let go, the policy says why, and it is copied when it can be")
    func owed() async throws {
        let world = try await World()
        let id = try await world.policies.create(Self.plan(.newest(count: 1), copies: .newest(count: 9))).id
        let house = try #require(world.fixture.house.household.neighbours[RegionTests.west])
        // As many copies as may be at once, none of which can go on.
        let record = SnapshotRecord(
            id: "", volumeID: SnapshotView.noVolume, state: .pending, volumeSize: .zero, createdAt: world.clock.now())
        try await house.catalog.change { session in
            for number in 0..<20 {
                var one = record
                one = SnapshotRecord(
                    id: "snap-\(String(repeating: "0", count: 15))\(number + 10)", volumeID: one.volumeID,
                    state: .pending,
                    volumeSize: .zero, createdAt: one.createdAt)
                one.account = AccountRecord.first
                one.copy = CopyRecord(region: "nowhere", source: "snap-0")
                try session.insert(one)
            }
        }
        for _ in 0..<2 {
            world.clock.advance(by: .seconds(86_400))
            let home = world.fixture.house.household
            await home.scheduler.turn(home)
            for one in try await world.fixture.snapshots.list() where one.state == .pending {
                _ = try await world.fixture.snapshots.wait(for: one.id)
            }
            home.scheduler.look(at: id)
            await home.scheduler.copyTurn(home)
            await home.scheduler.turn(home)
        }
        #expect(try await world.here() == ["2027-01-16", "2027-01-17"])
        #expect(try await world.policies.show(id).problem?.contains("quota") == true)
        try await house.catalog.change { session in
            for number in 0..<20 {
                try session.deleteSnapshot("snap-\(String(repeating: "0", count: 15))\(number + 10)")
            }
        }
        try await world.copyOn()
        #expect(try await world.there() == ["2027-01-16", "2027-01-17"])
        world.clock.advance(by: .seconds(60))
        try await world.copyOn()
        #expect(try await world.here() == ["2027-01-17"])
        await world.fixture.house.close()
    }

    @Test("the region must be another one of the server's")
    func refusals() async throws {
        let world = try await World()
        for region in ["us-east-1", "eu-1"] {
            let plan = Self.plan(.forever, copies: .forever, to: region)
            #expect(await refusal { try await world.policies.create(plan) } == .invalid, "\(region)")
        }
        await world.fixture.house.close()
    }

    /// The store of the other region is away: copies begin, and are not stored.
    private func hide(_ world: World, _ isHidden: Bool) throws {
        let store = world.fixture.data + "/regions/\(RegionTests.west)/store"
        try LocalDisk().rename(isHidden ? store : store + ".away", to: isHidden ? store + ".away" : store)
    }

    private func looked(_ world: World, at id: String) async {
        let home = world.fixture.house.household
        for _ in 0..<2 {
            home.scheduler.look(at: id)
            await home.scheduler.copyTurn(home)
            await home.scheduler.turn(home)
        }
    }

    @Test("a snapshot stays until its copy is stored, however long that waits and whatever retention says")
    func waits() async throws {
        let world = try await World()
        let id = try await world.policies.create(Self.plan(.newest(count: 1), copies: .newest(count: 9))).id
        try hide(world, true)
        let home = world.fixture.house.household
        for _ in 0..<3 {
            world.clock.advance(by: .seconds(86_400))
            await home.scheduler.turn(home)
            for one in try await world.fixture.snapshots.list() where one.state == .pending {
                _ = try await world.fixture.snapshots.wait(for: one.id)
            }
            await looked(world, at: id)
        }
        #expect(try await world.west.list().map(\.state) == [.pending, .pending, .pending])
        #expect(try await world.here() == ["2027-01-16", "2027-01-17", "2027-01-18"])
        // The server stops meanwhile.
        try await world.fixture.reopen()
        await looked(world, at: id)
        let counts = (try await world.here().count, try await world.west.list().count)
        #expect(counts == (3, 3))
        try hide(world, false)
        world.clock.advance(by: .seconds(60))
        for one in try await world.west.list() { _ = try await world.west.wait(for: one.id) }
        await looked(world, at: id)
        #expect(try await world.there() == ["2027-01-16", "2027-01-17", "2027-01-18"])
        #expect(try await world.here() == ["2027-01-18"])
        await world.fixture.house.close()
    }

    @Test("a copy that failed is made anew an hour later, though a later one was stored or its owner deleted it")
    func failed() async throws {
        for deletes in [false, true] {
            let world = try await World()
            let id = try await world.policies.create(Self.plan(.newest(count: 1), copies: .newest(count: 9))).id
            let away = try #require(world.fixture.house.household.neighbours[RegionTests.west])
            try hide(world, true)
            let home = world.fixture.house.household
            world.clock.advance(by: .seconds(86_400))
            await home.scheduler.turn(home)
            for one in try await world.fixture.snapshots.list() where one.state == .pending {
                _ = try await world.fixture.snapshots.wait(for: one.id)
            }
            await looked(world, at: id)
            let first = try #require(try await world.west.list().first).id
            _ = try await away.remote.run { away.copies.remove(first) }
            try away.recordFailed(first, "as if", .copySnapshot)
            try hide(world, false)
            await looked(world, at: id)
            #expect(try await world.policies.show(id).problem?.contains("as if") == true)
            if deletes { try await world.west.delete(first) }
            // Another one comes after it, and is stored.
            try await world.day()
            world.clock.advance(by: .seconds(3601))
            try await world.copyOn()
            try await world.copyOn()
            #expect(try await world.there() == ["2027-01-16", "2027-01-17"], "deleted by its owner: \(deletes)")
            #expect(try await world.west.list().allSatisfy { $0.state == .completed && $0.id != first })
            #expect(try await world.here() == ["2027-01-17"])
            await world.fixture.house.close()
        }
    }

    @Test("what is damaged or in the archive is owed no more, and its policy goes on")
    func never() async throws {
        let world = try await World()
        let id = try await world.policies.create(Self.plan(.newest(count: 1), copies: .newest(count: 9))).id
        _ = try await world.policies.set(isEnabled: false, of: id)
        _ = try await world.policies.run(id)
        let first = try #require(try await world.fixture.snapshots.list().first).id
        _ = try await world.fixture.snapshots.wait(for: first)
        _ = try await world.fixture.snapshots.archive(first)
        _ = try await world.policies.set(isEnabled: true, of: id)
        await looked(world, at: id)
        #expect(try await world.policies.show(id).problem?.contains("archive") == true)
        #expect(try await world.west.list().isEmpty)
        try await world.day()
        #expect(try await world.fixture.snapshots.list().map(\.id) != [first])
        #expect(try await world.there().count == 1)
        await world.fixture.house.close()
    }

    @Test("a region that cannot be asked keeps nothing from being let go here")
    func silentRegion() async throws {
        let world = try await World()
        var plan = Self.plan(.newest(count: 1), copies: .forever)
        plan.schedules[0].copies = []
        _ = try await world.policies.create(plan)
        let away = try #require(world.fixture.house.household.neighbours[RegionTests.west])
        await BlockingPool.runAlone { away.catalog.close() }
        let home = world.fixture.house.household
        for _ in 0..<3 {
            world.clock.advance(by: .seconds(86_400))
            await home.scheduler.turn(home)
            for one in try await world.fixture.snapshots.list() where one.state == .pending {
                _ = try await world.fixture.snapshots.wait(for: one.id)
            }
        }
        for policy in try await world.policies.list() { home.scheduler.look(at: policy.id) }
        await home.scheduler.turn(home)
        #expect(try await world.here() == ["2027-01-18"])
        await world.fixture.house.close()
    }

    @Test("a note of a failure beside a copy that is stored harms it not")
    func staleNote() async throws {
        let world = try await World()
        let id = try await world.policies.create(Self.plan(.newest(count: 1), copies: .newest(count: 9))).id
        try hide(world, true)
        let home = world.fixture.house.household
        world.clock.advance(by: .seconds(86_400))
        await home.scheduler.turn(home)
        for one in try await world.fixture.snapshots.list() { _ = try await world.fixture.snapshots.wait(for: one.id) }
        await looked(world, at: id)
        let copy = try #require(try await world.west.list().first).id
        // As if the server had stopped before it took the note of the one before away.
        try await home.catalog.change { [now = world.clock.now()] session in
            for owed in try session.owedCopies(ofPolicy: id) { try session.setFailure(now, of: owed) }
        }
        world.clock.advance(by: .seconds(3601))
        await looked(world, at: id)
        try hide(world, false)
        world.clock.advance(by: .seconds(3601))
        _ = try await world.west.wait(for: copy)
        await looked(world, at: id)
        #expect(try await world.west.list().map(\.id) == [copy])
        #expect(try await home.catalog.change { try $0.owedCopies(ofPolicy: id) }.isEmpty)
        await world.fixture.house.close()
    }
}
