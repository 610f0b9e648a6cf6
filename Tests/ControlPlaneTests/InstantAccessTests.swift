import Blocks
import ControlPlane
import TestSupport
import Testing

@Suite struct InstantAccessTests {
    @Test("that a snapshot has instant access is kept over a restart, until it is taken; a copy has none")
    func kept() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume()
        var request = CreateSnapshot(volume: volume)
        request.hasInstantAccess = true
        let made = try await fixture.snapshots.create(request)
        #expect(made.hasInstantAccess)
        _ = try await fixture.snapshots.wait(for: made.id)
        let other = try await fixture.snapshots.create(CreateSnapshot(volume: volume))
        #expect(!other.hasInstantAccess)
        try await fixture.reopen()
        #expect(try await fixture.snapshots.show(made.id).hasInstantAccess)
        let copy = try await fixture.snapshots.copy(CopySnapshot(made.id))
        #expect(!copy.hasInstantAccess)
        var change = ModifySnapshot()
        change.name = "named"
        #expect(try await fixture.snapshots.modify(made.id, change).hasInstantAccess)
        change = ModifySnapshot()
        change.hasInstantAccess = false
        let changed = try await fixture.snapshots.modify(made.id, change)
        #expect(!changed.hasInstantAccess && changed.name == "named")
    }
}
