import Blocks
import ControlPlane
import Testing

@Suite(.serialized) struct CloneTests {
    @Test("a clone of a pending snapshot reads at once what is nowhere but in the origin's files")
    func clonePending() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume(.mebibytes(1))
        try await fixture.write(volume, 0..<64, 1)
        let base = try await fixture.snapshot(volume)
        try await fixture.write(volume, 32..<96, 2)
        let image = try await fixture.look(volume)
        try fixture.hideStore()
        let pending = try await fixture.snapshot(volume, wait: false)
        try await fixture.write(volume, 0..<256, 3)
        let clone = try await fixture.volumes.create(CreateVolume(size: .mebibytes(2), origin: .snapshot(pending))).id
        _ = try await fixture.volumes.attach(clone)
        // What the pending snapshot changed is in the origin's files; only the rest needs the store.
        let device = try fixture.device(clone)
        let read = try await onThread {
            var bytes = [UInt8](repeating: 0, count: 64 * 4096)
            try bytes.writeBytes { (all) throws(BlockFailure) in
                try device.read(ByteRange(at: BlockIndex(32).offset, count: BlockCount(64).size), into: &all)
            }
            return bytes
        }
        #expect(read.allSatisfy { $0 == 2 })
        try await fixture.write(clone, 40..<41, 9)
        try fixture.showStore()
        fixture.house.store.retryUploads()
        _ = try await fixture.snapshots.wait(for: pending)
        try await fixture.snapshots.delete(pending)
        try await fixture.snapshots.delete(base)
        var expected = image + [UInt8](repeating: 0, count: 256)
        expected[40] = 9
        #expect(try await fixture.look(clone) == expected)
        try await fixture.eventually("the clone has everything") {
            try await fixture.volumes.show(clone).hydration.isComplete
        }
        try await fixture.eventually("the deletions end") {
            try await fixture.house.store.status().snapshotCount == 0
        }
        _ = try await fixture.house.store.reclaim(grace: .zero)
        try await fixture.reopen()
        #expect(try await fixture.look(clone) == expected)
        let own = try await fixture.snapshot(clone)
        #expect(try await fixture.look(snapshot: own) == expected)
        await fixture.house.close()
    }

    @Test("a clone of a volume has its content at that moment, and both go their own ways")
    func cloneVolume() async throws {
        let fixture = try await HouseFixture()
        let origin = try await fixture.volume(.mebibytes(1))
        try await fixture.write(origin, 0..<50, 1)
        let clone = try await fixture.volumes.create(CreateVolume(size: nil, name: "c", origin: .volume(origin))).id
        _ = try await fixture.volumes.attach(clone)
        try await fixture.write(origin, 0..<50, 2)
        try await fixture.write(clone, 49..<51, 3)
        #expect(try await fixture.look(clone)[48..<52] == [1, 3, 3, 0])
        #expect(try await fixture.look(origin)[48..<52] == [2, 2, 0, 0])
        #expect(try await fixture.snapshots.list().isEmpty)
        try await fixture.eventually("the hidden snapshot goes") {
            let tasks = try await fixture.house.tasks.list()
            let count = try await fixture.house.store.status().snapshotCount
            return count == 0 && tasks.allSatisfy { $0.state == .succeeded || $0.state == .cancelled }
        }
        #expect(try await fixture.look(clone)[48..<52] == [1, 3, 3, 0])
        await fixture.house.close()
    }

    @Test("a clone that has everything before its snapshot is stored goes on without it", arguments: [false, true])
    func cloneOutlivesSnapshot(hasBase: Bool) async throws {
        let fixture = try await HouseFixture()
        let origin = try await fixture.volume(.mebibytes(1))
        try await fixture.write(origin, 0..<50, 1)
        if hasBase { _ = try await fixture.snapshot(origin) }
        try await fixture.write(origin, 20..<70, 2)
        let image = try await fixture.look(origin)
        let clone = try await fixture.volumes.create(CreateVolume(size: nil, origin: .volume(origin))).id
        _ = try await fixture.volumes.attach(clone)
        try await fixture.eventually("the clone has everything") {
            try await fixture.volumes.show(clone).hydration.isComplete
        }
        try await fixture.write(clone, 60..<61, 3)
        try await fixture.eventually("the hidden snapshot goes") {
            try await fixture.house.tasks.list().allSatisfy { $0.state != .running && $0.state != .waiting }
        }
        for id in [clone, origin] {
            let snapshot = try await fixture.snapshot(id)
            #expect(try await fixture.restore(snapshot) == fixture.look(id))
        }
        var expected = image
        expected[60] = 3
        #expect(try await fixture.look(clone) == expected)
        await fixture.house.close()
    }
}
