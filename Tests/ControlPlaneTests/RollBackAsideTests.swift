import Blocks
import ControlPlane
import Testing

/// Rolling back while snapshots are pending: their files are set aside, and everybody keeps what was promised.
@Suite(.serialized) struct RollBackAsideTests {
    /// A volume with two pending snapshots, the store away, and what each holds; the volume itself has changed since.
    private struct Scene {
        let fixture: HouseFixture
        let volume: String
        let pending: [String]
        let images: [[UInt8]]

        /// - Parameter base: a completed snapshot below the pending ones.
        init(base: Bool) async throws {
            fixture = try await HouseFixture()
            volume = try await fixture.volume()
            try await fixture.write(volume, 0..<64, 1)
            var ids: [String] = []
            var images: [[UInt8]] = []
            if base {
                images.append(try await fixture.look(volume))
                ids.append(try await fixture.snapshot(volume))
                // Completed, it is named among the pending until its cut is settled too.
                try await fixture.eventually("the base is settled") { [fixture, volume] in
                    try await fixture.volumes.show(volume).pendingSnapshotIds.isEmpty
                }
            }
            try fixture.hideStore()
            for round in 0..<2 {
                try await fixture.write(volume, round * 20..<round * 20 + 30, UInt8(round + 2))
                images.append(try await fixture.look(volume))
                ids.append(try await fixture.snapshot(volume, wait: false))
            }
            try await fixture.write(volume, 0..<256, 9)
            _ = try await fixture.volumes.detach(volume)
            pending = ids
            self.images = images
        }

        func storeIsBack() throws {
            try fixture.showStore()
            fixture.house.store.retryUploads()
        }

        var folders: Int {
            get throws { try LocalDisk().list(fixture.data + "/volumes").count }
        }

        /// Each snapshot that is still there holds what it held at its cut.
        func checkSnapshots(except gone: Set<Int> = []) async throws {
            for (index, id) in pending.enumerated() where !gone.contains(index) {
                #expect(try await fixture.snapshots.wait(for: id).state == .completed)
                #expect(try await fixture.look(snapshot: id) == images[index], "snapshot \(index)")
            }
        }
    }

    @Test(
        "rolled back to a pending snapshot, a volume is usable at once with the store away", arguments: [false, true])
    func toPending(isReopened: Bool) async throws {
        let scene = try await Scene(base: false)
        let (fixture, volume) = (scene.fixture, scene.volume)
        let view = try await fixture.volumes.rollBack(volume, to: scene.pending[0])
        #expect(view.id == volume && view.state == .available)
        #expect(view.pendingSnapshotIds == scene.pending)
        if isReopened { try await fixture.reopen() }
        #expect(try await fixture.volumes.list().map(\.id) == [volume])
        #expect(try await fixture.volumes.show(volume).pendingSnapshotIds == scene.pending)
        #expect(try scene.folders == 2)
        _ = try await fixture.volumes.attach(volume)
        #expect(try await fixture.look(volume) == scene.images[0])
        try await fixture.write(volume, 5..<8, 7)
        var expected = scene.images[0]
        for block in 5..<8 { expected[block] = 7 }
        let next = try await fixture.snapshot(volume, wait: false)
        try await fixture.write(volume, 6..<7, 8)
        try scene.storeIsBack()
        try await scene.checkSnapshots()
        #expect(try await fixture.snapshots.wait(for: next).parentId == scene.pending[0])
        #expect(try await fixture.look(snapshot: next) == expected)
        expected[6] = 8
        #expect(try await fixture.look(volume) == expected)
        try await scene.fixture.quiet()
        #expect(try scene.folders == 1)
        try await fixture.reopen()
        #expect(try await fixture.look(volume) == expected)
        #expect(try await fixture.volumes.show(volume).pendingSnapshotIds.isEmpty)
        await fixture.house.close()
    }

    @Test("rolled back to a completed snapshot, the pending ones above it are stored all the same")
    func toCompleted() async throws {
        let scene = try await Scene(base: true)
        let (fixture, volume) = (scene.fixture, scene.volume)
        _ = try await fixture.volumes.rollBack(volume, to: scene.pending[0])
        // Once more, before anything has ended: to one of those that were set aside.
        _ = try await fixture.volumes.attach(volume)
        try await fixture.write(volume, 100..<101, 5)
        let own = try await fixture.snapshot(volume, wait: false)
        _ = try await fixture.volumes.detach(volume)
        _ = try await fixture.volumes.rollBack(volume, to: scene.pending[2])
        #expect(try scene.folders == 3)
        let pending = Set([scene.pending[1], scene.pending[2], own])
        #expect(try await Set(fixture.volumes.show(volume).pendingSnapshotIds) == pending)
        try await fixture.reopen()
        #expect(try await Set(fixture.volumes.show(volume).pendingSnapshotIds) == pending)
        try scene.storeIsBack()
        try await scene.checkSnapshots()
        var expected = scene.images[0]
        expected[100] = 5
        _ = try await fixture.snapshots.wait(for: own)
        #expect(try await fixture.look(snapshot: own) == expected)
        _ = try await fixture.volumes.attach(volume)
        #expect(try await fixture.look(volume) == scene.images[2])
        try await scene.fixture.quiet()
        #expect(try scene.folders == 1)
        await fixture.house.close()
    }

    @Test("after the roll back any pending snapshot is deleted, also the one rolled back to", arguments: 0..<2)
    func deletions(victim: Int) async throws {
        let scene = try await Scene(base: false)
        let (fixture, volume) = (scene.fixture, scene.volume)
        _ = try await fixture.volumes.rollBack(volume, to: scene.pending[0])
        try await fixture.snapshots.delete(scene.pending[victim])
        #expect(try await fixture.snapshots.list().map(\.id) == [scene.pending[1 - victim]])
        try scene.storeIsBack()
        try await scene.checkSnapshots(except: [victim])
        _ = try await fixture.volumes.attach(volume)
        #expect(try await fixture.look(volume) == scene.images[0])
        try await scene.fixture.quiet()
        #expect(try scene.folders == 1)
        #expect(try await fixture.house.store.status().snapshotCount == 1)
        _ = try await fixture.house.store.reclaim(grace: .zero)
        try await fixture.write(volume, 3..<4, 6)
        let last = try await fixture.snapshot(volume)
        var expected = scene.images[0]
        expected[3] = 6
        #expect(try await fixture.restore(last) == expected)
        await fixture.house.close()
    }

    @Test("the volume deleted after the roll back does not take the pending snapshots with it")
    func volumeDeleted() async throws {
        let scene = try await Scene(base: true)
        let fixture = scene.fixture
        _ = try await fixture.volumes.rollBack(scene.volume, to: scene.pending[1])
        try await fixture.volumes.delete(scene.volume)
        try await fixture.reopen()
        try scene.storeIsBack()
        try await scene.checkSnapshots()
        try await scene.fixture.quiet()
        #expect(try await fixture.volumes.list().isEmpty)
        #expect(try scene.folders == 0)
        await fixture.house.close()
    }

    @Test("nobody is told of the files that were set aside")
    func hidden() async throws {
        let scene = try await Scene(base: false)
        let fixture = scene.fixture
        _ = try await fixture.volumes.rollBack(scene.volume, to: scene.pending[1])
        let task = try await fixture.house.tasks.list().first { $0.kind == .deleteVolume && $0.state == .waiting }
        let aside = try #require(task?.subjectId)
        #expect(aside != scene.volume)
        #expect(await refusal { try await fixture.volumes.show(aside) } == .missing)
        #expect(await refusal { try await fixture.volumes.attach(aside) } == .missing)
        #expect(await refusal { try await fixture.volumes.rename(aside, to: "mine") } == .missing)
        #expect(await refusal { try await fixture.volumes.delete(aside) } == .missing)
        #expect(await refusal { try await fixture.snapshots.create(CreateSnapshot(volume: aside)) } == .missing)
        try fixture.showStore()
        await fixture.house.close()
    }
}
