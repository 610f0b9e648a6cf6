import Blocks
import ControlPlane
import Simulation
import Testing

@testable import KingsoftDialect

@Suite struct PolicyClockTests {
    @Test("every day at its hour of Beijing a policy takes one snapshot, and keeps each as many days as it says")
    func week() async throws {
        let clock = ManualClock()
        let counter = try await Counter { plan in
            plan.clock = clock
            plan.scrubEvery = nil
        }
        var request = ["AutoSnapshotPolicyName": "nightly", "AutoSnapshotTime.1": "22", "RetentionTime": "2"]
        for day in 1...7 { request["AutoSnapshotDate.\(day)"] = "\(day)" }
        let policy = try #require(
            try await counter.ask("CreateAutoSnapshotPolicy", request, .kec).text("AutoSnapshotPolicyId"))
        let volume = try await counter.volume()
        _ = try await counter.ask(
            "ApplyAutoSnapshotPolicy", ["AutoSnapshotPolicyId": policy, "AttachVolumeId.1": volume], .kec)
        var taken: [String] = []
        for day in 1...6 {
            clock.advance(by: .seconds(86_400))
            let kept = try await settled(counter, clock.now()) { $0.count(where: { !taken.contains($0.id) }) == 1 }
            let new = try #require(kept.first { !taken.contains($0.id) })
            // It was due in the 24 hours before, at 22 o'clock, eight hours ahead of UTC.
            let name = try #require(new.name)
            #expect(name.hasPrefix("auto-nightly-") && name.hasSuffix("2200") && name.utf8.count == 25, "\(name)")
            taken.append(new.id)
            #expect(taken.count == day)
            // What is two days old goes, and nothing else.
            let left = try await settled(counter, clock.now()) { left in
                left.allSatisfy { clock.now() - $0.createdAt < .seconds(2 * 86_400) }
            }
            #expect(Set(left.map(\.id)) == Set(taken.suffix(2)), "day \(day)")
        }
        await counter.house.close()
    }

    /// The house's own turns come by themselves: waits until what they leave is so, and stored.
    private func settled(
        _ counter: Counter, _ now: WallTime, _ isSo: ([SnapshotView]) -> Bool
    ) async throws -> [SnapshotView] {
        for _ in 0..<600 {
            let found = try await counter.house.snapshots.list()
            if isSo(found), found.allSatisfy({ $0.state == .completed }) { return found }
            try await Task.sleep(for: .milliseconds(100))
        }
        return try await counter.house.snapshots.list()
    }
}
