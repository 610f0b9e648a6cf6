import Blocks
import Catalog
import Simulation
import TestSupport
import Testing

@testable import ControlPlane

/// Policies that copy what others share.
@Suite struct PolicyReactionTests {
    private struct World {
        let fixture: HouseFixture
        let clock: ManualClock
        let eve: Caller
        let owner: String
        var theirs: Verbs { fixture.house.verbs(for: eve) }
        var west: Verbs { get throws { try RegionTests.verbs(fixture, for: eve) } }

        init() async throws {
            let clock = ManualClock()
            self.clock = clock
            fixture = try await HouseFixture { plan in
                plan.clock = clock
                plan.scrubEvery = nil
                plan.moreRegions = [RegionPlan(region: Region(name: RegionTests.west))]
            }
            let account = try await fixture.house.accounts.create(named: "others").id
            eve = Caller(account: account, principal: "eve", role: .administrator)
            owner = Caller.root.account
        }

        func snapshot(_ description: String) async throws -> String {
            let volume = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
            let made = try await fixture.snapshots.create(
                CreateSnapshot(volume: volume, name: "private", description: description, tags: ["secret": "1"]))
            return try await fixture.snapshots.wait(for: made.id).id
        }

        func settle() async throws {
            let house = fixture.house.household
            for _ in 0..<2 {
                await house.scheduler.turn(house)
                await house.scheduler.copyTurn(house)
                for snapshots in [theirs.snapshots, try west.snapshots] {
                    for one in try await snapshots.list() where one.state == .pending {
                        _ = try await snapshots.wait(for: one.id)
                    }
                }
                for policy in try await theirs.policies.list() { house.scheduler.look(at: policy.id) }
            }
            await house.scheduler.copyTurn(house)
            await house.scheduler.turn(house)
        }

        func plan(_ pattern: String) -> PolicyPlan {
            let retention = Retention.age(amount: 2, unit: .days)
            return PolicyPlan(
                reaction: .init(
                    to: [owner], describedBy: pattern,
                    copies: [
                        PolicyPlan.Copy(to: RegionTests.west, keeping: retention, copiesTags: true),
                        PolicyPlan.Copy(to: fixture.house.household.region.name, keeping: retention),
                    ]))
        }
    }

    @Test("what an account shares and is described so is copied once to each region, and kept so long")
    func copies() async throws {
        let world = try await World()
        let (one, other) = (try await world.snapshot("nightly 1"), try await world.snapshot("by hand"))
        let policy = try await world.theirs.policies.create(world.plan("^night"))
        for id in [one, other] {
            _ = try await world.fixture.snapshots.share(id, SharingChange(adding: [world.eve.account]))
        }
        try await world.settle()
        for snapshots in [world.theirs.snapshots, try world.west.snapshots] {
            let made = try await snapshots.list()
            #expect(made.count == 1 && made[0].copyOf?.snapshotId == one)
            #expect(made[0].tags == nil && made[0].name != "private", "its owner's words are not copied")
            #expect(made[0].policy?.policyId == policy.id)
        }
        _ = try await world.fixture.snapshots.share(one, SharingChange(removing: [world.eve.account]))
        _ = try await world.fixture.snapshots.share(one, SharingChange(adding: [world.eve.account]))
        try await world.settle()
        #expect(try await world.west.snapshots.list().count == 1, "once, however often it is shared")
        try await world.fixture.snapshots.delete(one)
        world.clock.advance(by: .seconds(2 * 86_400))
        try await world.settle()
        #expect(try await world.west.snapshots.list().isEmpty)
        #expect(try await world.theirs.snapshots.list().isEmpty, "also the last one goes")
        #expect(await refusal { try await world.theirs.policies.run(policy.id) } == .wrongState)
        await world.fixture.house.close()
    }

    @Test("another account's debt keeps no snapshot of its owner, and what is shared no more is not copied")
    func others() async throws {
        let world = try await World()
        let policy = try await world.theirs.policies.create(world.plan("")).id
        var request = CreateVolume(size: .mebibytes(1))
        request.tags = ["backup": "yes"]
        _ = try await world.fixture.volumes.create(request)
        var schedule = PolicyPlan.Schedule(
            "daily", .every(hours: 24, from: TimeOfDay(minutes: 0)), keeping: .newest(count: 1))
        schedule.sharing = .init(with: [world.eve.account])
        _ = try await world.fixture.house.policies.create(PolicyTests.World.plan([schedule]))
        _ = try await world.theirs.policies.set(isEnabled: false, of: policy)
        _ = try await world.theirs.policies.set(isEnabled: true, of: policy)
        let house = world.fixture.house.household
        // The house's own turn of copies waits meanwhile: what is owed is not begun before the pause.
        let first = try await house.lanes.run(Scheduler.copyLane) {
            world.clock.advance(by: .seconds(86_400))
            await house.scheduler.turn(house)
            for one in try await world.fixture.snapshots.list() {
                _ = try await world.fixture.snapshots.wait(for: one.id)
            }
            let first = try #require(try await world.fixture.snapshots.list().first).id
            #expect(try await house.catalog.change { try $0.owedCopies(ofPolicy: policy) }.count == 2)
            _ = try await world.theirs.policies.set(isEnabled: false, of: policy)
            return first
        }
        world.clock.advance(by: .seconds(86_400))
        await house.scheduler.turn(house)
        for one in try await world.fixture.snapshots.list() { _ = try await world.fixture.snapshots.wait(for: one.id) }
        for own in try await world.fixture.house.policies.list() { house.scheduler.look(at: own.id) }
        await house.scheduler.turn(house)
        let left = try await world.fixture.snapshots.list().map(\.id)
        #expect(left.count == 1 && left != [first])
        _ = try await world.theirs.policies.set(isEnabled: true, of: policy)
        try await world.settle()
        #expect(try await world.west.snapshots.list().isEmpty, "it was paused, and the first is gone")
        await world.fixture.house.close()
    }

    @Test("what cannot be one is refused")
    func refused() async throws {
        let world = try await World()
        var wrong = [world.plan("("), world.plan("x"), world.plan("x"), world.plan("x")]
        wrong[1].reaction?.owners = []
        wrong[2].reaction?.copies = []
        wrong[3].schedules = [.init("s", .every(hours: 24, from: TimeOfDay(minutes: 0)), keeping: .forever)]
        for plan in wrong { #expect(await refusal { try await world.theirs.policies.create(plan) } == .invalid) }
        await world.fixture.house.close()
    }

    @Test("what is shared while its instant is not known yet is copied once it is; and no problem of before is left")
    func early() async throws {
        let world = try await World()
        let id = try await world.snapshot("early")
        let policy = try await world.theirs.policies.create(world.plan("early")).id
        let house = world.fixture.house.household
        func set(_ state: SnapshotRecord.State) async throws {
            try await house.catalog.change { session in
                guard var snapshot = try session.snapshot(id) else { return }
                snapshot.state = state
                try session.update(snapshot)
                try session.setProblem("as before", ofPolicy: policy)
            }
        }
        try await set(.creating)
        // As a run that shares what it takes records it.
        try await house.catalog.change { [account = world.eve.account] session in
            guard let snapshot = try session.snapshot(id) else { return }
            try session.share(id, with: account)
            _ = try PolicyPlan.Reaction.note(snapshot, sharedWith: [account], session)
        }
        house.scheduler.look(at: policy)
        await house.scheduler.copyTurn(house)
        #expect(try await house.catalog.change { try $0.owedCopies(ofPolicy: policy) }.count == 2)
        try await set(.completed)
        world.clock.advance(by: .seconds(60))
        try await world.settle()
        #expect(try await world.west.snapshots.list().map { $0.copyOf?.snapshotId } == [id])
        #expect(try await world.theirs.policies.show(policy).problem == nil)
        await world.fixture.house.close()
    }
}
