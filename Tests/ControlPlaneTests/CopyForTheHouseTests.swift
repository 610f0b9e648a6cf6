import Blocks
import TestSupport
import Testing

@testable import ControlPlane

/// Copies that a store alone tells of.
@Suite struct CopyForTheHouseTests {
    @Test("a region that is lost comes back from its store, and its copies are copies still")
    func recovered() async throws {
        let fixture = try await RegionTests.fixture()
        let account = try await fixture.house.accounts.create(named: "others").id
        let other = Caller(account: account, principal: "eve", role: .administrator)
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<10, 1)
        let source = try await fixture.snapshot(volume)
        _ = try await fixture.snapshots.share(source, SharingChange(adding: [account]))
        let west = try RegionTests.verbs(fixture, for: other).snapshots
        let copy = try await west.wait(for: try await west.copy(CopySnapshot(source, from: "us-east-1")).id)
        await fixture.house.close()

        let lost = fixture.data + "/regions/us-west-2"
        try LocalDisk().rename(lost, to: lost + ".lost")
        let report = try await House.recover(HousePlan(data: lost, store: lost + ".lost/store"))
        #expect(report.snapshotCount == 1 && report.problems.isEmpty)
        let house = try await House.open(HousePlan(data: fixture.data), exports: MemoryBoard())
        let found = try #require(house.verbs(for: other, in: RegionTests.west))
        let shown = try await found.snapshots.show(copy.id)
        #expect(shown.copyOf == copy.copyOf && shown.volumeId == SnapshotView.noVolume && shown.ownerId == account)
        // The next one builds on it.
        let next = try await found.snapshots.wait(
            for: try await found.snapshots.copy(CopySnapshot(source, from: "us-east-1")).id)
        #expect(next.parentId == copy.id && next.changedBytes == 0)
        await house.close()
    }
}
