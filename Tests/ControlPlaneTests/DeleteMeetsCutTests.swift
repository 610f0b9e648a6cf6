import Blocks
import Simulation
import Testing

@testable import ControlPlane

/// A pending snapshot is deleted just as the next one is taken.
@Suite struct DeleteMeetsCutTests {
    @Test("the next one is completed, whatever becomes of the one that is deleted")
    func meets() async throws {
        for _ in 0..<4 {
            let clock = ManualClock()
            let fixture = try await HouseFixture { plan in
                plan.clock = clock
                plan.scrubEvery = nil
            }
            let house = fixture.house.household, snapshots = fixture.snapshots
            let volume = try await fixture.volume()
            try await fixture.write(volume, 0..<4, 1)
            // Its upload has failed once and waits for a clock that does not move.
            try fixture.hideStore()
            let first = try await snapshots.create(CreateSnapshot(volume: volume)).id
            try await fixture.eventually("its upload has failed") { house.desk.tally.failures > 0 }
            try fixture.showStore()
            try await fixture.write(volume, 2..<6, 2)
            // In the volume's lane the cut comes first and then the deletion, which has taken the upload off the desk before.
            let (next, deletion) = try await house.lanes.run(volume) {
                let next = Task { try await snapshots.create(CreateSnapshot(volume: volume)).id }
                try await Task.sleep(for: .milliseconds(50))
                let deletion = Task { try await snapshots.delete(first) }
                try await fixture.eventually("it is off the desk") { house.desk.upload(of: first) == nil }
                return (next, deletion)
            }
            let second = try await next.value
            try await deletion.value
            #expect(try await snapshots.wait(for: second).state == .completed)
            await fixture.house.close()
        }
    }
}
