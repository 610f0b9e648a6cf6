import Blocks
import Catalog
import Simulation
import TestSupport
import Testing

@testable import ControlPlane

/// Metering on a clock moved by hand.
@Suite struct UsageTests {
    static let hour = Duration.seconds(3600)
    /// 2027-01-15T08:00:00Z, the beginning of an hour.
    static let start = WallTime(milliseconds: 1_800_000_000_000)

    static func fixture(_ clock: ManualClock) async throws -> HouseFixture {
        try await HouseFixture { plan in
            plan.clock = clock
            plan.scrubEvery = nil
        }
    }

    static func meter(_ fixture: HouseFixture) async {
        await fixture.house.household.meter.turn(fixture.house.household)
    }

    @Test("what snapshots took is known for each full hour that was metered, and to nobody else")
    func hours() async throws {
        let clock = ManualClock(at: Self.start)
        let fixture = try await Self.fixture(clock)
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<64, 5)
        func hours(_ count: Int) async {
            for _ in 0..<count {
                clock.advance(by: Self.hour)
                await Self.meter(fixture)
            }
        }
        await hours(2)
        let snapshot = try await fixture.snapshot(volume)
        let stored = try #require(try await fixture.snapshots.show(snapshot).storedBytes)
        await hours(2)
        try await fixture.snapshots.delete(snapshot)
        await hours(2)
        let usage = fixture.house.verbs(for: .root).usage
        let points = try await usage.snapshotBytes(from: Self.start + .seconds(1), to: Self.start + Self.hour * 20)
        #expect(points.map(\.time) == (1...6).map { Self.start + Self.hour * $0 })
        #expect(stored > 0 && points.map(\.bytes) == [0, 0, stored, stored, 0, 0])
        #expect(try await usage.snapshotBytes(from: Self.start + Self.hour * 7, to: clock.now() + Self.hour).isEmpty)
        #expect(await refusal { try await usage.snapshotBytes(from: clock.now(), to: Self.start) } == .invalid)
        let (_, others) = try await fixture.otherAccount()
        let theirs = try await others.usage.snapshotBytes(from: Self.start, to: clock.now())
        #expect(theirs.allSatisfy { $0.bytes == 0 })
        await fixture.house.close()
    }

    @Test("a month of hours, with changes, stops and a clock that goes back: every hour counts once")
    func month() async throws {
        let clock = ManualClock(at: Self.start)
        let fixture = try await Self.fixture(clock)
        let disk = try await fixture.volumes.create(CreateVolume(size: .mebibytes(4))).id
        var expected = 0.0, size = 4.0 * 1_048_576, isThere = true, extra: String?
        // The hour of the start was metered before there was anything.
        for step in 1...24 * 31 {
            clock.advance(by: Self.hour)
            await Self.meter(fixture)
            await Self.meter(fixture)
            expected += (isThere ? size : 0) + (extra == nil ? 0 : 1_048_576)
            // What changes within an hour counts from the next one on.
            switch step {
            case 100:
                // Longer away: what was there all the while counts for all hours.
                clock.advance(by: Self.hour * 9)
                try await fixture.reopen()
                expected += 9 * size
            case 200:
                _ = try await fixture.volumes.modify(disk, ModifyVolume(size: .mebibytes(8)))
                size = 8 * 1_048_576
            case 300: extra = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
            case 400:
                try await fixture.volumes.delete(disk)
                isThere = false
            default: break
            }
        }
        let usage = fixture.house.verbs(for: .root).usage
        let end = clock.now() + Self.hour
        let rows = try await usage.report(from: Self.start, to: end, by: .region).rows
        #expect(rows.map(\.byteHours) == [expected] && rows[0].key == "us-east-1" && rows[0].type == "gp2")
        let days = try await usage.report(from: Self.start, to: end, by: .day).rows
        #expect(days.map(\.byteHours).reduce(0, +) == expected)
        #expect(days.first?.key == "2027-01-15" && days.count == 32)
        let volumes = try await usage.report(from: Self.start, to: end, by: .volume).rows
        #expect(Set(volumes.map(\.key)) == [disk, try #require(extra)])
        #expect(volumes.map(\.byteHours).reduce(0, +) == expected)
        await fixture.house.close()
    }

    @Test("what was made while nothing metered counts from its own hour, and a clock that goes back meters nothing")
    func late() async throws {
        let clock = ManualClock(at: Self.start)
        let fixture = try await Self.fixture(clock)
        let catalog = fixture.house.household.catalog
        _ = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1)))
        // Nobody looks for five hours: metered from the third on, where the second disk was made.
        var late = VolumeRecord(
            id: "vol-late", name: nil, state: .available, size: .mebibytes(1), sourceSnapshot: nil,
            createdAt: Self.start + Self.hour * 3)
        late.kind = "gp3"
        let record = late
        let metered = try await catalog.change { session in
            try session.insert(record)
            return (try session.meterUsage(through: Meter.hour(of: Self.start) + 5), try session.usageHour())
        }
        #expect(metered.0 && metered.1 == Meter.hour(of: Self.start) + 6)
        let again = try await catalog.change { session in
            (
                try session.meterUsage(through: Meter.hour(of: Self.start) + 5),
                try session.meterUsage(through: Meter.hour(of: Self.start) - 100)
            )
        }
        #expect(again == (false, false))
        let rows = try await fixture.house.verbs(for: .root).usage.report(
            from: Self.start, to: Self.start + Self.hour * 24, by: .region
        ).rows
        #expect(rows.map(\.type) == ["gp2", "gp3"])
        #expect(rows.map(\.byteHours) == [5 * 1_048_576, 3 * 1_048_576])
        try await catalog.change { try $0.deleteVolume("vol-late") }
        await fixture.house.close()
    }

    @Test("what ended long ago becomes sums by day, and the sum stays what it was")
    func rolledUp() async throws {
        let clock = ManualClock(at: Self.start)
        let fixture = try await Self.fixture(clock)
        let disk = try await fixture.volumes.create(CreateVolume(size: .mebibytes(2))).id
        for _ in 0..<50 {
            clock.advance(by: Self.hour)
            await Self.meter(fixture)
        }
        try await fixture.volumes.delete(disk)
        clock.advance(by: Self.hour)
        await Self.meter(fixture)
        let usage = fixture.house.verbs(for: .root).usage
        let end = Self.start + Self.hour * 100
        let before = try await usage.report(from: Self.start, to: end, by: .day).rows
        #expect(before.map(\.byteHours).reduce(0, +) == 50 * 2 * 1_048_576 && before.count == 3)
        clock.advance(by: Self.hour * 24 * (Meter.spanDays + 3))
        await Self.meter(fixture)
        let spans = try await fixture.house.household.catalog.change {
            try $0.usage(of: "100000000000", in: 0..<1_000_000, by: .volume)
        }
        #expect(spans.isEmpty)
        #expect(try await usage.report(from: Self.start, to: end, by: .day).rows == before)
        #expect(try await usage.report(from: Self.start, to: end, by: .volume).rows.map(\.key) == ["earlier"])
        clock.advance(by: Self.hour * 24 * Meter.dayCount)
        await Self.meter(fixture)
        #expect(try await usage.report(from: Self.start, to: end, by: .day).rows.isEmpty)
        await fixture.house.close()
    }

    @Test("snapshots count with what they stored, by account, and cost what the table says")
    func snapshotsAndPrices() async throws {
        let clock = ManualClock(at: Self.start)
        let fixture = try await Self.fixture(clock)
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<100, 7)
        let snapshot = try await fixture.snapshots.create(CreateSnapshot(volume: volume)).id
        let stored = try #require(try await fixture.snapshots.wait(for: snapshot).storedBytes)
        #expect(stored > 0)
        for _ in 0..<730 {
            clock.advance(by: Self.hour)
            await Self.meter(fixture)
        }
        let usage = fixture.house.verbs(for: .root).usage
        let end = clock.now() + Self.hour
        var report = try await usage.report(from: Self.start, to: end, by: .snapshot)
        #expect(report.rows.map(\.key) == [snapshot] && report.rows[0].byteHours == Double(stored) * 730)
        #expect(report.cost == nil && report.rows[0].cost == nil)
        let prices = PriceTable(
            currency: "EUR",
            regions: ["*": .init(snapshot: 2, volumes: ["gp2": 1024]), "elsewhere": .init(snapshot: 9)])
        #expect(try await usage.set(prices) == prices)
        report = try await usage.report(from: Self.start, to: end, by: .volume)
        #expect(report.rows.map(\.key) == [volume, volume] && report.currency == "EUR")
        // A MiB for a month at 1024 a GiB.
        #expect(report.rows.first { $0.kind == .volume }?.cost == 1)
        #expect(report.cost == 1 + Double(stored) / Double(1 << 30) * 2)
        let stranger = fixture.house.verbs(for: Caller(account: "200000000001", principal: "eve", role: .administrator))
        #expect(try await stranger.usage.report(from: Self.start, to: end, by: .snapshot).rows.isEmpty)
        await #expect(throws: ServiceError.self) { try await stranger.usage.report(account: "100000000000") }
        await #expect(throws: ServiceError.self) { try await stranger.usage.set(prices) }
        await #expect(throws: ServiceError.self) {
            try await usage.set(PriceTable(currency: "EUR", regions: ["*": .init(snapshot: -1)]))
        }
        await #expect(throws: ServiceError.self) { try await usage.report(from: end, to: Self.start) }
        await fixture.house.close()
    }

    @Test("a volume that is being imported takes space like any other")
    func importing() async throws {
        let clock = ManualClock(at: Self.start)
        let fixture = try await Self.fixture(clock)
        let volume = try await fixture.volumes.beginImport(size: .mebibytes(2), name: nil, encryption: nil).id
        clock.advance(by: Self.hour)
        await Self.meter(fixture)
        let rows = try await fixture.house.verbs(for: .root).usage.report(
            from: Self.start, to: clock.now() + Self.hour, by: .volume
        ).rows
        #expect(rows.map(\.key) == [volume] && rows.map(\.byteHours) == [2.0 * 1_048_576])
        await fixture.house.close()
    }
}
