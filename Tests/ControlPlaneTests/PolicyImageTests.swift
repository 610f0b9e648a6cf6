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

    /// Takes one of a day while the other region's store is away: its copy waits.
    private func beginCopy(_ world: World) async throws -> String {
        let copy = PolicyPlan.Copy(to: RegionTests.west, keeping: .newest(count: 9))
        let id = try await world.fixture.house.policies.create(Self.plan(.newest(count: 1)) { $0.copies = [copy] }).id
        let store = world.fixture.data + "/regions/\(RegionTests.west)/store"
        try LocalDisk().rename(store, to: store + ".away")
        let house = world.fixture.house.household
        world.clock.advance(by: .seconds(86_400))
        await house.scheduler.turn(house)
        try await world.fixture.eventually("it is made") {
            try await world.images().allSatisfy { $0.state == .available }
        }
        return id
    }

    private func showStore(_ world: World) throws {
        let store = world.fixture.data + "/regions/\(RegionTests.west)/store"
        try LocalDisk().rename(store + ".away", to: store)
    }

    private func looked(_ world: World, at id: String) async {
        let house = world.fixture.house.household
        house.scheduler.look(at: id)
        await house.scheduler.copyTurn(house)
        await house.scheduler.turn(house)
    }

    @Test(
        "a copy that failed is made anew an hour later, whole and once, wherever the server stopped", arguments: 0..<3)
    func failedCopy(stop: Int) async throws {
        let world = try await World()
        let id = try await beginCopy(world)
        await looked(world, at: id)
        let away = try #require(world.fixture.house.household.neighbours[RegionTests.west])
        let first = try #require(try await world.west.images.list().first)
        for one in try await world.west.snapshots.list() {
            _ = try await away.remote.run { away.copies.remove(one.id) }
            try await away.remote.run { try away.recordFailed(one.id, "as if", .copySnapshot) }
            away.announce(one.id)
        }
        try await world.fixture.eventually("it failed") { try await world.west.images.show(first.id).state == .failed }
        try showStore(world)
        await looked(world, at: id)
        #expect(try await world.fixture.house.policies.show(id).problem?.contains(first.id) == true)
        if stop == 1 {
            let images = try world.west.images
            _ = try await images.takeOff(
                first.id, recording: { session, snapshots in try session.setDoomed(snapshots, ofImage: first.id) })
        } else if stop == 2 {
            _ = try await world.west.images.deregister(first.id, deletingSnapshots: true)
            try await away.catalog.change { try $0.deletePolicyImage(first.id) }
        }
        world.clock.advance(by: .seconds(3601))
        await looked(world, at: id)
        let second = try #require(try await world.west.images.list().first { $0.state != .failed }).id
        #expect(second != first.id)
        for _ in 0..<2 {
            try await world.fixture.eventually("it is made") {
                try await world.west.images.list().allSatisfy { $0.state == .available }
            }
            world.clock.advance(by: .seconds(3601))
            await looked(world, at: id)
        }
        #expect(try await world.west.images.list().map(\.id) == [second])
        try await world.fixture.eventually("snapshots go with their image") {
            try await world.west.snapshots.list().count == 2
        }
        await world.fixture.house.close()
    }

    @Test("an image that is disabled before it is copied is owed no more, and goes in its turn")
    func disabled() async throws {
        let world = try await World()
        let copy = PolicyPlan.Copy(to: RegionTests.west, keeping: .newest(count: 9))
        let policies = world.fixture.house.policies
        let id = try await policies.create(Self.plan(.newest(count: 1)) { $0.copies = [copy] }).id
        // Paused, it begins no copy.
        _ = try await policies.set(isEnabled: false, of: id)
        _ = try await policies.run(id)
        try await world.fixture.eventually("it is made") {
            try await world.images().allSatisfy { $0.state == .available }
        }
        let first = try #require(try await world.images().first).id
        _ = try await world.fixture.house.images.set(isDisabled: true, of: first)
        _ = try await policies.set(isEnabled: true, of: id)
        await looked(world, at: id)
        #expect(try await world.fixture.house.policies.show(id).problem?.contains("\(first) is disabled") == true)
        #expect(try await world.west.images.list().isEmpty)
        try await world.days(1)
        #expect(try await !world.images().contains { $0.id == first })
        #expect(try await world.fixture.house.policies.show(id).problem == nil)
        await world.fixture.house.close()
    }

    @Test("snapshots of an image in the bin stay as long as it can be restored", arguments: [true, false])
    func binned(isRestored: Bool) async throws {
        let world = try await World()
        _ = try await world.fixture.house.bin.createRule(NewBinRule(resourceType: .image, days: 2))
        let id = try await world.fixture.house.policies.create(Self.plan(.newest(count: 1))).id
        try await world.days(1)
        let first = try #require(try await world.images().first)
        try await world.days(1)
        _ = try await world.fixture.house.policies.set(isEnabled: false, of: id)
        #expect(try await world.fixture.house.bin.list().images.map(\.object.id) == [first.id])
        #expect(try await world.fixture.snapshots.list().count == 4)
        if isRestored { _ = try await world.fixture.house.bin.restoreImage(first.id) }
        world.clock.advance(by: .seconds(3 * 86_400))
        await looked(world, at: id)
        try await world.fixture.eventually("what goes is gone") {
            try await world.fixture.snapshots.list().count == (isRestored ? 4 : 2)
        }
        #expect(try await world.images().contains { $0.id == first.id } == isRestored)
        let house = world.fixture.house.household
        #expect(try await house.catalog.change { try $0.doomedImages(ofPolicy: id) }.isEmpty)
        await world.fixture.house.close()
    }

    @Test("a run that is overtaken by a pause makes no image, and that is no problem")
    func overtaken() async throws {
        let world = try await World()
        let house = world.fixture.house.household
        let id = try await world.fixture.house.policies.create(Self.plan(.newest(count: 1))).id
        world.clock.advance(by: .seconds(86_400))
        let turn = try await house.lanes.run(world.host) { () -> Task<Void, Never> in
            let turn = Task { await house.scheduler.turn(house) }
            try await world.fixture.eventually("the run is recorded") {
                try await house.catalog.change { try !$0.unfinishedTasks(ofSubject: id).isEmpty }
            }
            // By now it waits for this lane, or soon does; if it comes later, it sees the pause before.
            try await Task.sleep(for: .milliseconds(200))
            try await house.catalog.change { session in
                guard var policy = try session.policy(id) else { return }
                policy.isEnabled = false
                try session.update(policy)
            }
            return turn
        }
        await turn.value
        #expect(try await world.images().isEmpty)
        #expect(try await world.fixture.house.policies.show(id).problem == nil)
        await world.fixture.house.close()
    }
}
