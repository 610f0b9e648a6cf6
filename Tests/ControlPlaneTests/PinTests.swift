import Blocks
import ObjectStore
import Testing

@testable import ControlPlane
@testable import Repository

/// Whose pin goes when: a pin keeps packs, and its parent's, for ever.
@Suite struct PinTests {
    @Test(
        "a snapshot that failed because its parent's manifest is damaged does not stop reclaims",
        arguments: [false, true])
    func failedChild(_ isFirstTryLost: Bool) async throws {
        let store = TrickStore()
        let fixture = try await store.house()
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<90, 1)
        let parent = try await fixture.snapshot(volume)
        try await fixture.settled(volume)
        try await fixture.write(volume, 0..<30, 2)
        store.play { $0.operation == .putIfAbsent && $0.key.hasPrefix("snapshots/") ? .permanent : nil }
        let child = try await fixture.snapshot(volume, wait: false)
        try await fixture.eventually("it waits") { try await fixture.snapshots.show(child).reason != nil }
        try store.spoil("snapshots/\(parent)")
        store.play { call in
            isFirstTryLost && call.operation == .delete && call.key == "uploads/\(child)" ? .permanent : nil
        }
        fixture.house.store.retryUploads()
        try await fixture.eventually("it fails") { try await fixture.snapshots.show(child).state == .error }
        if isFirstTryLost {
            #expect(try store.keys("uploads/") == ["uploads/\(child)"])
            store.play(nil)
            let house = fixture.house.store.house
            _ = try await onThread { try house.care.round(suspects: [], in: house) }
        }
        try await fixture.eventually("its pin is gone") { try store.keys("uploads/").isEmpty }
        try await fixture.snapshots.delete(parent)
        try await fixture.quiet()
        #expect(await refusal { try await fixture.house.store.reclaim(grace: .zero) } == nil)
        #expect(try store.keys("packs/").isEmpty)
        // And the volume goes on: its next snapshot is whole by itself.
        let next = try await fixture.snapshot(volume)
        var expected = [UInt8](repeating: 1, count: 90) + [UInt8](repeating: 0, count: 166)
        for block in 0..<30 { expected[block] = 2 }
        #expect(try await fixture.restore(next) == expected)
        await fixture.house.close()
    }

    @Test("a round in the moment of a commit leaves the writer's pin alone")
    func commit() async throws {
        let store = TrickStore()
        let fixture = try await store.house()
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<90, 1)
        let house = fixture.house.store.house
        let (rounds, takenBack) = (Guarded(0), Guarded(false))
        store.play { call in
            if call.operation == .delete, call.key.hasPrefix("snapshots/") { takenBack.withLock { $0 = true } }
            // The writer's second look at its pin: its manifest is there already.
            guard call.operation == .get, call.key.hasPrefix("uploads/"),
                (try? store.keys("snapshots/").isEmpty) == false,
                rounds.withLock({ count in
                    count += 1
                    return count == 1
                })
            else { return nil }
            _ = try? house.care.round(suspects: [], in: house)
            return nil
        }
        let snapshot = try await fixture.snapshot(volume)
        #expect(rounds.withLock { $0 } > 0 && !takenBack.withLock { $0 }, "the commit was taken back")
        #expect(try store.keys("snapshots/") == ["snapshots/\(snapshot)"] && store.keys("uploads/").isEmpty)
        await fixture.house.close()
    }

    @Test(
        "what a healing that was cut off left goes with its snapshot, or in the next round", arguments: [false, true])
    func leftByHealing(_ isDeleted: Bool) async throws {
        let store = TrickStore()
        let fixture = try await store.house()
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<90, 1)
        let snapshot = try await fixture.snapshot(volume)
        try await fixture.settled(volume)
        let id = try #require(SnapshotID(snapshot))
        let pin = UploadPin(snapshot: id, parent: nil, volume: volume, started: WallTime(milliseconds: 0))
        try store.put(pin.encoded(), at: "uploads/\(snapshot)")
        if isDeleted {
            try await fixture.snapshots.delete(snapshot)
            try await fixture.quiet()
            #expect(try store.keys("uploads/").isEmpty)
            _ = try await fixture.house.store.reclaim(grace: .zero)
            #expect(try store.keys("packs/").isEmpty)
        } else {
            let house = fixture.house.store.house
            _ = try await onThread { try house.care.round(suspects: [], in: house) }
            #expect(try store.keys("uploads/").isEmpty)
        }
        await fixture.house.close()
    }
}
