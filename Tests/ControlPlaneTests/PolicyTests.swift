import Blocks
import Catalog
import Simulation
import Testing

@testable import ControlPlane

/// Policies on a house whose clock the test moves.
@Suite struct PolicyTests {
    static let midnight = TimeOfDay(minutes: 0)

    /// A house at 2027-01-15T08:00Z with one tagged volume.
    struct World: Sendable {
        let fixture: HouseFixture
        let clock: ManualClock
        let volume: String
        var policies: PolicyService { fixture.house.policies }

        init() async throws {
            let clock = ManualClock()
            self.clock = clock
            fixture = try await HouseFixture { plan in
                plan.clock = clock
                plan.scrubEvery = nil
            }
            var request = CreateVolume(size: .mebibytes(1))
            request.tags = ["backup": "yes", "team": "db"]
            volume = try await fixture.volumes.create(request).id
        }

        static func plan(
            _ schedules: [PolicyPlan.Schedule], tags: [PolicyPlan.Tag] = [.init(key: "backup", value: "yes")]
        ) -> PolicyPlan {
            PolicyPlan(name: "test", targets: .init(.volumes, tags: tags), schedules: schedules)
        }

        /// Everything due is done and everything taken is in the store; what may go is gone.
        func settle() async throws {
            let house = fixture.house.household
            await house.scheduler.turn(house)
            for one in try await fixture.snapshots.list() where one.state == .pending {
                _ = try await fixture.snapshots.wait(for: one.id)
            }
            // Asked again in any case: the completion may be announced before it is noted.
            for policy in try await policies.list() { house.scheduler.look(at: policy.id) }
            await house.scheduler.turn(house)
        }

        func days(_ count: Int) async throws {
            for _ in 0..<count {
                clock.advance(by: .seconds(86_400))
                try await settle()
            }
        }

        func made() async throws -> [SnapshotView] { try await fixture.snapshots.list().filter { $0.policy != nil } }
        func dates() async throws -> [String] { try await made().map { String($0.createdAt.description.prefix(10)) } }
    }

    private static func daily(_ retention: Retention, _ name: String = "daily") -> PolicyPlan.Schedule {
        PolicyPlan.Schedule(name, .every(hours: 24, from: midnight), keeping: retention)
    }

    @Test("a snapshot of a policy has its name, tags and expiry, and the policy says how it stands")
    func one() async throws {
        let world = try await World()
        var schedule = Self.daily(.age(amount: 7, unit: .days))
        schedule.copiesTags = true
        schedule.tags = ["made": "by policy", "team": "ops"]
        let policy = try await world.policies.create(World.plan([schedule]), tags: ["cost": "low"])
        #expect(policy.standings[0].nextAt == WallTime("2027-01-16T00:00:00Z") && policy.tags == ["cost": "low"])
        try await world.settle()
        #expect(try await world.made().isEmpty)
        try await world.days(1)
        let made = try #require(try await world.made().first)
        #expect(made.name == "auto-2027-01-16T00:00Z" && made.volumeId == world.volume)
        #expect(made.tags == ["made": "by policy", "team": "ops", "backup": "yes"])
        #expect(made.policy?.policyId == policy.id && made.policy?.schedules == ["daily"])
        #expect(made.policy?.expiresAt == made.createdAt + .seconds(7 * 86_400))
        let standing = try await world.policies.show(policy.id).standings[0]
        #expect(standing.keptCount == 1 && standing.lastAt == WallTime("2027-01-16T00:00:00Z"))
        #expect(standing.nextAt == WallTime("2027-01-17T00:00:00Z"))
        await world.fixture.house.close()
    }

    @Test("a policy may say what its snapshots' names begin with, and the minute follows by its own clock")
    func names() async throws {
        let world = try await World()
        let when = Recurrence.weekly(
            days: Weekday.allCases, at: [TimeOfDay(minutes: 90)], zone: ZoneOffset(minutes: 480))
        var plan = World.plan([PolicyPlan.Schedule("early", when, keeping: .newest(count: 3))])
        plan.naming = "auto-nightly"
        plan.schedules[0].hasInstantAccess = true
        _ = try await world.policies.create(plan)
        #expect(try await world.policies.list().first?.plan == plan)
        try await world.days(1)
        let made = try #require(try await world.made().first)
        // Half past one there is half past five of the day before here.
        #expect(made.name == "auto-nightly-202701160130" && made.hasInstantAccess)
        for wrong in ["", "a\u{1}", String(repeating: "x", count: 65)] {
            plan.naming = wrong
            let asked = plan
            #expect(await refusal { try await world.policies.create(asked) } == .invalid, "\(wrong)")
        }
        await world.fixture.house.close()
    }

    @Test("a count keeps the newest of each volume; what its owner took, what is locked or exported stays")
    func keeps() async throws {
        let world = try await World()
        let own = try await world.fixture.snapshot(world.volume)
        _ = try await world.policies.create(World.plan([Self.daily(.newest(count: 2))]))
        try await world.days(2)
        let first = try await world.made().map(\.id)
        _ = try await world.fixture.snapshots.lock(first[0], LockSnapshot(mode: .governance, end: .days(30)))
        _ = try await world.fixture.snapshots.attach(first[1])
        try await world.days(3)
        #expect(try await world.dates() == ["2027-01-16", "2027-01-17", "2027-01-19", "2027-01-20"])
        #expect(try await world.fixture.snapshots.show(first[1]).uri != nil)
        try await world.fixture.snapshots.unlock(first[0])
        _ = try await world.fixture.snapshots.detach(first[1])
        try await world.settle()
        #expect(try await world.dates() == ["2027-01-19", "2027-01-20"])
        #expect(try await world.fixture.snapshots.show(own).state == .completed)
        await world.fixture.house.close()
    }

    @Test("paused it neither takes nor lets go, and does not catch up; run now takes one all the same")
    func pause() async throws {
        let world = try await World()
        let id = try await world.policies.create(World.plan([Self.daily(.age(amount: 2, unit: .days))])).id
        try await world.days(2)
        #expect(try await world.policies.set(isEnabled: false, of: id).standings[0].nextAt == nil)
        try await world.days(5)
        #expect(try await world.dates() == ["2027-01-16", "2027-01-17"])
        let task = try await world.policies.run(id)
        #expect(task.kind == .runPolicy && task.state == .succeeded)
        #expect(try await world.made().count == 3)
        _ = try await world.policies.set(isEnabled: true, of: id)
        try await world.settle()
        #expect(try await world.dates() == ["2027-01-22"])
        try await world.days(1)
        #expect(try await world.dates() == ["2027-01-22", "2027-01-23"])
        try await world.policies.delete(id)
        try await world.days(9)
        #expect(try await world.dates() == ["2027-01-22", "2027-01-23"], "what a deleted policy took stays")
        await world.fixture.house.close()
    }

    @Test("tags decide each time anew: any of them is enough, and what lost its tag is left alone")
    func targets() async throws {
        let world = try await World()
        let other = try await world.fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let tags = [PolicyPlan.Tag(key: "backup", value: "yes"), .init(key: "tier", value: "1")]
        _ = try await world.policies.create(World.plan([Self.daily(.age(amount: 1, unit: .days))], tags: tags))
        try await world.days(1)
        let set = world.fixture.house.verbs(for: .root).tags
        try await set.set(["tier": "1"], on: [other])
        try await set.set(["backup": "Yes"], on: [world.volume])
        try await world.days(3)
        #expect(try await world.fixture.snapshots.list(of: world.volume).count == 1)
        #expect(
            try await world.fixture.snapshots.list(of: other).map { String($0.createdAt.description.prefix(10)) }
                == ["2027-01-19"], "the last one stays until the next")
        try await world.fixture.volumes.delete(other)
        try await world.days(3)
        #expect(try await world.fixture.snapshots.list(of: other).count == 1, "the last one of what is gone stays")
        await world.fixture.house.close()
    }

    @Test("schedules that are due together make one snapshot, kept until all let it go")
    func together() async throws {
        let world = try await World()
        _ = try await world.policies.create(
            World.plan([
                PolicyPlan.Schedule("often", .every(hours: 12, from: Self.midnight), keeping: .newest(count: 2)),
                Self.daily(.newest(count: 5)),
            ]))
        world.clock.advance(by: .seconds(4 * 3600))
        try await world.settle()
        world.clock.advance(by: .seconds(12 * 3600))
        try await world.settle()
        #expect(try await world.made().map { $0.policy?.schedules } == [["often"], ["often", "daily"]])
        await world.fixture.house.close()
    }

    @Test("an instance's volumes are cut at one instant, without what is left out")
    func instances() async throws {
        let world = try await World()
        let instance = try await world.fixture.house.instances.launch(NewInstances())[0].id
        var disks: [String] = []
        for device in ["/dev/sda1", "/dev/sdf", "/dev/sdg", "/dev/sdh"] {
            let disk = try await world.fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
            _ = try await world.fixture.house.instances.attach(disk, to: instance, as: device, goesWithInstance: false)
            disks.append(disk)
        }
        try await world.fixture.house.verbs(for: .root).tags.set(["scratch": "1"], on: [disks[3]])
        var plan = World.plan([Self.daily(.newest(count: 1))])
        plan.targets = .init(.instances, ids: [instance])
        plan.targets.excludesBootVolume = true
        plan.targets.excludedTags = [.init(key: "scratch", value: "1")]
        _ = try await world.policies.create(plan)
        try await world.days(2)
        let made = try await world.made()
        #expect(Set(made.map(\.volumeId)) == Set(disks[1...2]) && made.count == 2)
        #expect(made[0].groupId != nil && Set(made.map(\.groupId)).count == 1)
        await world.fixture.house.close()
    }

    @Test("a volume that two of its instances have is taken once, and keeps neither from a backup of its own disks")
    func sharedVolume() async throws {
        let world = try await World()
        let instances = world.fixture.house.instances
        let hosts = try await instances.launch(NewInstances(count: 2)).map(\.id)
        var disks: [String] = []
        for host in hosts {
            let disk = try await world.fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
            _ = try await instances.attach(disk, to: host)
            disks.append(disk)
        }
        var shared = CreateVolume(size: .gibibytes(4))
        shared.profile = VolumeProfile(kind: "io2", iops: 100, throughput: nil)
        shared.isShared = true
        disks.append(try await world.fixture.volumes.create(shared).id)
        for host in hosts { _ = try await instances.attach(disks[2], to: host) }
        var plan = World.plan([Self.daily(.newest(count: 2))])
        plan.targets = .init(.instances, ids: hosts)
        let id = try await world.policies.create(plan).id
        for count in 1...2 {
            try await world.days(1)
            #expect(try await world.made().map(\.volumeId).sorted() == (disks + (count > 1 ? disks : [])).sorted())
        }
        #expect(try await world.policies.show(id).problem == nil)
        await world.fixture.house.close()
    }

    @Test("what cannot be a policy is refused, and another account's things are missing")
    func refused() async throws {
        let world = try await World()
        let good = Self.daily(.newest(count: 1))
        var wrong = [
            World.plan([]), World.plan([good, good]), World.plan([good], tags: []),
            World.plan([Self.daily(.newest(count: 0))]), World.plan([Self.daily(.age(amount: 0, unit: .days))]),
            World.plan([Self.daily(.generations(hourly: 0, daily: nil, weekly: nil, monthly: nil, yearly: nil))]),
            World.plan([PolicyPlan.Schedule("x", .every(hours: 5, from: Self.midnight), keeping: .forever)]),
        ]
        wrong[2].targets.ids = ["nonsense"]
        for plan in wrong { #expect(await refusal { try await world.policies.create(plan) } == .invalid) }
        var foreign = World.plan([good])
        foreign.targets.ids = [world.volume]
        let account = try await world.fixture.house.accounts.create(named: "others").id
        let eve = world.fixture.house.verbs(for: Caller(account: account, principal: "eve", role: .administrator))
            .policies
        #expect(await refusal { try await eve.create(foreign) } == .missing)
        let id = try await world.policies.create(foreign).id
        #expect(await refusal { try await eve.show(id) } == .missing)
        #expect(await refusal { try await eve.run(id) } == .missing)
        #expect(try await eve.list().isEmpty)
        await world.fixture.house.close()
    }

    @Test("what its owner took out of the bin is no more the policy's to let go")
    func outOfTheBin() async throws {
        let world = try await World()
        _ = try await world.fixture.house.bin.createRule(NewBinRule(resourceType: .snapshot, days: 30))
        _ = try await world.policies.create(World.plan([Self.daily(.newest(count: 1))]))
        try await world.days(2)
        let binned = try #require(try await world.fixture.house.bin.list().snapshots.first?.object.id)
        _ = try await world.fixture.house.bin.restoreSnapshot(binned)
        try await world.days(2)
        #expect(try await world.fixture.snapshots.show(binned).state == .completed)
        #expect(try await world.made().count == 2)
        await world.fixture.house.close()
    }

    @Test("each schedule keeps what it promises of what they took together")
    func bothPromises() async throws {
        let world = try await World()
        let yearly = Retention.generations(hourly: nil, daily: nil, weekly: nil, monthly: nil, yearly: 1)
        _ = try await world.policies.create(
            World.plan([Self.daily(yearly, "yearly"), Self.daily(.newest(count: 3), "three")]))
        try await world.days(6)
        #expect(try await world.dates() == ["2027-01-19", "2027-01-20", "2027-01-21"])
        await world.fixture.house.close()
    }

    @Test("what is damaged replaces nothing: the last whole one stays, and the damaged one goes in its turn")
    func damaged() async throws {
        let world = try await World()
        let house = world.fixture.house.household
        _ = try await world.policies.create(World.plan([Self.daily(.newest(count: 1))]))
        try await world.days(1)
        let whole = try #require(try await world.made().first).id
        // Held until the damage is known, which the end of the upload would else come before.
        _ = try await world.fixture.snapshots.lock(whole, LockSnapshot(mode: .governance, end: .days(30)))
        world.clock.advance(by: .seconds(86_400))
        await house.scheduler.turn(house)
        let bad = try #require(try await world.made().last).id
        let mark = DamageRecord(
            snapshotID: bad, at: world.clock.now(), bytes: 4096, isMapDamaged: false,
            runs: [BlockRange(from: BlockIndex(0), to: BlockIndex(1))], packs: [], problems: ["lost"])
        try await house.catalog.change { try $0.mark(mark) }
        try await world.fixture.snapshots.unlock(whole)
        try await world.settle()
        #expect(Set(try await world.made().map(\.id)) == [whole, bad])
        try await world.days(1)
        let left = try await world.made().map(\.id)
        #expect(left.count == 1 && left[0] != whole && left[0] != bad)
        await world.fixture.house.close()
    }

    @Test("a run that is tried again takes nothing that it took before, also when that was deleted meanwhile")
    func triedAgain() async throws {
        let world = try await World()
        let house = world.fixture.house.household
        let id = try await world.policies.create(World.plan([Self.daily(.newest(count: 5))])).id
        let task = try await world.policies.run(id)
        try await world.settle()
        let made = try #require(try await world.made().first).id
        try await world.fixture.snapshots.delete(made)
        try await world.fixture.eventually("it is gone") {
            try await house.catalog.change { try $0.snapshot(made) } == nil
        }
        let record = try #require(try await house.catalog.change { try $0.task(task.id) })
        await RunPolicy(house: house).run(record)
        try await world.settle()
        #expect(try await world.made().isEmpty)
        await world.fixture.house.close()
    }
}
