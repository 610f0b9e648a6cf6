import Blocks
import Testing

@testable import ControlPlane

/// When schedules come next, as pure functions.
@Suite struct RecurrenceTests {
    private static func time(_ text: String) throws -> WallTime { try #require(WallTime(text + ":00Z")) }

    private static func next(_ when: Recurrence, _ from: String, _ count: Int) throws -> [String] {
        var times: [String] = [], time = try Self.time(from)
        for _ in 0..<count {
            guard let next = when.next(after: time) else { break }
            times.append(String(next.description.prefix(16)))
            time = next
        }
        return times
    }
    private static func cron(_ text: String, _ from: String, _ count: Int, zone: String = "UTC") throws -> [String] {
        let zone: ZoneOffset = try #require(ZoneOffset(zone))
        return try next(.cron(expression: "cron(\(text))", zone: zone), from, count)
    }

    @Test("every so many hours from a time of day: strictly later, the same every day, for every allowed number")
    func every() throws {
        let start = try #require(TimeOfDay("03:30"))
        for hours in Recurrence.hours {
            let when = Recurrence.every(hours: hours, from: start)
            var time = try Self.time("2028-02-28T00:00")
            for _ in 0..<(72 / hours) {
                let next = try #require(when.next(after: time))
                #expect(next > time && next - time <= .seconds(hours * 3600))
                #expect(when.next(after: WallTime(milliseconds: next.milliseconds - 1)) == next)
                #expect((next.milliseconds / 60_000 - 210) % Int64(hours * 60) == 0)
                time = next
            }
        }
        #expect(
            try Self.next(.every(hours: 24, from: start), "2028-02-28T03:30", 2) == [
                "2028-02-29T03:30", "2028-03-01T03:30",
            ])
        #expect(
            Recurrence.every(hours: 24, from: start).next(after: WallTime(milliseconds: -1))?.milliseconds == 12_600_000
        )
    }

    @Test("days of the week by the clock of a zone, over the ends of weeks, months and years")
    func weekly() throws {
        let times = try [#require(TimeOfDay("00:30")), #require(TimeOfDay("23:00"))]
        let zone: ZoneOffset = try #require(ZoneOffset("+08:00"))
        let when = Recurrence.weekly(days: [.sunday, .monday], at: times, zone: zone)
        // 2028-01-01 is a Saturday; in UTC+8 Sunday begins at 16:00 UTC of it.
        #expect(
            try Self.next(when, "2027-12-31T00:00", 5) == [
                "2028-01-01T16:30", "2028-01-02T15:00", "2028-01-02T16:30", "2028-01-03T15:00", "2028-01-08T16:30",
            ])
        let one = Recurrence.weekly(days: [.wednesday], at: [times[0]], zone: nil)
        #expect(try Self.next(one, "2026-11-25T00:30", 2) == ["2026-12-02T00:30", "2026-12-09T00:30"])
    }

    @Test("cron expressions: month ends, leap days, working days, nth weekdays, steps, names, years, zones")
    func cron() throws {
        #expect(
            try Self.cron("0 3 L * ? *", "2028-01-31T03:00", 3) == [
                "2028-02-29T03:00", "2028-03-31T03:00", "2028-04-30T03:00",
            ])
        #expect(try Self.cron("0 3 29 FEB ? *", "2026-01-01T00:00", 2) == ["2028-02-29T03:00", "2032-02-29T03:00"])
        #expect(try Self.cron("0 0 31 * ? *", "2026-01-31T00:00", 2) == ["2026-03-31T00:00", "2026-05-31T00:00"])
        // 2026-08-01 is a Saturday, 2026-08-15 too, 2026-11-15 a Sunday.
        #expect(try Self.cron("0 9 1W * ? *", "2026-07-31T00:00", 1) == ["2026-08-03T09:00"])
        #expect(try Self.cron("0 9 15W 8,11 ? *", "2026-08-01T00:00", 2) == ["2026-08-14T09:00", "2026-11-16T09:00"])
        #expect(try Self.cron("0 9 LW * ? *", "2026-05-01T00:00", 1) == ["2026-05-29T09:00"])
        #expect(try Self.cron("15 22 ? * 6L *", "2026-11-01T00:00", 1) == ["2026-11-27T22:15"])
        #expect(try Self.cron("0 0 ? * MON#5 *", "2026-11-01T00:00", 2) == ["2026-11-30T00:00", "2027-03-29T00:00"])
        #expect(
            try Self.cron("0 */12 ? * SAT-SAT *", "2026-11-26T00:00", 2) == ["2026-11-28T00:00", "2026-11-28T12:00"])
        #expect(
            try Self.cron("0 8-10 ? * MON-FRI *", "2026-11-27T09:00", 2) == ["2026-11-27T10:00", "2026-11-30T08:00"])
        #expect(
            try Self.cron("0 0 1 1 ? 2027-2028", "2026-11-27T09:00", 5) == ["2027-01-01T00:00", "2028-01-01T00:00"])
        #expect(try Self.cron("0 0 30 2 ? *", "2026-11-27T09:00", 1).isEmpty)
        #expect(try Self.cron("30 0 1 * ? *", "2026-11-27T09:00", 1, zone: "+08:00") == ["2026-11-30T16:30"])
        for text in [
            "cron(0 3 * * * *)", "cron(0 3 ? * ? *)", "cron(60 3 * * ? *)", "cron(0 24 * * ? *)", "cron(0 3 32 * ? *)",
            "cron(0 3 * 13 ? *)", "cron(0 3 ? * 8 *)", "cron(0 3 ? * 2#6 *)", "cron(0 3 * * ?)", "0 3 * * ? *",
            "cron()",
            "cron(0 3 * * ? 1969)", "cron(5-1 3 * * ? *)", "cron(0/0 3 * * ? *)", "cron(, 3 * * ? *)",
            "cron(- 3 * * ? *)",
        ] {
            #expect(throws: ServiceError.self, "\(text)") { try CronExpression(text) }
        }
    }

    @Test("what never comes, comes too often, or has an odd number of hours is refused")
    func refused() throws {
        let now = try Self.time("2026-11-27T00:00"), midnight = TimeOfDay(minutes: 0)
        for when: Recurrence in [
            .every(hours: 5, from: midnight), .every(hours: 0, from: midnight),
            .weekly(days: [], at: [midnight], zone: nil),
            .weekly(days: [.monday], at: [], zone: nil),
            .weekly(days: [.monday], at: [midnight, TimeOfDay(minutes: 59)], zone: nil),
            .cron(expression: "cron(0,30 * * * ? *)", zone: nil), .cron(expression: "cron(0 0 30 2 ? *)", zone: nil),
        ] {
            #expect(throws: ServiceError.self, "\(when)") { try when.check(at: now) }
        }
        try Recurrence.cron(expression: "cron(0 * * * ? *)", zone: nil).check(at: now)
    }
}

/// What a retention lets go of, as a pure function.
@Suite struct RetentionTests {
    /// One each day at noon.
    private static func daily(_ count: Int, from: String = "2027-01-01T12:00:00Z") throws -> [Retention.Kept] {
        let first = try #require(WallTime(from))
        return (0..<count).map { day in
            Retention.Kept(id: "\(day)", takenAt: first + .seconds(day * 86_400), state: .completed)
        }
    }
    private static func left(_ retention: Retention, _ all: [Retention.Kept], isGone: Bool = false) -> [String] {
        let now = (all.last?.takenAt ?? WallTime(milliseconds: 0)) + .seconds(1)
        let surplus = retention.surplus(of: all, at: now, in: .utc, isTargetGone: isGone).surplus
        return all.map(\.id).filter { !surplus.contains($0) }
    }

    @Test("by count the newest completed ones stay; pending ones neither count nor go, failed ones go")
    func count() throws {
        var all = try Self.daily(5)
        #expect(Self.left(.newest(count: 2), all) == ["3", "4"])
        #expect(
            Self.left(.newest(count: 9), all).count == 5 && Self.left(.newest(count: 2), all, isGone: true).count == 5)
        all[4] = Retention.Kept(id: "4", takenAt: all[4].takenAt, state: .pending)
        all[1] = Retention.Kept(id: "1", takenAt: all[1].takenAt, state: .failed)
        #expect(Self.left(.newest(count: 2), all) == ["2", "3", "4"])
    }

    @Test("by age each goes at its time, the last one never; months end where they end")
    func age() throws {
        let all = try Self.daily(5)
        #expect(Self.left(.age(amount: 2, unit: .days), all) == ["3", "4"])
        let (surplus, again) = Retention.age(amount: 2, unit: .days).surplus(
            of: all, at: all[4].takenAt + .seconds(30 * 86_400), in: .utc, isTargetGone: true)
        #expect(surplus == ["0", "1", "2", "3"] && again == nil)
        for (from, amount, unit, end) in [
            ("2027-01-31T10:00:00Z", 1, Retention.Unit.months, "2027-02-28T10:00:00.000Z"),
            ("2028-01-31T10:00:00Z", 1, .months, "2028-02-29T10:00:00.000Z"),
            ("2027-12-31T10:00:00Z", 2, .months, "2028-02-29T10:00:00.000Z"),
            ("2028-02-29T10:00:00Z", 1, .years, "2029-02-28T10:00:00.000Z"),
            ("2027-12-31T10:00:00Z", 1, .weeks, "2028-01-07T10:00:00.000Z"),
        ] {
            let time = try #require(WallTime(from))
            #expect(Retention.age(amount: amount, unit: unit).expiry(of: time)?.description == end)
        }
    }

    @Test("by generations the newest of each of the last days, weeks, months and years stay")
    func generations() throws {
        let all = try Self.daily(800)
        let left = Self.left(.generations(hourly: nil, daily: 3, weekly: 2, monthly: 3, yearly: 2), all)
        // 2029-03-10, a Saturday, is the last. Sunday the 4th ends the week before.
        let dates = left.compactMap { id in all.first { $0.id == id }?.takenAt.description.prefix(10) }
        #expect(
            dates == ["2028-12-31", "2029-01-31", "2029-02-28", "2029-03-04", "2029-03-08", "2029-03-09", "2029-03-10"])
        #expect(Self.left(.generations(hourly: 5, daily: nil, weekly: nil, monthly: nil, yearly: nil), all).count == 5)
        #expect(Self.left(.forever, all).count == 800)
    }
}
