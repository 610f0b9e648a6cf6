import Blocks
import ObjectStore
import Repository
import Simulation
import TestSupport
import Testing

@testable import ControlPlane

/// What a round could not do is done later, and nothing that was known is forgotten meanwhile.
@Suite(.serialized) struct CaretakerRetryTests {
    private struct Scene {
        let store = TrickStore()
        let clock = ManualClock(passesSleeps: true)
        let fixture: HouseFixture
        let volume: String
        let first: String

        init(overwrites: Bool = true) async throws {
            fixture = try await store.house { [clock] plan in
                plan.clock = clock
                plan.uploadsAtOnce = 1
            }
            volume = try await fixture.volume(.mebibytes(1))
            try await fixture.write(volume, 0..<90, 1)
            first = try await fixture.snapshot(volume)
            try await fixture.settled(volume)
            // From here on nobody else has what the snapshot holds.
            if overwrites { try await fixture.write(volume, 0..<90, 2) }
        }

        func scrub() async throws {
            let before = try await fixture.house.store.scrub().lastCompletedAt
            try fixture.house.store.beginScrub()
            try await fixture.eventually("a scrub ends") {
                clock.advance(by: .seconds(1))
                return try await fixture.house.store.scrub().lastCompletedAt ?? before != before
            }
        }
        func isDegraded(_ id: String) async throws -> Bool { try await fixture.snapshots.show(id).damage != nil }
        func round() async throws {
            let house = fixture.house.store.house
            _ = try await onThread { try house.care.round(suspects: [], in: house) }
        }
        /// The next round fails at its first look into the store, once.
        func failNextRound() -> Guarded<Int> {
            let failures = Guarded(0)
            store.play { call in
                guard call.operation == .list, call.key == "uploads/" else { return nil }
                let isFirst = failures.withLock { count in
                    count += 1
                    return count == 1
                }
                return isFirst ? .permanent : nil
            }
            return failures
        }
        func eventuallyWithTime(_ what: String, _ condition: () async throws -> Bool) async throws {
            try await fixture.eventually(what) {
                clock.advance(by: .seconds(1))
                return try await condition()
            }
        }
    }

    @Test("a round that failed comes again by itself")
    func again() async throws {
        let scene = try await Scene()
        try scene.store.flipFirstFrame(of: scene.first)
        try await scene.scrub()
        #expect(try await scene.isDegraded(scene.first))
        try scene.store.flipFirstFrame(of: scene.first)
        let failures = scene.failNextRound()
        scene.fixture.house.store.house.scrub.lookSoon()
        try await scene.fixture.eventually("a round has failed") { failures.withLock { $0 } > 0 }
        try await scene.eventuallyWithTime("another one finds it whole") {
            try await !scene.isDegraded(scene.first)
        }
        await scene.fixture.house.close()
    }

    @Test("what a verification suspected is looked at, though the round after it failed")
    func suspects() async throws {
        let scene = try await Scene()
        try scene.store.flipFirstFrame(of: scene.first)
        let failures = scene.failNextRound()
        _ = try? await scene.fixture.house.store.verify()
        #expect(failures.withLock { $0 } == 1)
        #expect(try await !scene.isDegraded(scene.first))
        try await scene.eventuallyWithTime("it is marked") { try await scene.isDegraded(scene.first) }
        await scene.fixture.house.close()
    }

    @Test("marks are looked at soon after a start")
    func atOpen() async throws {
        let scene = try await Scene()
        try scene.store.flipFirstFrame(of: scene.first)
        try await scene.scrub()
        await scene.fixture.house.close()
        try scene.store.flipFirstFrame(of: scene.first)
        try await scene.fixture.reopen()
        try await scene.eventuallyWithTime("it is found whole") { try await !scene.isDegraded(scene.first) }
        await scene.fixture.house.close()
    }

    @Test("what was suspected stays so while the map cannot be read")
    func formerSuspects() async throws {
        let scene = try await Scene()
        let packs = try scene.store.keys("packs/\(scene.first)/")
        // Data, nodes, the table.
        #expect(packs.count == 3)
        try scene.store.flipFirstFrame(of: scene.first)
        try await scene.scrub()
        let lost = try await scene.fixture.snapshots.show(scene.first).damage
        #expect(lost?.bytes == 32 * 4096)
        let nodes = try scene.store.memory.get(packs[1], range: nil)
        try scene.store.memory.delete([packs[1]])
        try await scene.round()
        #expect(try await scene.fixture.snapshots.show(scene.first).damage?.isMapDamaged == true)
        try scene.store.put(nodes, at: packs[1])
        try await scene.round()
        #expect(try await scene.fixture.snapshots.show(scene.first).damage?.ranges == lost?.ranges)
        await scene.fixture.house.close()
    }

    @Test("healing waits for every upload that builds on the snapshot, running or not")
    func queuedChild() async throws {
        let scene = try await Scene(overwrites: false)
        let fixture = scene.fixture
        try await fixture.write(scene.volume, 100..<110, 3)
        // Another upload has the only thread for as long as the test likes.
        let other = try await fixture.volume(.mebibytes(1))
        try await fixture.write(other, 0..<10, 4)
        let (isReached, mayGoOn) = (Guarded(false), Guarded(false))
        scene.store.play { call in
            if call.operation == .putIfAbsent, call.key.hasPrefix("packs/"), !isReached.withLock({ $0 }) {
                isReached.withLock { $0 = true }
                _ = mayGoOn.wait { $0 ? true : nil }
            }
            return nil
        }
        _ = try await fixture.snapshot(other, wait: false)
        try await fixture.eventually("the other one is at it") { isReached.withLock { $0 } }
        let child = try await fixture.snapshot(scene.volume, wait: false)
        try scene.store.flipFirstFrame(of: scene.first)
        // One that a kill hit between its commit and the record of that looks just like it.
        _ = try await fixture.house.store.verify()
        #expect(try await scene.isDegraded(scene.first), "healed beside an upload that builds on it")
        mayGoOn.change { $0 = true }
        _ = try await fixture.snapshots.wait(for: child)
        try await scene.eventuallyWithTime("both are whole") {
            try await fixture.house.store.status().degraded.isEmpty
        }
        #expect(try await fixture.house.store.verify().isSound)
        await fixture.house.close()
    }
}
