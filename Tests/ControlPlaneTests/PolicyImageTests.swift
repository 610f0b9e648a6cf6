import Blocks
import Catalog
import Simulation
import TestSupport
import Testing

@testable import ControlPlane

/// Policies that make images of instances.
@Suite struct PolicyImageTests {
    private struct World {
        let fixture: HouseFixture
        let clock: ManualClock
        let host: String
        var west: Verbs { get throws { try RegionTests.verbs(fixture) } }

        init() async throws {
            let clock = ManualClock()
            self.clock = clock
            fixture = try await HouseFixture { plan in
                plan.clock = clock
                plan.scrubEvery = nil
                plan.moreRegions = [RegionPlan(region: Region(name: RegionTests.west))]
            }
            host = try await fixture.house.instances.launch(NewInstances())[0].id
            for device in ["/dev/sda1", "/dev/sdf"] {
                let disk = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
                _ = try await fixture.house.instances.attach(disk, to: host, as: device, goesWithInstance: false)
            }
            try await fixture.house.verbs(for: .root).tags.set(["backup": "yes"], on: [host])
        }

        func settle() async throws {
            let house = fixture.house.household
            for _ in 0..<2 {
                await house.scheduler.turn(house)
                await house.scheduler.copyTurn(house)
                for images in [fixture.house.images, try west.images] {
                    try await fixture.eventually("images end") {
                        try await images.list().allSatisfy { $0.state != .pending }
                    }
                }
                for policy in try await fixture.house.policies.list() { house.scheduler.look(at: policy.id) }
            }
            await house.scheduler.copyTurn(house)
            await house.scheduler.turn(house)
        }

        func days(_ count: Int) async throws {
            for _ in 0..<count {
                clock.advance(by: .seconds(86_400))
                try await settle()
            }
        }

        func images() async throws -> [ImageView] { try await fixture.house.images.list() }
    }

    private static func plan(
        _ retention: Retention, _ change: (inout PolicyPlan.Schedule) -> Void = { _ in }
    ) -> PolicyPlan {
        var schedule = PolicyPlan.Schedule(
            "daily", .every(hours: 24, from: TimeOfDay(minutes: 0)), keeping: retention, tags: ["by": "policy"],
            copiesTags: true)
        change(&schedule)
        var plan = PolicyPlan(
            targets: .init(.instances, tags: [.init(key: "backup", value: "yes")]), schedules: [schedule])
        plan.product = .images
        return plan
    }

    @Test("an image of each instance a day, deprecated by count, and gone with its snapshots")
    func life() async throws {
        let world = try await World()
        let policy = try await world.fixture.house.policies.create(
            Self.plan(.newest(count: 2)) { schedule in
                schedule.deprecation = .newest(count: 1)
                schedule.variableTags = ["of": .instance, "at": .time]
            })
        try await world.days(1)
        let first = try #require(try await world.images().first)
        #expect(first.sourceInstanceId == world.host && first.disks.count == 2 && !first.isDeprecated)
        #expect(first.tags == ["by": "policy", "backup": "yes", "of": world.host, "at": "2027-01-16T00:00:00Z"])
        #expect(first.policy?.policyId == policy.id && first.policy?.schedules == ["daily"])
        let held = try #require(first.disks.first?.snapshotId)
        _ = try await world.fixture.snapshots.lock(held, LockSnapshot(mode: .governance, end: .days(30)))
        try await world.days(2)
        let images = try await world.images()
        #expect(images.count == 2 && !images.contains { $0.id == first.id })
        #expect(images.map(\.isDeprecated) == [true, false])
        try await world.fixture.eventually("its snapshots are gone, but for the one that is locked") {
            try await world.fixture.snapshots.list().count == 5
        }
        try await world.fixture.house.policies.delete(policy.id)
        try await world.fixture.snapshots.unlock(held)
        let house = world.fixture.house.household
        house.scheduler.look(at: policy.id)
        await house.scheduler.turn(house)
        try await world.fixture.eventually("which follows, also when its policy is gone") {
            try await world.fixture.snapshots.list().count == 4
        }
        #expect(try await world.fixture.house.policies.list().isEmpty)
        await world.fixture.house.close()
    }

    @Test("what is protected stays until it is not; what its owner took out of the bin is theirs")
    func stays() async throws {
        let world = try await World()
        _ = try await world.fixture.house.policies.create(Self.plan(.newest(count: 1)))
        try await world.days(1)
        let first = try #require(try await world.images().first).id
        _ = try await world.fixture.house.images.set(protection: .on, of: first)
        try await world.days(1)
        #expect(try await world.images().count == 2)
        for type in [BinRuleView.ResourceType.image, .snapshot] {
            _ = try await world.fixture.house.bin.createRule(NewBinRule(resourceType: type, days: 30))
        }
        _ = try await world.fixture.house.images.set(protection: .off, of: first)
        try await world.settle()
        #expect(try await !world.images().contains { $0.id == first })
        for one in try await world.fixture.house.bin.list().snapshots {
            _ = try await world.fixture.house.bin.restoreSnapshot(one.object.id)
        }
        _ = try await world.fixture.house.bin.restoreImage(first)
        try await world.days(2)
        #expect(try await world.images().contains { $0.id == first })
        await world.fixture.house.close()
    }

    @Test("each image is copied once, with its age there, and the copies go by their own rule")
    func copies() async throws {
        let world = try await World()
        var copy = PolicyPlan.Copy(to: RegionTests.west, keeping: .age(amount: 2, unit: .days), copiesTags: true)
        copy.deprecation = .age(amount: 1, unit: .days)
        let wanted = copy
        _ = try await world.fixture.house.policies.create(Self.plan(.newest(count: 1)) { $0.copies = [wanted] })
        try await world.days(1)
        let there = try #require(try await world.west.images.list().first)
        #expect(there.state == .available && there.tags?["backup"] == "yes" && there.policy != nil)
        #expect(there.deprecatedAt == there.createdAt + .seconds(86_400))
        try await world.settle()
        #expect(try await world.west.images.list().count == 1)
        try await world.days(3)
        #expect(try await world.images().count == 1)
        #expect(try await world.west.images.list().count == 2)
        #expect(try await !world.west.images.list().contains { $0.id == there.id })
        try await world.fixture.eventually("snapshots go with their images") {
            try await world.west.snapshots.list().count == 4
        }
        await world.fixture.house.close()
    }

    @Test("instances that have no recent image get one, and others none")
    func lacking() async throws {
        let world = try await World()
        var plan = Self.plan(.age(amount: 3, unit: .days))
        plan.targets = .init(.instances)
        plan.targets.lacking = .init(days: 2)
        _ = try await world.fixture.house.policies.create(plan)
        world.clock.advance(by: .seconds(12 * 3600))
        _ = try await world.fixture.house.images.create(NewImageOfInstance(ImageNames("own"), of: world.host))
        world.clock.advance(by: .seconds(12 * 3600))
        try await world.settle()
        #expect(try await world.images().map(\.name) == ["own"])
        try await world.days(2)
        #expect(try await world.images().count == 2)
        await world.fixture.house.close()
    }
}
