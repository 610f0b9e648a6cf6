import Blocks
import Simulation
import Testing

@testable import Catalog
@testable import ControlPlane

/// What policies do besides taking and letting go, on a house whose clock the test moves.
@Suite struct PolicyDutyTests {
    private typealias World = PolicyTests.World

    private static func daily(_ retention: Retention) -> PolicyPlan.Schedule {
        PolicyPlan.Schedule("daily", .every(hours: 24, from: PolicyTests.midnight), keeping: retention)
    }

    /// What is restored fast, or will be; what was taken back is listed for a while, too.
    private static func restoredFast(_ world: World) async throws -> [String] {
        try await world.fixture.snapshots.fastRestores()
            .filter { ![.disabling, .disabled].contains($0.state) }.map(\.snapshotId)
    }

    @Test("what is taken is shared from its instant on, and no more when that time is over, once")
    func shares() async throws {
        let world = try await World()
        let account = try await world.fixture.house.accounts.create(named: "others").id
        let eve = world.fixture.house.verbs(for: Caller(account: account, principal: "eve", role: .administrator))
        var schedule = Self.daily(.newest(count: 9))
        schedule.sharing = .init(with: [account], keeping: .age(amount: 2, unit: .days))
        _ = try await world.policies.create(World.plan([schedule]))
        try await world.days(1)
        let first = try #require(try await world.made().first).id
        #expect(try await world.fixture.snapshots.sharing(of: first).accounts == [account])
        #expect(try await eve.snapshots.show(first).policy == nil, "others are not told of the policy")
        try await world.days(2)
        #expect(try await world.fixture.snapshots.sharing(of: first).accounts.isEmpty)
        #expect(try await eve.snapshots.sharedWithCaller().count == 2)
        _ = try await world.fixture.snapshots.share(first, SharingChange(adding: [account]))
        try await world.days(3)
        #expect(try await world.fixture.snapshots.sharing(of: first).accounts == [account], "that was its owner's")
        await world.fixture.house.close()
    }

    @Test("only the newest is restored fast, and not again what its owner took back")
    func fast() async throws {
        let world = try await World()
        let zone = world.fixture.house.household.region.zones[0]
        var schedule = Self.daily(.newest(count: 9))
        schedule.fastRestore = .init(in: [zone.id], keeping: .newest(count: 1))
        _ = try await world.policies.create(World.plan([schedule]))
        for count in 1...3 {
            try await world.days(1)
            let made = try await world.made().map(\.id)
            #expect(made.count == count)
            #expect(try await Self.restoredFast(world) == made.suffix(1))
        }
        let newest = try #require(try await world.made().last).id
        _ = try await world.fixture.snapshots.restoreNoMoreFast(newest, in: zone.name)
        try await world.settle()
        #expect(try await Self.restoredFast(world).isEmpty)
        try await world.days(1)
        #expect(try await Self.restoredFast(world).count == 1)
        await world.fixture.house.close()
    }

    /// Records of so many completed snapshots of each of two volumes that a policy took, an hour apart; the newest ids first.
    private static func take(_ count: Int, by policy: String, _ world: World) async throws -> [[String]] {
        let other = try await world.fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let now = world.clock.now()
        return try await world.fixture.house.household.catalog.change { session in
            try [world.volume, other].map { volume in
                try (1...count).map { number in
                    let snapshot = SnapshotRecord(
                        id: Identifier.snapshot.next(), volumeID: volume, state: .completed,
                        volumeSize: .mebibytes(1), createdAt: now + .seconds(-3600 * number))
                    try session.insert(snapshot)
                    try session.insert(
                        PolicySnapshotRecord(
                            snapshotID: snapshot.id, runID: "run-\(number)", volumeID: volume, policyID: policy,
                            schedules: ["daily"], targetID: volume))
                    return snapshot.id
                }
            }
        }
    }

    @Test("what it takes to see to all of a policy's snapshots grows with their number and not with its square")
    func many() async throws {
        func steps(_ count: Int) async throws -> Int {
            let world = try await World()
            let house = world.fixture.house.household, zone = house.region.zones[0]
            var schedule = Self.daily(.newest(count: 900))
            schedule.fastRestore = .init(in: [zone.id], keeping: .newest(count: 1))
            // Both volumes: the second one has no tags of its own.
            var plan = World.plan([schedule])
            plan.targets = .init(.volumes, ids: [world.volume])
            let policy = try await world.policies.create(plan).id
            let taken = try await Self.take(count, by: policy, world)
            var whole = try #require(try await world.policies.show(policy).plan)
            whole.targets.ids = try await world.fixture.volumes.list().map(\.id)
            // Turns of its own would see to them, too.
            let changed = whole
            try await house.catalog.change { session in
                var record = try #require(try session.policy(policy))
                record.plan = try changed.text()
                try session.update(record)
            }
            let before = try await Self.steps(house)
            _ = try await TendTaken(house: house).run(policy)
            let after = try await Self.steps(house)
            for ids in taken {
                let zones = try await house.catalog.change { session in
                    try ids.map { try session.policySnapshot($0)?.fastZones }
                }
                #expect(zones[0] == [zone.name] && zones.dropFirst().allSatisfy { $0 == [] })
            }
            await world.fixture.house.close()
            return after - before
        }
        let few = try await steps(50), many = try await steps(400)
        #expect(few > 0 && many < 16 * few, "\(few) and \(many) steps")
    }

    @Test("an outline of policies costs the same whatever they took, and tells all but how their schedules stand")
    func outlines() async throws {
        let world = try await World()
        let house = world.fixture.house.household, policies = world.policies
        let policy = try await policies.create(World.plan([Self.daily(.newest(count: 900))]), tags: ["a": "b"])
        func outlined() async throws -> (told: [PolicyView], steps: Int) {
            let before = try await Self.steps(house)
            return (try await policies.outlines(), try await Self.steps(house) - before)
        }
        let few = try await outlined()
        _ = try await Self.take(300, by: policy.id, world)
        let many = try await outlined()
        #expect(few.steps > 0 && many.steps < few.steps + 1000, "\(few.steps) and \(many.steps) steps")
        var expected = try await policies.show(policy.id)
        #expect(expected.standings.map(\.keptCount) == [600])
        expected.standings = []
        #expect(many.told == [expected] && few.told == many.told)
        await world.fixture.house.close()
    }

    @Test("a list of more snapshots than are read at once is whole, and oldest first")
    func parts() async throws {
        let world = try await World()
        let policy = try await world.policies.create(World.plan([Self.daily(.newest(count: 900))])).id
        let made = try await Self.take(SnapshotSelection.valuesMax + 1, by: policy, world)
        let all = try await world.fixture.snapshots.list()
        #expect(Set(all.map(\.id)) == Set(made.flatMap { $0 }) && all.count == made.flatMap { $0 }.count)
        #expect(all.map(\.createdAt) == all.map(\.createdAt).sorted())
        #expect(try await world.fixture.snapshots.list(of: world.volume).map(\.id) == made[0].reversed())
        await world.fixture.house.close()
    }

    /// What the catalog took so far.
    private static func steps(_ house: Household) async throws -> Int {
        try await house.catalog.change { try #require($0.connection as? SQLiteConnection).steps }
    }

    @Test("what retention lets go goes into the archive, and from there in its turn; what its owner archived is theirs")
    func archives() async throws {
        let world = try await World()
        var schedule = PolicyPlan.Schedule(
            "monthly", .cron(expression: "cron(0 0 1 * ? *)", zone: nil), keeping: .newest(count: 1))
        schedule.archive = .newest(count: 4)
        _ = try await world.policies.create(World.plan([schedule]))
        for _ in 0..<7 {
            world.clock.advance(by: .seconds(31 * 86_400))
            try await world.settle()
        }
        var made = try await world.made()
        #expect(made.map { $0.tier?.isArchived == true } == [true, true, true, true, false])
        #expect(made.map { $0.policy?.archivedAt != nil } == [true, true, true, true, false])
        let own = made[4].id
        _ = try await world.fixture.snapshots.archive(own)
        _ = try await world.fixture.snapshots.restoreArchived(made[3].id)
        for _ in 0..<6 {
            world.clock.advance(by: .seconds(31 * 86_400))
            try await world.settle()
        }
        let left = try await world.made()
        #expect(left.count == 7 && left.map(\.id).prefix(2) == [made[3].id, own])
        made = Array(left.dropFirst(2))
        #expect(made.map { $0.tier?.isArchived == true } == [true, true, true, true, false])
        await world.fixture.house.close()
    }

    @Test("with no retention before the archive it goes there at once, the only one too")
    func archivesAtOnce() async throws {
        let world = try await World()
        var schedule = PolicyPlan.Schedule(
            "monthly", .cron(expression: "cron(0 0 1 * ? *)", zone: nil), keeping: .age(amount: 0, unit: .days))
        schedule.archive = .age(amount: 90, unit: .days)
        _ = try await world.policies.create(World.plan([schedule]))
        world.clock.advance(by: .seconds(31 * 86_400))
        try await world.settle()
        let first = try #require(try await world.made().first)
        #expect(first.tier?.isArchived == true)
        for _ in 0..<4 {
            world.clock.advance(by: .seconds(31 * 86_400))
            try await world.settle()
        }
        #expect(!(try await world.made().map(\.id).contains(first.id)))
        #expect(try await world.made().allSatisfy { $0.tier?.isArchived == true })
        await world.fixture.house.close()
    }

    @Test("duties that fit with no policy or with no schedule are refused")
    func refused() async throws {
        let world = try await World()
        func refusal(_ change: (inout PolicyPlan) -> Void) async -> ServiceError.Code? {
            var plan = World.plan([Self.daily(.newest(count: 3))])
            change(&plan)
            let wrong = plan
            return await ControlPlaneTests.refusal { try await world.policies.create(wrong) }
        }
        #expect(await refusal { $0.schedules[0].archive = .newest(count: 100) } == .invalid, "it comes too often")
        #expect(await refusal { $0.schedules[0].sharing = .init(with: ["12"]) } == .invalid)
        #expect(await refusal { $0.schedules[0].sharing = .init(with: []) } == .invalid)
        #expect(
            await refusal { $0.schedules[0].fastRestore = .init(in: ["mars-1a"], keeping: .newest(count: 1)) }
                == .invalid)
        #expect(await refusal { $0.schedules[0].deprecation = .newest(count: 1) } == .invalid)
        #expect(await refusal { $0.schedules[0].variableTags = ["a": .time] } == .invalid)
        #expect(await refusal { $0.product = .images } == .invalid, "images are of instances")
        #expect(await refusal { $0.targets.lacking = .init(days: 1) } == .invalid, "and has tags, too")
        #expect(
            await refusal {
                $0.targets.tags = []
                $0.targets.lacking = .init(days: 8)
            } == .invalid)
        #expect(await refusal { $0.reaction = .init(to: ["123456789012"], describedBy: "", copies: []) } == .invalid)
        #expect(try await world.policies.list().isEmpty)
        await world.fixture.house.close()
    }

    @Test("of two schedules that come together each shares for its own time, and the longer with an account of both")
    func sharesTogether() async throws {
        let world = try await World()
        var accounts: [String] = []
        for name in ["one", "two", "both"] {
            accounts.append(try await world.fixture.house.accounts.create(named: name).id)
        }
        var short = Self.daily(.newest(count: 99)), long = short
        short.sharing = .init(with: [accounts[0], accounts[2]], keeping: .age(amount: 1, unit: .days))
        long.name = "long"
        long.sharing = .init(with: [accounts[1], accounts[2]], keeping: .age(amount: 30, unit: .days))
        _ = try await world.policies.create(World.plan([short, long]))
        try await world.days(1)
        let first = try #require(try await world.made().first).id
        func shared() async throws -> Set<String> {
            Set(try await world.fixture.snapshots.sharing(of: first).accounts)
        }
        #expect(try await shared() == Set(accounts))
        try await world.days(2)
        #expect(try await shared() == [accounts[1], accounts[2]])
        world.clock.advance(by: .seconds(26 * 86_400))
        try await world.settle()
        #expect(try await shared() == [accounts[1], accounts[2]])
        world.clock.advance(by: .seconds(3 * 86_400))
        try await world.settle()
        #expect(try await shared().isEmpty)
        await world.fixture.house.close()
    }

    @Test("sharing ends in time also for what goes through the bin", arguments: [true, false])
    func sharesThroughTheBin(isRestoredEarly: Bool) async throws {
        let world = try await World()
        let account = try await world.fixture.house.accounts.create(named: "others").id
        _ = try await world.fixture.house.bin.createRule(NewBinRule(resourceType: .snapshot, days: 30))
        var schedule = Self.daily(.newest(count: 9))
        schedule.sharing = .init(with: [account], keeping: .age(amount: 2, unit: .days))
        let policy = try await world.policies.create(World.plan([schedule])).id
        try await world.days(1)
        let first = try #require(try await world.made().first).id
        try await world.fixture.snapshots.delete(first)
        if isRestoredEarly {
            _ = try await world.fixture.house.bin.restoreSnapshot(first)
            #expect(try await world.fixture.snapshots.sharing(of: first).accounts == [account])
        } else {
            // Then nothing but the restore may end it.
            _ = try await world.policies.set(isEnabled: false, of: policy)
        }
        world.clock.advance(by: .seconds(3 * 86_400))
        try await world.settle()
        if !isRestoredEarly { _ = try await world.fixture.house.bin.restoreSnapshot(first) }
        #expect(try await world.fixture.snapshots.sharing(of: first).accounts.isEmpty)
        await world.fixture.house.close()
    }

    @Test("a zone that the server has no more is left out, and the policy says so")
    func unknownZone() async throws {
        let world = try await World()
        let house = world.fixture.house.household
        var schedule = Self.daily(.newest(count: 9))
        schedule.fastRestore = .init(in: [house.region.zones[0].id], keeping: .newest(count: 1))
        let id = try await world.policies.create(World.plan([schedule])).id
        try await house.catalog.change { session in
            guard var policy = try session.policy(id) else { return }
            var plan = try PolicyPlan(text: policy.plan)
            plan.schedules[0].fastRestore?.zones.append("mars-1a")
            policy.plan = try plan.text()
            try session.update(policy)
        }
        try await world.days(1)
        #expect(try await Self.restoredFast(world).count == 1)
        #expect(try await world.policies.show(id).problem?.contains("mars-1a") == true)
        await world.fixture.house.close()
    }
}
