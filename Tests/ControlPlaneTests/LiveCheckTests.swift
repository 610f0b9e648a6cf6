import Blocks
import ControlPlane
import Testing

/// Snapshots compared with the volumes that count their changes from them.
@Suite(.serialized) struct LiveCheckTests {
    /// Changes bytes of a volume's home without telling the engine.
    private func flip(_ fixture: HouseFixture, _ volume: String, block: Int) throws {
        let file = try LocalDisk().open(fixture.data + "/volumes/\(volume)/home.img", .readWrite)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let offset = BlockIndex(block).offset
        try bytes.writeBytes { (all) throws(BlockFailure) in try file.read(at: offset, into: &all) }
        bytes[1000] ^= 0x10
        try bytes.readBytes { (all) throws(BlockFailure) in try file.write(all, at: offset, durably: false) }
    }

    @Test("bytes changed behind the engine's back are found by live alone, and the next snapshot is full")
    func flipped() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume(.mebibytes(4))
        try await fixture.write(volume, 0..<500, 1)
        let snapshot = try await fixture.snapshot(volume)
        try await fixture.write(volume, 90..<100, 2)
        let sound = try await fixture.snapshots.verify(snapshot, .live)
        #expect(sound.isSound && sound.comparedSnapshotCount == 1)
        #expect(sound.comparedBytes == 490 * 4096 && sound.skippedBytes == 10 * 4096)

        try flip(fixture, volume, block: 17)
        try flip(fixture, volume, block: 95)
        try flip(fixture, volume, block: 700)
        let blind = try await fixture.snapshots.verify(snapshot)
        #expect(blind.isSound && blind.comparedBytes == nil && blind.comparedSnapshotCount == nil)
        #expect(try await fixture.house.store.verify().isSound)
        #expect(try await fixture.volumes.show(volume).parentSnapshotId == snapshot)

        let report = try await fixture.house.store.verify(.live)
        #expect(!report.isSound && report.problems.count == 2, "\(report.problems)")
        for (problem, place) in zip(report.problems, ["block 17 (bytes 69632 to 73728)", "block 700 "]) {
            for part in [volume, snapshot, place, "restore from", "next snapshot will be full"] {
                #expect(problem.contains(part), "\(problem)")
            }
        }
        #expect(try await fixture.volumes.show(volume).parentSnapshotId == nil)
        #expect(try await fixture.snapshots.verify(snapshot, .live).comparedSnapshotCount == 0)
        // One who reads it whole sees that blocks 17 and 700 are torn; that is what the disk holds.
        let next = try await fixture.snapshot(volume)
        let view = try await fixture.snapshots.show(next)
        #expect(view.parentId == nil && view.changedBytes == 501 * 4096)
        let after = try await fixture.house.store.verify(.live)
        #expect(after.isSound && after.comparedSnapshotCount == 1 && after.comparedBytes == 501 * 4096)
        await fixture.house.close()
    }

    @Test("a snapshot that no volume counts from is not compared; a clone's source is, once it is all there")
    func others() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<50, 1)
        let first = try await fixture.snapshot(volume)
        try await fixture.write(volume, 0..<10, 2)
        let second = try await fixture.snapshot(volume)
        try await fixture.eventually("the volume counts from the second") {
            try await fixture.snapshots.verify(first, .live).comparedSnapshotCount == 0
        }
        #expect(try await fixture.snapshots.verify(first, .live).comparedBytes == 0)
        #expect(try await fixture.snapshots.verify(second, .live).comparedBytes == 50 * 4096)
        let clone = try await fixture.volumes.create(CreateVolume(size: .mebibytes(2), origin: .snapshot(first))).id
        try await fixture.eventually("the clone has everything") {
            try await fixture.volumes.show(clone).hydration.isComplete
        }
        let report = try await fixture.house.store.verify(.live)
        #expect(report.isSound && report.snapshotCount == 2 && report.comparedSnapshotCount == 2)
        #expect(report.comparedBytes == 100 * 4096)
        try flip(fixture, clone, block: 3)
        let found = try await fixture.snapshots.verify(first, .live)
        #expect(found.problems.count == 1 && found.problems.first?.contains(clone) == true)
        #expect(try await fixture.volumes.show(clone).parentSnapshotId == nil)
        #expect(try await fixture.volumes.show(volume).parentSnapshotId == second)
        await fixture.house.close()
    }

    @Test("while a snapshot that counts from it is on its way, a difference is found and the wait is explained")
    func pending() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<50, 1)
        let first = try await fixture.snapshot(volume)
        try await fixture.eventually("it is settled") {
            try await fixture.snapshots.verify(first, .live).comparedBytes == 50 * 4096
        }
        try fixture.hideStore()
        try await fixture.write(volume, 0..<10, 2)
        let pending = try await fixture.snapshot(volume, wait: false)
        try fixture.showStore()
        try flip(fixture, volume, block: 30)
        let report = try await fixture.house.store.verify(.live)
        // The upload may have been tried again meanwhile, and even have ended; its audit may have seen the difference.
        let isFound = report.problems.contains {
            $0.contains("block 30") && ($0.contains(first) || $0.contains(pending))
        }
        #expect(isFound, "\(report.problems)")
        fixture.house.store.retryUploads()
        try await fixture.eventually("it ends") { try await fixture.snapshots.show(pending).state != .pending }
        try await fixture.eventually("the next is full") {
            _ = try await fixture.house.store.verify(.live)
            return try await fixture.volumes.show(volume).parentSnapshotId == nil
        }
        await fixture.house.close()
    }
}
