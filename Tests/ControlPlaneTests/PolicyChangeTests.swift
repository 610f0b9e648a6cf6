import Blocks
import Catalog
import Testing

@testable import ControlPlane

/// Changes of policies: all that is said or nothing, and nothing that is not said; and policies that cannot be read.
@Suite struct PolicyChangeTests {
    private typealias World = PolicyTests.World

    private static func daily(_ retention: Retention) -> PolicyPlan.Schedule {
        PolicyPlan.Schedule("daily", .every(hours: 24, from: PolicyTests.midnight), keeping: retention)
    }

    @Test("a change that is refused neither pauses the policy nor enables it", arguments: [true, false])
    func refused(isEnabled: Bool) async throws {
        let world = try await World()
        let plan = World.plan([Self.daily(.newest(count: 3))])
        let id = try await world.policies.create(plan, isEnabled: !isEnabled).id
        var images = plan
        images.targets.kind = .instances
        images.product = .images
        var away = plan
        away.schedules[0].copies = [.init(to: "mars-1", keeping: .forever)]
        for wrong in [images, away] {
            #expect(
                await refusal { try await world.policies.change(id, to: wrong, isEnabled: isEnabled) } == .invalid)
            let shown = try await world.policies.show(id)
            #expect(shown.isEnabled == !isEnabled && shown.plan == plan)
        }
        var other = plan
        other.schedules[0].retention = .newest(count: 4)
        let changed = try await world.policies.change(id, to: other, isEnabled: isEnabled)
        #expect(changed.isEnabled == isEnabled && changed.plan == other)
        #expect((changed.standings[0].nextAt != nil) == isEnabled)
        await world.fixture.house.close()
    }

    @Test("a plan that was made out of one that is no more changes nothing")
    func overtaken() async throws {
        let world = try await World()
        let plan = World.plan([Self.daily(.newest(count: 3))])
        let id = try await world.policies.create(plan).id
        var first = plan, second = plan
        first.schedules[0].retention = .newest(count: 100)
        second.description = "described"
        #expect(try await world.policies.change(id, from: plan, to: first)?.plan == first)
        #expect(try await world.policies.change(id, from: plan, to: second, isEnabled: false) == nil)
        let shown = try await world.policies.show(id)
        #expect(shown.plan == first && shown.isEnabled)
        await world.fixture.house.close()
    }

    @Test(
        "a policy whose plan cannot be read is listed and shown, says so, keeps what it has, and can be paused and deleted"
    )
    func unreadable() async throws {
        let world = try await World()
        let house = world.fixture.house.household
        let kept = try await world.policies.create(World.plan([Self.daily(.newest(count: 1))])).id
        let ending = World.plan([Self.daily(.age(amount: 1, unit: .days))])
        var all = ending
        all.letsAllGo = true
        let id = try await world.policies.create(all).id
        try await world.days(1)
        try await house.catalog.change { session in
            for policy in [kept, id] {
                var record = try #require(try session.policy(policy))
                record.plan = #"{"targets":{"kind":"planets"},"schedules":[]}"#
                try session.update(record)
            }
        }
        let made = try await world.made().map(\.id)
        #expect(made.count == 2)
        try await world.days(3)
        #expect(try await world.made().map(\.id) == made)
        for shown in try await world.policies.list() {
            #expect(shown.plan == nil && shown.standings.isEmpty && shown.problem?.contains("cannot be read") == true)
            #expect(try await world.policies.show(shown.id) == shown)
        }
        #expect(try await Set(world.policies.list().map(\.id)) == [kept, id])
        #expect(await refusal { try await world.policies.change(id, to: ending) } == .wrongState)
        #expect(await refusal { try await world.policies.set(isEnabled: true, of: id) } == .wrongState)
        #expect(try await world.policies.set(isEnabled: false, of: id).isEnabled == false)
        for policy in [id, kept] { try await world.policies.delete(policy) }
        #expect(try await world.policies.list().isEmpty)
        try await world.days(3)
        #expect(try await world.made().map(\.id) == made)
        await world.fixture.house.close()
    }

    @Test("only a policy that keeps everything by its age lets all go")
    func letsAllGo() async throws {
        let world = try await World()
        let age = Retention.age(amount: 9, unit: .days)
        func refusal(_ change: (inout PolicyPlan.Schedule) -> Void) async -> ServiceError.Code? {
            var plan = World.plan([Self.daily(age)])
            plan.schedules[0].when = .cron(expression: "cron(0 0 1 * ? *)", zone: nil)
            change(&plan.schedules[0])
            plan.letsAllGo = true
            let wrong = plan
            return await ControlPlaneTests.refusal { try await world.policies.create(wrong) }
        }
        for other in [
            Retention.newest(count: 3), .forever,
            .generations(hourly: nil, daily: 3, weekly: nil, monthly: nil, yearly: nil),
        ] {
            #expect(await refusal { $0.retention = other } == .invalid, "\(other)")
        }
        #expect(
            await refusal {
                $0.retention = .newest(count: 3)
                $0.archive = .newest(count: 12)
            } == .invalid)
        #expect(await refusal { _ in } == nil)
        #expect(
            await refusal {
                $0.retention = age
                $0.archive = .age(amount: 90, unit: .days)
            } == nil)
        var reaction = PolicyPlan(
            reaction: .init(
                to: ["123456789012"], describedBy: "a", copies: [.init(to: "us-east-1", keeping: .forever)]))
        reaction.letsAllGo = true
        let wrong = reaction
        #expect(await ControlPlaneTests.refusal { try await world.policies.create(wrong) } == .invalid)
        await world.fixture.house.close()
    }

    @Test("a policy that a volume leaves for another is changed in its own lane, and so is one that came meanwhile")
    func joining() async throws {
        let world = try await World()
        let house = world.fixture.house.household
        var plan = PolicyPlan(
            name: "joined", targets: .init(.volumes), schedules: [Self.daily(.newest(count: 3))])
        plan.targets.mayBeNone = true
        let empty = plan
        plan.targets.ids = [world.volume]
        let holding = plan
        let first = try await world.policies.create(holding).id, second = try await world.policies.create(empty).id
        func volumes(_ id: String) async throws -> [String]? { try await world.policies.show(id).plan?.targets.ids }
        // Whoever lets go of the first one's copies has this lane, and goes by the plan that is in force.
        let (joining, third) = try await house.lanes.run(LetGo.lane(of: first)) {
            let joining = Task { try await world.policies.add(volumes: [world.volume], to: second) }
            try await Task.sleep(for: .milliseconds(200))
            #expect(try await volumes(first) == [world.volume])
            #expect(try await volumes(second) == [])
            return (joining, try await world.policies.create(holding).id)
        }
        #expect(try await joining.value.plan?.targets.ids == [world.volume])
        #expect(try await volumes(first) == [])
        #expect(try await volumes(third) == [])
        await world.fixture.house.close()
    }
}
