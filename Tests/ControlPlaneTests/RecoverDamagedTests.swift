import Blocks
import ControlPlane
import ObjectStore
import TestSupport
import Testing

/// What the store holds beside good snapshots comes back too, as what it is: so that it can be deleted.
@Suite struct RecoverDamagedTests {
    @Test("damaged manifests, damaged pins and unfinished uploads come back as failed, and deleting them mends reclaim")
    func leftOvers() async throws {
        let store = TrickStore()
        let fixture = try await store.house()
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<90, 1)
        let good = try await fixture.snapshot(volume)
        try await fixture.write(volume, 0..<30, 2)
        let damaged = try await fixture.snapshot(volume)
        try await fixture.write(volume, 30..<60, 3)
        store.play { $0.operation == .putIfAbsent && $0.key.hasPrefix("snapshots/") ? .permanent : nil }
        let unfinished = try await fixture.snapshot(volume, wait: false)
        try await fixture.eventually("it has everything but its manifest") {
            try await fixture.snapshots.show(unfinished).reason != nil
        }
        await fixture.house.close()
        store.play(nil)
        #expect(try store.keys("uploads/") == ["uploads/\(unfinished)"])
        #expect(try !store.keys("packs/\(unfinished)/").isEmpty)
        try store.spoil("snapshots/\(damaged)")
        let stray = "snap-0123456789abcdef0"
        try store.spoil("uploads/\(stray)")

        var plan = HousePlan(data: fixture.data + "-new", store: TrickStore.location)
        plan.opener = store
        let report = try await House.recover(plan)
        #expect(report.snapshotCount == 1 && report.unfinishedUploadCount == 1 && report.problems.count == 2)
        plan.scrubEvery = nil
        let house = try await House.open(plan, exports: fixture.board)
        #expect(try await house.snapshots.show(good).state == .completed)
        for id in [damaged, unfinished, stray] {
            let view = try await house.snapshots.show(id)
            #expect(view.state == .error && view.reason?.contains("delete") == true, "\(view)")
        }
        #expect(try await house.snapshots.show(unfinished).volumeId == volume)
        // What is damaged among the living goes on stopping every reclaim, until its owner has let it go.
        #expect(await refusal { try await house.store.reclaim(grace: .zero) } != nil)
        for id in [damaged, unfinished, stray] { try await house.snapshots.delete(id) }
        try await fixture.eventually("they are gone") {
            try await house.tasks.list().allSatisfy { $0.state != .running && $0.state != .waiting }
        }
        #expect(try store.keys("uploads/").isEmpty && store.keys("snapshots/") == ["snapshots/\(good)"])
        #expect(await refusal { try await house.store.reclaim(grace: .zero) } == nil)
        #expect(try store.keys("packs/\(unfinished)/").isEmpty && store.keys("trash/").isEmpty)
        let restored = try await house.volumes.create(CreateVolume(size: nil, origin: .snapshot(good)))
        _ = try await house.volumes.attach(restored.id)
        #expect(
            try await fixture.look(restored.id) == [UInt8](repeating: 1, count: 90) + [UInt8](repeating: 0, count: 166))
        await house.close()
    }

    @Test("a round leaves alone the uploads that a recovered catalog only knows of: another house may be at them")
    func foreignUploads() async throws {
        let store = TrickStore()
        let fixture = try await store.house()
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<90, 1)
        store.play { $0.operation == .putIfAbsent && $0.key.hasPrefix("snapshots/") ? .permanent : nil }
        let pending = try await fixture.snapshot(volume, wait: false)
        try await fixture.eventually("it waits") { try await fixture.snapshots.show(pending).reason != nil }
        var plan = HousePlan(data: fixture.data + "-new", store: TrickStore.location)
        plan.opener = store
        _ = try await House.recover(plan)
        plan.scrubEvery = nil
        let other = try await House.open(plan, exports: MemoryBoard())
        try other.store.beginScrub()
        try await fixture.eventually("it has looked") { try await other.store.scrub().lastCompletedAt != nil }
        #expect(try store.keys("uploads/") == ["uploads/\(pending)"])
        await other.close()
        store.play(nil)
        fixture.house.store.retryUploads()
        #expect(try await fixture.snapshots.wait(for: pending).state == .completed)
        await fixture.house.close()
    }
}
