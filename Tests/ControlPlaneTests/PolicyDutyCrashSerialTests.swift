import Blocks
import Simulation
import TestSupport
import Testing

@testable import ControlPlane

/// A year of policies with all their duties, whose house is killed at the steps of those and opened anew: in the end everything is
/// as if nothing had happened.
@Suite(.serialized) struct PolicyDutyCrashSerialTests {
    private static let points = [
        "policy.unshared", "policy.restored-fast", "policy.no-more-fast", "policy.archived", "policy.image.made",
        "policy.image.let-go", "policy.image.copied", "image.cut", "image.deregistered",
    ]
    private static let west = "us-west-2"
    private static let step = Duration.seconds(31 * 86_400)
    private static let steps = 9
    private static let start = WallTime(milliseconds: 1_800_000_000_000)

    @Test("no duty is forgotten, and none is done twice, whenever the house dies", arguments: points)
    func year(dyingAt point: String) async throws {
        let scratch = try ScratchDirectory("varve-duties")
        let path = scratch.path
        for hit in [1, 3] {
            await #expect(processExitsWith: .signal(9), "\(point):\(hit) is never reached") {
                [path = path as String, point = point as String, hit = hit as Int] in
                try await PolicyDutyCrashSerialTests.live(path, dyingAt: point, hit: hit)
            }
        }
        let clock = ManualClock(at: try Self.noted(path))
        let house = try await Self.open(path, clock)
        try await Self.settle(house)
        for _ in 0..<Self.steps {
            clock.advance(by: Self.step)
            try await Self.settle(house)
        }
        let made = try await house.snapshots.list().filter { $0.policy != nil }
        #expect(made.map { $0.tier?.isArchived == true } == [true, true, true, true, false])
        #expect(made.map { $0.policy?.archivedAt != nil } == [true, true, true, true, false])
        #expect(made.map { $0.sharing != nil } == [false, false, false, false, true])
        #expect(try await house.snapshots.fastRestores().map(\.snapshotId) == made.suffix(1).map(\.id))
        let images = try await house.images.list(), away = try await Self.away(house).images.list()
        #expect(images.count == 2 && away.count == 1)
        #expect(away.first?.sourceImageId == images.last?.id)
        try await Self.until("snapshots of images are gone with them") {
            let here = try await house.snapshots.list().count, there = try await Self.away(house).snapshots.list().count
            return here == made.count + 2 && there == 1
        }
        await house.close()
    }

    private static func away(_ house: House) throws -> Verbs { try #require(house.verbs(for: .root, in: west)) }

    private static func until(_ what: String, _ holds: () async throws -> Bool) async throws {
        for _ in 0..<3000 {
            if try await holds() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("\(what): never")
    }

    private static func open(_ path: String, _ clock: ManualClock) async throws -> House {
        var plan = HousePlan(data: path + "/data")
        plan.clock = clock
        plan.scrubEvery = nil
        plan.moreRegions = [RegionPlan(region: Region(name: west))]
        let house = try await House.open(plan, exports: MemoryBoard())
        if try await house.policies.list().isEmpty { try await furnish(house) }
        return house
    }

    private static func furnish(_ house: House) async throws {
        let other = try await house.accounts.create(named: "others").id
        let host = try await house.instances.launch(NewInstances())[0].id
        var volume = CreateVolume(size: .mebibytes(1))
        volume.tags = ["backup": "yes"]
        let disk = try await house.volumes.create(volume).id
        _ = try await house.instances.attach(disk, to: host, as: "/dev/sda1", goesWithInstance: false)
        var monthly = PolicyPlan.Schedule(
            "monthly", .cron(expression: "cron(0 0 1 * ? *)", zone: nil), keeping: .newest(count: 1))
        monthly.archive = .newest(count: 4)
        monthly.sharing = .init(with: [other], keeping: .age(amount: 30, unit: .days))
        monthly.fastRestore = .init(in: [house.household.region.zones[0].name], keeping: .newest(count: 1))
        let volumes = PolicyPlan.Targets(.volumes, tags: [.init(key: "backup", value: "yes")])
        _ = try await house.policies.create(PolicyPlan(targets: volumes, schedules: [monthly]))
        let daily = PolicyPlan.Schedule(
            "daily", .every(hours: 24, from: TimeOfDay(minutes: 0)), keeping: .newest(count: 2),
            copies: [PolicyPlan.Copy(to: west, keeping: .newest(count: 1))])
        var images = PolicyPlan(targets: .init(.instances, ids: [host]), schedules: [daily])
        images.product = .images
        _ = try await house.policies.create(images)
    }

    private static func settle(_ house: House) async throws {
        let household = house.household
        for _ in 0..<3 {
            for policy in try await house.policies.list() { household.scheduler.look(at: policy.id) }
            await household.scheduler.turn(household)
            await household.scheduler.copyTurn(household)
            for verbs in [house.verbs(for: .root), try away(house)] {
                try await until("all is made") {
                    let images = try await verbs.images.list(), snapshots = try await verbs.snapshots.list()
                    return images.allSatisfy { $0.state != .pending } && snapshots.allSatisfy { $0.state != .pending }
                }
            }
        }
        for policy in try await house.policies.list() { household.scheduler.look(at: policy.id) }
        await household.scheduler.copyTurn(household)
        await household.scheduler.turn(household)
    }

    // MARK: The child

    /// Lives step by step from the one that the file names, and writes each into it before it begins.
    private static func live(_ path: String, dyingAt point: String, hit: Int) async throws {
        let clock = ManualClock(at: (try? noted(path)) ?? start)
        let left = Guarded(hit)
        let house = try await open(path, clock)
        Failpoint.observe { name in
            let mustDie = left.withLock { left in
                if name == point { left -= 1 }
                return name == point && left == 0
            }
            if mustDie { Machine.killSelf() }
        }
        // What a death left of its step is that step's.
        try await settle(house)
        for _ in 0..<(2 * steps) {
            let next = clock.now() + step
            try note(next, path)
            clock.advance(by: step)
            try await settle(house)
        }
    }

    private static func note(_ time: WallTime, _ path: String) throws {
        let file = try LocalDisk().open(path + "/day", .create)
        try Array(time.description.utf8).readBytes { (bytes) throws(BlockFailure) in
            try file.write(bytes, at: 0, durably: false)
        }
    }

    private static func noted(_ path: String) throws -> WallTime {
        let file = try LocalDisk().open(path + "/day", .readOnly)
        var bytes = [UInt8](repeating: 0, count: 24)
        try bytes.writeBytes { (all) throws(BlockFailure) in try file.read(at: 0, into: &all) }
        return try #require(WallTime(String(decoding: bytes, as: UTF8.self)))
    }
}
