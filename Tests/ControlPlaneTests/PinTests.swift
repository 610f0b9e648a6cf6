import Blocks
import ObjectStore
import Testing

@testable import ControlPlane
@testable import Repository

/// Whose pin goes when: a pin keeps packs, and its parent's, for ever.
@Suite struct PinTests {
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
}
