import Blocks
import Simulation
import TestSupport
import Testing

@testable import ControlPlane

/// A year of a daily policy, whose house is killed again and again at the steps of its runs and opened anew.
@Suite(.serialized) struct PolicyYearSerialTests {
    private static let days = 365
    private static let points = [
        "policy.planned", "snapshot.recorded", "snapshot.cut", "snapshot.pending", "policy.taken", "snapshot.completed",
        "delete-snapshot.recorded", "delete-snapshot.trashed", "policy.let-go", "copy.recorded", "policy.copied",
        "copy.begun", "copy.completed",
    ]
    private static let west = "us-west-2"
    private static let start = WallTime(milliseconds: 1_800_000_000_000)

    @Test("nothing is missed, taken twice or let go early, whenever the house dies", arguments: points)
    func year(dyingAt point: String) async throws {
        let scratch = try ScratchDirectory("varve-year")
        let path = scratch.path
        for hit in [1, 9] {
            await #expect(processExitsWith: .signal(9), "\(point):\(hit) is never reached") {
                [path = path as String, point = point as String, hit = hit as Int] in
                try await PolicyYearSerialTests.live(path, until: 20, dyingAt: point, hit: hit)
            }
        }
        let clock = ManualClock(at: try Self.noted(path))
        let world = try await Self.open(path, clock)
        try await Self.settle(world)
        let today = Int((clock.now() - Self.start).components.seconds / 86_400)
        let taken = try await Self.dates(world)
        #expect(taken == Self.expected(on: today), "day \(today): \(taken)")
        #expect(try await Self.copies(world) == Self.expected(on: today, count: 4), "copies on day \(today)")
        await world.close()
    }

    @Test(
        "a year of days, with restarts between: the newest seven are there and the newest four copies, and nothing else"
    )
    func fullYear() async throws {
        let scratch = try ScratchDirectory("varve-year")
        let clock = ManualClock(at: Self.start)
        var world = try await Self.open(scratch.path, clock)
        var random = SystemRandomNumberGenerator()
        for day in 1...Self.days {
            clock.advance(by: .seconds(86_400))
            // Sometimes it was not there at midnight, and catches up.
            if Int.random(in: 0..<40, using: &random) == 0 {
                await world.close()
                world = try await Self.open(scratch.path, clock)
            }
            try await Self.settle(world)
            if day % 30 == 0 || day == Self.days {
                #expect(try await Self.dates(world) == Self.expected(on: day), "day \(day)")
                #expect(try await Self.copies(world) == Self.expected(on: day, count: 4), "copies on day \(day)")
            }
        }
        await world.close()
    }

    /// Keeps seven, and four copies; the first is taken on day 1.
    private static func expected(on day: Int, count: Int = 7) -> [String] {
        (max(1, day - count + 1)...max(1, day)).map { String((start + .seconds($0 * 86_400)).description.prefix(10)) }
    }

    private static func dates(_ house: House) async throws -> [String] {
        try await house.snapshots.list().filter { $0.policy != nil }.map { String($0.createdAt.description.prefix(10)) }
    }

    private static func away(_ house: House) throws -> SnapshotService {
        try #require(house.verbs(for: .root, in: west)).snapshots
    }

    /// By the names, which are those of what they are copies of.
    private static func copies(_ house: House) async throws -> [String] {
        try await away(house).list().map { String(($0.name ?? "").dropFirst("auto-".count).prefix(10)) }.sorted()
    }

    private static func open(_ path: String, _ clock: ManualClock) async throws -> House {
        var plan = HousePlan(data: path + "/data")
        plan.clock = clock
        plan.scrubEvery = nil
        plan.moreRegions = [RegionPlan(region: Region(name: west))]
        let house = try await House.open(plan, exports: MemoryBoard())
        if try await house.policies.list().isEmpty {
            var volume = CreateVolume(size: .mebibytes(1))
            volume.tags = ["backup": "yes"]
            _ = try await house.volumes.create(volume)
            let schedule = PolicyPlan.Schedule(
                "daily", .every(hours: 24, from: TimeOfDay(minutes: 0)), keeping: .newest(count: 7),
                copies: [PolicyPlan.Copy(to: west, keeping: .newest(count: 4))])
            let targets = PolicyPlan.Targets(.volumes, tags: [.init(key: "backup", value: "yes")])
            _ = try await house.policies.create(PolicyPlan(targets: targets, schedules: [schedule]))
        }
        return house
    }

    private static func settle(_ house: House) async throws {
        await house.household.scheduler.turn(house.household)
        for one in try await house.snapshots.list() where one.state == .pending {
            _ = try await house.snapshots.wait(for: one.id)
        }
        let household = house.household
        for policy in try await house.policies.list() { household.scheduler.look(at: policy.id) }
        await household.scheduler.copyTurn(household)
        for one in try await away(house).list() where one.state == .pending {
            _ = try await away(house).wait(for: one.id)
        }
        for policy in try await house.policies.list() { household.scheduler.look(at: policy.id) }
        await household.scheduler.copyTurn(household)
        await household.scheduler.turn(household)
    }

    // MARK: The child

    /// Lives day by day from the one that the file names, and writes each into it before it begins.
    private static func live(_ path: String, until last: Int, dyingAt point: String, hit: Int) async throws {
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
        // What a death left of its day is that day's.
        try await settle(house)
        for _ in 0..<last {
            let next = clock.now() + .seconds(86_400)
            try note(next, path)
            clock.advance(by: .seconds(86_400))
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
