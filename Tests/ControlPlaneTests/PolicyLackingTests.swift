import Blocks
import Catalog
import Simulation
import Testing

@testable import ControlPlane

/// Policies on whatever lacks a backup, and those that let all go.
@Suite struct PolicyLackingTests {
    private typealias World = PolicyTests.World

    private static func plan(_ lacking: PolicyPlan.Lacking, keeping days: Int = 3) -> PolicyPlan {
        var plan = World.plan(
            [
                PolicyPlan.Schedule(
                    "default", .every(hours: 24, from: PolicyTests.midnight), keeping: .age(amount: days, unit: .days))
            ], tags: [])
        plan.targets.lacking = lacking
        return plan
    }

    @Test("a volume is taken when nobody has taken it for so long, and not what is excluded")
    func lacking() async throws {
        let world = try await World()
        var request = CreateVolume(size: .mebibytes(1))
        request.tags = ["scratch": "1"]
        let excluded = try await world.fixture.volumes.create(request).id
        request.tags = [:]
        let other = try await world.fixture.volumes.create(request).id
        let host = try await world.fixture.house.instances.launch(NewInstances())[0].id
        let boot = try await world.fixture.volumes.create(request).id
        _ = try await world.fixture.house.instances.attach(boot, to: host, as: "/dev/sda1", goesWithInstance: false)
        let lacking = PolicyPlan.Lacking(
            days: 2, excludesBootVolumes: true, excludedTags: [.init(key: "scratch", value: "1")])
        let id = try await world.policies.create(Self.plan(lacking)).id
        world.clock.advance(by: .seconds(12 * 3600))
        _ = try await world.fixture.snapshot(other)
        world.clock.advance(by: .seconds(12 * 3600))
        try await world.settle()
        #expect(try await world.made().map(\.volumeId) == [world.volume], "the others' are recent, or excluded")
        #expect(try await world.fixture.snapshots.list(of: excluded).isEmpty)
        #expect(try await world.fixture.snapshots.list(of: boot).isEmpty)
        try await world.days(1)
        #expect(try await world.made().count == 1)
        try await world.days(1)
        #expect(try await world.made().map(\.volumeId).sorted() == [world.volume, world.volume, other].sorted())
        #expect(await refusal { try await world.policies.create(Self.plan(lacking)) } == .limitExceeded)
        #expect(try await world.policies.run(id).state == .succeeded)
        try await world.settle()
        #expect(try await world.made().count == 3, "asked for, too, it takes what lacks one")
        await world.fixture.house.close()
    }

    @Test("one that lets all go does so also when it is deleted, and nobody sees it meanwhile; another one keeps")
    func letsAllGo() async throws {
        for letsAllGo in [true, false] {
            let world = try await World()
            var plan = Self.plan(.init(days: 1))
            plan.letsAllGo = letsAllGo
            let id = try await world.policies.create(plan).id
            try await world.days(2)
            #expect(try await world.made().count == 2)
            try await world.policies.delete(id)
            #expect(await refusal { try await world.policies.show(id) } == .missing)
            #expect(try await world.policies.list().isEmpty)
            let house = world.fixture.house.household
            for _ in 0..<4 {
                world.clock.advance(by: .seconds(86_400))
                await house.scheduler.turn(house)
            }
            #expect(try await world.made().count == (letsAllGo ? 0 : 2))
            await house.scheduler.turn(house)
            house.scheduler.look(at: id)
            await house.scheduler.turn(house)
            #expect(try await house.catalog.change { try $0.policies() }.isEmpty, "nothing is left of it")
            await world.fixture.house.close()
        }
    }

    @Test("one that lets all go ends also with what failed, is damaged, or its owner archived")
    func ends() async throws {
        let world = try await World()
        var plan = Self.plan(.init(days: 1), keeping: 5)
        plan.letsAllGo = true
        let id = try await world.policies.create(plan).id
        try await world.days(3)
        let made = try await world.made().map(\.id)
        #expect(made.count == 3)
        _ = try await world.fixture.snapshots.archive(made[0])
        let house = world.fixture.house.household
        try await house.catalog.change { [now = world.clock.now()] session in
            try session.mark(
                DamageRecord(
                    snapshotID: made[1], at: now, bytes: .zero, isMapDamaged: true, runs: [], packs: [], problems: ["x"]
                ))
            guard var last = try session.snapshot(made[2]) else { return }
            last.state = .error
            try session.update(last)
        }
        try await world.policies.delete(id)
        await house.scheduler.turn(house)
        #expect(try await world.made().count == 3)
        for _ in 0..<6 {
            world.clock.advance(by: .seconds(86_400))
            await house.scheduler.turn(house)
        }
        #expect(try await world.made().map(\.id) == [made[0]])
        #expect(try await house.catalog.change { try $0.policies() }.isEmpty)
        await world.fixture.house.close()
    }

    @Test("one that is deleted while it takes the first one waits for that")
    func deletedMeanwhile() async throws {
        let world = try await World()
        var plan = Self.plan(.init(days: 1), keeping: 1)
        plan.letsAllGo = true
        let id = try await world.policies.create(plan).id
        try await world.days(1)
        let first = try #require(try await world.made().first).id
        let house = world.fixture.house.household
        func set(_ state: SnapshotRecord.State) async throws {
            try await house.catalog.change { session in
                guard var snapshot = try session.snapshot(first) else { return }
                snapshot.state = state
                try session.update(snapshot)
            }
        }
        try await set(.creating)
        try await world.policies.delete(id)
        await house.scheduler.turn(house)
        #expect(try await house.catalog.change { try $0.endingPolicy(id) } != nil)
        try await set(.completed)
        world.clock.advance(by: .seconds(2 * 86_400))
        await house.scheduler.turn(house)
        #expect(try await world.made().isEmpty)
        #expect(try await house.catalog.change { try $0.endingPolicy(id) } == nil)
        await world.fixture.house.close()
    }
}
