import Blocks
import Catalog
import Simulation
import Testing

@testable import ControlPlane

/// Snapshots that are recorded and not cut yet: whoever has their ids is told to ask again, and nobody is told of them.
@Suite struct UncutSnapshotTests {
    /// One that is being taken and will not be cut before the test says so.
    private struct Uncut {
        let id: String
        let volume: String
        let gate: Guarded<Bool>
        let taking: Task<[SnapshotRecord], any Error>

        /// It is cut and recorded as pending.
        func cut() async throws {
            gate.change { $0 = true }
            _ = try await taking.value
        }
    }

    private static func uncut(
        _ fixture: HouseFixture, _ change: (inout TakeSnapshot.Order) -> Void = { _ in }
    ) async throws -> Uncut {
        let house = fixture.house.household
        let volume = try await fixture.volume()
        let gate = Guarded(false), begun = Guarded(0), made = Guarded<String?>(nil)
        var order = TakeSnapshot.Order(volumes: [volume], name: "first")
        change(&order)
        order.recording = { _, snapshots in
            // A cut is made on one of the threads for the local disk: from here on none of the eight is free.
            for _ in 0..<8 {
                Task {
                    try await house.local.run {
                        begun.change { $0 += 1 }
                        gate.wait { $0 ? () : nil }
                    }
                }
            }
            begun.wait(atMost: .seconds(60)) { $0 == 8 ? () : nil }
            made.withLock { $0 = snapshots[0].id }
        }
        let wanted = order
        let taking = Task { try await TakeSnapshot(house: house).begin(wanted) }
        try await fixture.eventually("it is recorded") {
            guard let id = made.withLock({ $0 }) else { return false }
            return try await house.catalog.change { try $0.snapshot(id)?.state } == .creating
        }
        #expect(begun.withLock { $0 } == 8)
        let id = try #require(made.withLock { $0 })
        return Uncut(id: id, volume: volume, gate: gate, taking: taking)
    }

    @Test("it is neither changed nor locked nor deleted, and afterwards it is")
    func refused() async throws {
        let fixture = try await HouseFixture()
        let uncut = try await Self.uncut(fixture)
        let snapshots = fixture.snapshots, id = uncut.id
        var names = ModifySnapshot()
        names.name = "second"
        let lock = LockSnapshot(mode: .governance, end: .days(2))
        #expect(await refusal { try await snapshots.modify(id, names) } == .unavailable)
        #expect(await refusal { try await snapshots.lock(id, lock) } == .unavailable)
        #expect(await refusal { try await snapshots.delete(id) } == .unavailable)
        try await uncut.cut()
        #expect(try await snapshots.show(id).name == "first")
        #expect(try await snapshots.modify(id, names).name == "second")
        _ = try await snapshots.lock(id, lock)
        #expect(await refusal { try await snapshots.delete(id) } == .locked)
        try await snapshots.unlock(id)
        try await snapshots.delete(id)
        #expect(await refusal { try await snapshots.show(id) } == .missing)
        await fixture.house.close()
    }

    @Test("what is recorded of it meanwhile stays when it is cut")
    func kept() async throws {
        let fixture = try await HouseFixture()
        let uncut = try await Self.uncut(fixture)
        let house = fixture.house.household
        try await house.catalog.change { session in
            var snapshot = try #require(try session.snapshot(uncut.id))
            snapshot.description = "meanwhile"
            try session.update(snapshot)
        }
        try await uncut.cut()
        let shown = try await fixture.snapshots.wait(for: uncut.id)
        #expect(shown.name == "first" && shown.description == "meanwhile")
        await fixture.house.close()
    }

    @Test("a request that is sent again is told to ask later, until there is something to tell of")
    func token() async throws {
        let fixture = try await HouseFixture()
        let token = RequestToken("once", fingerprint: "a")
        let uncut = try await Self.uncut(fixture) { $0.token = token }
        var request = CreateSnapshot(volume: uncut.volume)
        request.token = token
        let again = request
        #expect(await refusal { try await fixture.snapshots.create(again) } == .unavailable)
        try await uncut.cut()
        #expect(try await fixture.snapshots.create(again).id == uncut.id)
        await fixture.house.close()
    }

    @Test("one whose time comes before it is cut is released after that")
    func released() async throws {
        let clock = ManualClock(passesSleeps: true)
        let fixture = try await HouseFixture { $0.clock = clock }
        let house = fixture.house.household
        var request = CreateSnapshot(volume: try await fixture.volume())
        request.release = .at(clock.now() + .seconds(90))
        let other = try await fixture.snapshots.wait(for: fixture.snapshots.create(request).id).id
        let uncut = try await Self.uncut(fixture) { $0.release = .at(clock.now() + .seconds(60)) }
        clock.advance(by: .seconds(91))
        // It is due later: so whatever is done with the one that is not cut has been done.
        try await fixture.eventually("the other one is released") {
            try await fixture.snapshots.list().isEmpty
        }
        #expect(try await house.catalog.change { try $0.snapshot(uncut.id)?.isDeleted } == false)
        #expect(other != uncut.id)
        try await uncut.cut()
        #expect(try await fixture.snapshots.show(uncut.id).id == uncut.id)
        // As the service does.
        house.releases.lookSoon()
        try await fixture.eventually("it is released") { try await fixture.snapshots.list().isEmpty }
        await fixture.house.close()
    }
}
