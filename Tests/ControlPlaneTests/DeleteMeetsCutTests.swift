import Blocks
import Simulation
import TestSupport
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

    /// Nobody waits for anybody: each snapshot is taken while one of those before, most of them pending, is deleted, in whatever
    /// order their steps come. Those that are left hold what the volume held, and none failed.
    @Test(
        "of snapshots that are taken while others are deleted each that is left is whole",
        arguments: Seed.some(fixed: 2, fresh: 2))
    func storm(seed: Seed) async throws {
        var random = SeededRandom(seed: seed.number)
        let fixture = try await HouseFixture { $0.scrubEvery = nil }
        let snapshots = fixture.snapshots
        let volume = try await fixture.volume()
        _ = try await fixture.volumes.attach(volume)
        var now = try await fixture.look(volume)
        var images: [String: [UInt8]] = [:]
        for step in 0..<30 {
            let start = Int.random(in: 0..<now.count, using: &random)
            let blocks = start..<min(now.count, start + Int.random(in: 1...9, using: &random))
            let byte = UInt8(step % 250 + 1)
            try await fixture.write(volume, blocks, byte)
            for block in blocks { now[block] = byte }
            let victim = images.keys.sorted().randomElement(using: &random)
            let deletion = Task {
                if let victim, step % 3 != 0 { try await snapshots.delete(victim) }
            }
            let made = try await snapshots.create(CreateSnapshot(volume: volume)).id
            try await deletion.value
            images[made] = now
            if let victim, step % 3 != 0 { images[victim] = nil }
        }
        for (snapshot, image) in images {
            #expect(try await snapshots.wait(for: snapshot).state == .completed)
            #expect(try await fixture.restore(snapshot) == image)
        }
        await fixture.house.close()
    }
}
