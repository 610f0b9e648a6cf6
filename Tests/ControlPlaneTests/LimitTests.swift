import Blocks
import ControlPlane
import Testing

/// What must not grow with the size of a volume or the length of a chain.
@Suite(.serialized) struct LimitTests {
    /// What everything in a directory takes on the disk.
    private func space(_ path: String) throws -> ByteCount {
        let disk = LocalDisk()
        guard let facts = try disk.facts(path) else { return .zero }
        guard facts.isDirectory else { return facts.allocated }
        return try disk.list(path).map { try space(path + "/" + $0) }.reduce(.zero, +)
    }

    /// Requests to the store since the start.
    private func storeRequests(_ fixture: HouseFixture) async -> Int {
        let text = await fixture.house.metrics.families().prometheusText
        let counts = text.split(separator: "\n").filter { $0.hasPrefix("varve_store_requests_total{") }
        return counts.compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.map { Int($0) }.reduce(0, +)
    }

    @Test("a sparse volume of 64 TiB is made, cut and deleted with next to nothing on the disk")
    func huge() async throws {
        let fixture = try await HouseFixture()
        let made = try await fixture.volumes.create(CreateVolume(size: .tebibytes(64), name: "huge"))
        _ = try await fixture.volumes.attach(made.id)
        let device = try fixture.device(made.id)
        try await onThread {
            let end = ByteRange(at: ByteOffset(ByteCount.tebibytes(64).bytes - 4096), count: 4096)
            try [UInt8](repeating: 9, count: 4096).readBytes { (all) throws(BlockFailure) in
                try device.write(end, from: all, durably: false)
            }
        }
        let snapshot = try await fixture.snapshot(made.id)
        #expect(try await fixture.snapshots.show(snapshot).changedBytes == 4096)
        let taken = try space(fixture.data + "/volumes")
        #expect(taken > .zero && taken < .mebibytes(4), "\(taken)")
        _ = try await fixture.volumes.detach(made.id)
        try await fixture.volumes.delete(made.id)
        #expect(try space(fixture.data + "/volumes") < .mebibytes(1))
        await fixture.house.close()
    }

    @Test("deleting a snapshot takes the same few requests to the store, however long its chain")
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
        let before = await storeRequests(fixture)
        for snapshot in snapshots.shuffled() { try await fixture.snapshots.delete(snapshot) }
        #expect(try await fixture.snapshots.list().map(\.id) == [last])
        let requests = await storeRequests(fixture) - before
        #expect(requests >= snapshots.count && requests <= 8 * snapshots.count, "\(requests)")
        _ = try await fixture.house.store.reclaim(grace: .zero)
        #expect(try await fixture.look(snapshot: last) == image)
        await fixture.house.close()
    }
}
