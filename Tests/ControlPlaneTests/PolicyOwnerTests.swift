import Blocks
import Catalog
import Simulation
import Testing

@testable import ControlPlane

/// What the owner of a policy's snapshots settles by hand: no policy undoes it.
@Suite struct PolicyOwnerTests {
    private typealias World = PolicyTests.World
    private static let month = Duration.seconds(31 * 86_400)

    private static func months(_ count: Int, _ world: World) async throws {
        for _ in 0..<count {
            world.clock.advance(by: month)
            try await world.settle()
        }
    }

    @Test("what its owner took out of the archive for good and archives again is not let go from there")
    func archivedAgain() async throws {
        let world = try await World()
        var schedule = PolicyPlan.Schedule(
            "monthly", .cron(expression: "cron(0 0 1 * ? *)", zone: nil), keeping: .newest(count: 1))
        schedule.archive = .newest(count: 4)
        let id = try await world.policies.create(World.plan([schedule])).id
        try await Self.months(3, world)
        let first = try #require(try await world.made().first)
        #expect(first.policy?.archivedAt != nil)
        _ = try await world.fixture.snapshots.restoreArchived(first.id)
        _ = try await world.fixture.snapshots.archive(first.id)
        let newest = try #require(try await world.made().last).id
        _ = try await world.fixture.snapshots.archive(newest)
        _ = try await world.fixture.snapshots.restoreArchived(newest)
        let household = world.fixture.house.household
        let managed = try await household.catalog.change { try $0.policySnapshots(ofPolicy: id).map(\.snapshot.id) }
        #expect(!managed.contains(first.id) && !managed.contains(newest) && managed.count == 1)
        try await Self.months(8, world)
        let left = try await world.made().map(\.id)
        #expect(left.contains(first.id) && left.contains(newest) && left.count == 7)
        await world.fixture.house.close()
    }

    @Test("what was taken out of the archive for a time goes back, and from there in its turn")
    func temporarily() async throws {
        let world = try await World()
        var schedule = PolicyPlan.Schedule(
            "monthly", .cron(expression: "cron(0 0 1 * ? *)", zone: nil), keeping: .newest(count: 1))
        schedule.archive = .newest(count: 4)
        _ = try await world.policies.create(World.plan([schedule]))
        try await Self.months(3, world)
        let first = try #require(try await world.made().first).id
        _ = try await world.fixture.snapshots.restoreArchived(first, days: 2)
        try await Self.months(5, world)
        #expect(!(try await world.made().map(\.id).contains(first)))
        await world.fixture.house.close()
    }

    @Test("with whom its owner shares it while the policy still does, that stays when the policy's time is over")
    func shares() async throws {
        let world = try await World()
        var accounts: [String] = []
        for name in ["one", "two", "three"] {
            accounts.append(try await world.fixture.house.accounts.create(named: name).id)
        }
        var schedule = PolicyPlan.Schedule(
            "daily", .every(hours: 24, from: PolicyTests.midnight), keeping: .newest(count: 9))
        schedule.sharing = .init(with: accounts, keeping: .age(amount: 2, unit: .days))
        _ = try await world.policies.create(World.plan([schedule]))
        try await world.days(1)
        let first = try #require(try await world.made().first).id
        let snapshots = world.fixture.snapshots
        // Kept by its owner; taken back and given again; and the policy's alone.
        _ = try await snapshots.share(first, SharingChange(adding: [accounts[0]]))
        _ = try await snapshots.share(first, SharingChange(removing: [accounts[1]]))
        _ = try await snapshots.share(first, SharingChange(adding: [accounts[1]]))
        try await world.days(3)
        #expect(try await Set(snapshots.sharing(of: first).accounts) == Set(accounts.prefix(2)))
        await world.fixture.house.close()
    }

    @Test("what its owner put into the archive and shares when it is out again, no policy ends")
    func sharesOutOfTheArchive() async throws {
        let world = try await World()
        let account = try await world.fixture.house.accounts.create(named: "others").id
        var schedule = PolicyPlan.Schedule(
            "daily", .every(hours: 24, from: PolicyTests.midnight), keeping: .newest(count: 9))
        schedule.sharing = .init(with: [account], keeping: .age(amount: 2, unit: .days))
        _ = try await world.policies.create(World.plan([schedule]))
        try await world.days(1)
        let first = try #require(try await world.made().first).id
        _ = try await world.fixture.snapshots.archive(first)
        let household = world.fixture.house.household
        #expect(try await household.catalog.change { try $0.policySnapshot(first) }?.sharedWith == [])
        await world.fixture.house.close()
    }

    @Test(
        "the policy's wish for a fast restore and its mark are one; what its owner asked for by hand is not taken back")
    func fast() async throws {
        let world = try await World()
        let house = world.fixture.house.household, zone = house.region.zones[0].name
        var schedule = PolicyPlan.Schedule(
            "daily", .every(hours: 24, from: PolicyTests.midnight), keeping: .newest(count: 9))
        schedule.fastRestore = .init(in: [zone], keeping: .newest(count: 1))
        _ = try await world.policies.create(World.plan([schedule]))
        try await world.days(1)
        let first = try #require(try await world.made().first).id
        func mark(_ id: String) async throws -> [String]? {
            try await house.catalog.change { try $0.policySnapshot(id)?.fastZones }
        }
        #expect(try await mark(first) == [zone])
        // Its owner's from here on.
        _ = try await world.fixture.snapshots.restoreFast(first, in: zone)
        #expect(try await mark(first) == [])
        // No more may be fast: then there is neither wish nor mark.
        _ = try await world.fixture.house.quotas.set(.fastRestores, to: 1)
        try await world.days(1)
        let second = try #require(try await world.made().last).id
        #expect(try await mark(second) == nil)
        #expect(try await world.fixture.snapshots.fastRestores().map(\.snapshotId) == [first])
        _ = try await world.fixture.house.quotas.set(.fastRestores, to: nil)
        try await world.settle()
        #expect(try await mark(second) == [zone])
        try await world.days(1)
        let fast = try await world.fixture.snapshots.fastRestores().filter {
            ![.disabling, .disabled].contains($0.state)
        }
        let third = try #require(try await world.made().last).id
        #expect(Set(fast.map(\.snapshotId)) == [first, third])
        #expect(try await mark(second) == [])
        await world.fixture.house.close()
    }
}
