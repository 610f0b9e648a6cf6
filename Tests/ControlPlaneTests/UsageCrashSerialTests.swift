import Blocks
import Catalog
import Simulation
import TestSupport
import Testing

@testable import ControlPlane

/// Ends the process while an hour is metered or old spans become days, starts again hours later, and counts.
@Suite(.serialized) struct UsageCrashSerialTests {
    private static let hour = Duration.seconds(3600)

    @Test(
        "an hour counts once, whenever the house dies",
        arguments: [("usage.metering", 0), ("usage.metered", 0), ("usage.rolled", 0), ("usage.rolled", 80)])
    func kill(at point: String, daysOn: Int) async throws {
        let scratch = try ScratchDirectory("varve-usage-crash")
        let path = scratch.path
        await #expect(processExitsWith: .signal(9), "\(point) is never reached") {
            [path = path as String, point = point as String, daysOn = daysOn as Int] in
            try await UsageCrashSerialTests.live(path, dyingAt: point, daysOn)
        }
        // Three more hours pass before it is back.
        let clock = ManualClock(at: UsageTests.start + Self.hour * (11 + 24 * daysOn + 3))
        var plan = HousePlan(data: path + "/data")
        plan.clock = clock
        let house = try await House.open(plan, exports: MemoryBoard())
        // Once more at the same hour, for nothing.
        await house.household.meter.turn(house.household)
        let report = try await house.usage.report(from: UsageTests.start, to: clock.now() + Self.hour, by: .day)
        // A MiB for ten hours, then deleted; another for all hours since the one after the first.
        let all = Double(11 + 24 * daysOn + 3)
        #expect(report.rows.map(\.byteHours).reduce(0, +) == (10 + all) * 1_048_576)
        await house.close()
    }

    @Test(
        "what is counted of a deleted snapshot is there whole or not yet, and then again",
        arguments: ["read", "written"])
    func inherited(at step: String) async throws {
        let scratch = try ScratchDirectory("varve-usage-crash")
        let path = scratch.path
        await #expect(processExitsWith: .signal(9), "\(step) is never reached") {
            [path = path as String, step = step as String] in
            try await UsageCrashSerialTests.inherit(path, dyingAt: "usage.inherited.\(step)")
        }
        // Long before it is counted again.
        let clock = ManualClock(at: UsageTests.start)
        let fixture = try await HouseFixture(at: path + "/data") { $0.clock = clock }
        let catalog = fixture.house.household.catalog
        let heir = try #require(try await fixture.snapshots.list().first).id
        let before = try await InheritanceTests.inherited(heir, fixture)
        let isMarked = try await catalog.change { try $0.uncountedLineage() } != nil
        #expect(step == "read" ? before == 0 && isMarked : before > 0 && !isMarked)
        try await catalog.change { try $0.recountAllLineages(at: clock.now()) }
        fixture.house.household.inheritance.lookSoon()
        try await InheritanceTests.count(fixture, clock)
        let after = try await InheritanceTests.inherited(heir, fixture)
        #expect(after > 0 && (step == "read" || after == before))
        await fixture.house.close()
    }

    private static func inherit(_ path: String, dyingAt point: String) async throws {
        let clock = ManualClock(at: UsageTests.start)
        let fixture = try await HouseFixture(at: path + "/data") { $0.clock = clock }
        let volume = try await fixture.volume()
        var first: String?
        for blocks in [0..<100, 0..<10] {
            try await fixture.write(volume, blocks, 1)
            let made = try await fixture.snapshot(volume)
            clock.advance(by: .seconds(1))
            first = first ?? made
        }
        try await fixture.snapshots.delete(try #require(first))
        try await fixture.quiet()
        Failpoint.observe { if $0 == point { Machine.killSelf() } }
        clock.advance(by: Inheritance.pause)
        // The house's own turn comes to it.
        try await fixture.eventually("it dies") { false }
    }

    private static func live(_ path: String, dyingAt point: String, _ daysOn: Int) async throws {
        let clock = ManualClock(at: UsageTests.start)
        var plan = HousePlan(data: path + "/data")
        plan.clock = clock
        let house = try await House.open(plan, exports: MemoryBoard())
        let first = try await house.volumes.create(CreateVolume(size: .mebibytes(1))).id
        _ = try await house.volumes.create(CreateVolume(size: .mebibytes(1)))
        for _ in 0..<10 {
            clock.advance(by: hour)
            await house.household.meter.turn(house.household)
        }
        try await house.volumes.delete(first)
        if daysOn > 0 {
            clock.advance(by: hour * 24 * daysOn)
            // It comes to an end now, and is old already at the next hour.
            await house.household.meter.turn(house.household)
        }
        Failpoint.observe { if $0 == point { Machine.killSelf() } }
        clock.advance(by: hour)
        await house.household.meter.turn(house.household)
    }
}
