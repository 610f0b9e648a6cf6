import Blocks
import ControlPlane
import Testing

/// What must not grow with the size of a volume or the length of a chain.
@Suite(.serialized) struct LimitTests {
    private func time(_ body: () async throws -> Void) async throws -> Duration {
        let start = ContinuousClock.now
        try await body()
        return ContinuousClock.now - start
    }

    @Test("a sparse volume of 64 TiB is made, cut and deleted in well under a second each")
    func huge() async throws {
        let fixture = try await HouseFixture()
        let created = try await time {
            let made = try await fixture.volumes.create(CreateVolume(size: .tebibytes(64), name: "huge"))
            _ = try await fixture.volumes.attach(made.id)
        }
        let id = try #require(try await fixture.volumes.list().first?.id)
        let device = try fixture.device(id)
        try await onThread {
            let end = ByteRange(at: ByteOffset(ByteCount.tebibytes(64).bytes - 4096), count: 4096)
            try [UInt8](repeating: 9, count: 4096).readBytes { (all) throws(BlockFailure) in
                try device.write(end, from: all, durably: false)
            }
        }
        var snapshot = ""
        let cut = try await time { snapshot = try await fixture.snapshot(id, wait: false) }
        let view = try await fixture.snapshots.wait(for: snapshot)
        #expect(view.changedBytes == 4096)
        _ = try await fixture.volumes.detach(id)
        let deleted = try await time { try await fixture.volumes.delete(id) }
        #expect(created < .seconds(1) && cut < .seconds(1) && deleted < .seconds(1), "\(created) \(cut) \(deleted)")
        await fixture.house.close()
    }

    @Test("deleting a snapshot of a long chain takes no longer than of a short one")
    func longChain() async throws {
        let fixture = try await HouseFixture()
        let id = try await fixture.volume(.mebibytes(1))
        var snapshots: [String] = []
        for round in 0..<60 {
            try await fixture.write(id, round..<round + 1, UInt8(round + 1))
            snapshots.append(try await fixture.snapshot(id))
        }
        let image = try await fixture.look(id)
        let last = snapshots.removeLast()
        var slowest = Duration.zero, sum = Duration.zero
        for snapshot in snapshots.shuffled() {
            let taken = try await time { try await fixture.snapshots.delete(snapshot) }
            slowest = max(slowest, taken)
            sum += taken
        }
        // A generous bound: a busy machine, and every step is synced. The usual time is a tenth of it.
        #expect(sum / snapshots.count < .milliseconds(100), "mean \(sum / snapshots.count), slowest \(slowest)")
        #expect(try await fixture.snapshots.list().map(\.id) == [last])
        _ = try await fixture.house.store.reclaim(grace: .zero)
        #expect(try await fixture.look(snapshot: last) == image)
        await fixture.house.close()
    }
}
