import Blocks
import Simulation
import TestSupport
import Testing

@testable import ControlPlane
@testable import ECSDialect

@Suite struct MonitorTests {
    @Test("what snapshots take is told for each full hour that was metered")
    func hours() async throws {
        // 2027-01-15T08:00:00Z.
        let clock = ManualClock(at: WallTime(milliseconds: 1_800_000_000_000))
        let door = try await ECSDoor {
            $0.clock = clock
            $0.scrubEvery = nil
        }
        func meter() async {
            clock.advance(by: .seconds(3600))
            await door.house.household.meter.turn(door.house.household)
        }
        await meter()
        let disk = try await door.usedDisk()
        let snapshot = try await door.ask("CreateSnapshot", ["DiskId": disk]).text("SnapshotId")
        try await door.accomplish(snapshot)
        for _ in 0..<3 { await meter() }
        let ask = ["StartTime": "2027-01-15T09:30:01Z", "EndTime": "2027-01-15T23:00Z", "Period": "3600"]
        let points = try await door.ask("DescribeSnapshotMonitorData", ask).list("MonitorData", "DataPoint")
        let times = (10...12).map { "2027-01-15T\($0):00:00Z" }
        #expect(points.compactMap { $0["TimeStamp"] as? String } == times)
        // Nothing was ever written to the disk.
        #expect(points.compactMap { $0["Size"] as? Int } == [0, 0, 0])
        for (name, value) in [
            ("StartTime", ""), ("EndTime", "now"), ("EndTime", "2027-01-15T08:00Z"), ("Period", "7"),
        ] {
            try await door.refused(
                "DescribeSnapshotMonitorData", ask.merging([name: value]) { $1 }, 400,
                value.isEmpty ? "MissingParameter" : "InvalidParameter")
        }
        try await door.refused(
            "DescribeSnapshotMonitorData", ask.merging(["EndTime": "2028-01-15T08:00Z"]) { $1 }, 400,
            "InvalidParameter.TooManyDataQueried")
        await door.house.close()
    }
}
