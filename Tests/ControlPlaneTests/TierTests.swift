import Blocks
import ControlPlane
import Simulation
import TestSupport
import Testing

/// The archive of snapshots: what it refuses, and that what was there comes back as it was.
@Suite struct TierTests {
    private static let day = Duration.seconds(86_400)

    /// A house with a snapshot whose blocks are all 5.
    private static func setting() async throws -> (
        fixture: HouseFixture, clock: ManualClock, volume: String, id: String
    ) {
        let clock = ManualClock(passesSleeps: true)
        let fixture = try await HouseFixture { $0.clock = clock }
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<256, 5)
        return (fixture, clock, volume, try await fixture.snapshot(volume))
    }

    /// As Amazon's clients ask for a copy: it comes to be, and fails, where there is no source.
    private static func copyInAnyCase(of id: String) -> CopySnapshot {
        var request = CopySnapshot(id)
        request.needsSource = false
        return request
    }

    private static let content = [UInt8](repeating: 5, count: 256)

    @Test("what is in the archive is refused to whoever would use it, and comes back whole, over a restart too")
    func refused() async throws {
        let (fixture, _, volume, id) = try await Self.setting()
        let snapshots = fixture.snapshots
        let before = try await snapshots.find(id)
        #expect(before.tier == nil)
        let archived = try await snapshots.archive(id)
        #expect(archived.tier?.isArchived == true && archived.tier?.operation == .archival)
        let next = try await fixture.snapshot(volume)
        for _ in 0..<2 {
            let snapshots = fixture.snapshots
            #expect(await refusal { try await fixture.restore(id) } == .wrongState)
            #expect(await refusal { try await snapshots.copy(CopySnapshot(id)) } == .wrongState)
            #expect(await refusal { try await snapshots.copy(Self.copyInAnyCase(of: id)) } == .wrongState)
            #expect(await refusal { try await snapshots.attach(id) } == .wrongState)
            #expect(await refusal { try await snapshots.diff(id, next) } == .wrongState)
            #expect(await refusal { try await snapshots.diff(next, id) } == .wrongState)
            #expect(await refusal { try await snapshots.pieces(of: id, from: 0, limit: 100) } == .wrongState)
            #expect(await refusal { try await snapshots.restoreFast(id, in: "us-east-1a") } == .wrongState)
            let sharing = SharingChange(adding: ["123456789012"])
            #expect(await refusal { try await snapshots.share(id, sharing) } == .wrongState)
            #expect(await refusal { try await snapshots.share(id, SharingChange(isPublic: true)) } == .wrongState)
            #expect(await refusal { try await snapshots.archive(id) } == .wrongState)
            #expect(try await snapshots.verify(id).problems == [])
            try await fixture.reopen()
        }
        let restored = try await fixture.snapshots.restoreArchived(id)
        #expect(restored.tier?.isArchived == false && restored.tier?.operation == .permanentRestore)
        #expect(restored.tier?.archivedAt == archived.tier?.archivedAt)
        #expect(try await fixture.restore(id) == Self.content)
        #expect(try await fixture.look(snapshot: id) == Self.content)
        #expect(await refusal { try await fixture.snapshots.restoreArchived(id) } == .wrongState)
        // What is there can be deleted.
        _ = try await fixture.snapshots.archive(id)
        try await fixture.snapshots.delete(id)
        #expect(try await fixture.house.store.verify().problems == [])
        await fixture.house.close()
    }

    @Test("a volume is not rolled back to what is in the archive, and one that was made of it before keeps its content")
    func volumes() async throws {
        let (fixture, _, volume, id) = try await Self.setting()
        let clone = try await fixture.volumes.create(CreateVolume(size: nil, origin: .snapshot(id))).id
        _ = try await fixture.volumes.attach(clone)
        _ = try await fixture.snapshots.archive(id)
        #expect(try await fixture.look(clone) == Self.content)
        try await fixture.write(volume, 0..<256, 6)
        _ = try await fixture.volumes.detach(volume)
        #expect(await refusal { try await fixture.volumes.rollBack(volume, to: id) } == .wrongState)
        _ = try await fixture.snapshots.restoreArchived(id, days: 1)
        _ = try await fixture.volumes.rollBack(volume, to: id)
        _ = try await fixture.volumes.attach(volume)
        #expect(try await fixture.look(volume) == Self.content)
        await fixture.house.close()
    }

    @Test("archiving ends the export, the sharing and fast restores; a stranger cannot tell it from none")
    func stripped() async throws {
        let (fixture, _, _, id) = try await Self.setting()
        let other = Caller(
            account: try await fixture.house.accounts.create(named: "others").id, principal: "eve",
            role: .administrator)
        let theirs = fixture.house.verbs(for: other).snapshots
        _ = try await fixture.snapshots.share(id, SharingChange(adding: [other.account]))
        _ = try await fixture.snapshots.restoreFast(id, in: "us-east-1a")
        _ = try await theirs.restoreFast(id, in: "us-east-1a")
        _ = try await fixture.snapshots.attach(id)
        #expect(await refusal { try await theirs.archive(id) } == .missing)
        #expect(await refusal { try await theirs.restoreArchived(id) } == .missing)
        _ = try await fixture.snapshots.archive(id)
        #expect(fixture.board.device(id) == nil)
        #expect(try await fixture.snapshots.sharing(of: id) == SnapshotSharing())
        #expect(try await fixture.snapshots.fastRestores() == [])
        #expect(try await theirs.fastRestores() == [])
        #expect(await refusal { try await theirs.find(id) } == .missing)
        #expect(await refusal { try await theirs.copy(CopySnapshot(id)) } == .missing)
        await fixture.house.close()
    }

    @Test("a restore for some days is over to the very instant, and takes away what was given out since")
    func expiry() async throws {
        let (fixture, clock, _, id) = try await Self.setting()
        #expect(await refusal { try await fixture.snapshots.restoreArchived(id, days: 3) } == .wrongState)
        _ = try await fixture.snapshots.archive(id)
        for days in [0, -1, 181, Int.max] {
            #expect(await refusal { try await fixture.snapshots.restoreArchived(id, days: days) } == .invalid)
        }
        let began = clock.now()
        let out = try await fixture.snapshots.restoreArchived(id, days: 3)
        #expect(out.tier?.restoredUntil == began + Self.day * 3 && out.tier?.isArchived == false)
        #expect(try await fixture.restore(id) == Self.content)
        _ = try await fixture.snapshots.share(id, SharingChange(adding: ["123456789012"]))
        // Prolonged, counted from now.
        clock.advance(by: Self.day * 2)
        _ = try await fixture.snapshots.restoreArchived(id, days: 2)
        clock.advance(by: Self.day * 2 - .milliseconds(1))
        #expect(try await fixture.snapshots.find(id).tier?.isArchived == false)
        let end = began + Self.day * 4
        clock.advance(by: .milliseconds(1))
        let over = try await fixture.snapshots.find(id)
        #expect(over.tier?.isArchived == true && over.tier?.archivedAt == end && over.tier?.restoredUntil == nil)
        #expect(await refusal { try await fixture.restore(id) } == .wrongState)
        try await fixture.eventually("its sharing ends") {
            try await fixture.snapshots.sharing(of: id) == SnapshotSharing()
        }
        // For good, out of a restore that is not over.
        _ = try await fixture.snapshots.restoreArchived(id, days: 1)
        _ = try await fixture.snapshots.restoreArchived(id)
        clock.advance(by: Self.day * 10)
        #expect(try await fixture.restore(id) == Self.content)
        await fixture.house.close()
    }

    @Test("a restore that is over while the server is down is over at its next start, in the bin too")
    func expiryWhileDown() async throws {
        let (fixture, clock, volume, id) = try await Self.setting()
        let binned = try await fixture.snapshot(volume)
        for one in [id, binned] {
            _ = try await fixture.snapshots.archive(one)
            _ = try await fixture.snapshots.restoreArchived(one, days: 1)
            _ = try await fixture.snapshots.share(one, SharingChange(adding: ["123456789012"]))
        }
        _ = try await fixture.house.bin.createRule(NewBinRule(resourceType: .snapshot, days: 30))
        try await fixture.snapshots.delete(binned)
        await fixture.house.close()
        clock.advance(by: Self.day * 2)
        try await fixture.reopen()
        #expect(try await fixture.snapshots.find(id).tier?.isArchived == true)
        #expect(await refusal { try await fixture.restore(id) } == .wrongState)
        try await fixture.eventually("its sharing ends") {
            try await fixture.snapshots.sharing(of: id) == SnapshotSharing()
        }
        #expect(try await fixture.house.bin.restoreSnapshot(binned).tier?.isArchived == true)
        #expect(try await fixture.snapshots.sharing(of: binned) == SnapshotSharing())
        await fixture.house.close()
    }

    @Test("pending snapshots are not archived, and of one volume no more than 25")
    func limits() async throws {
        let (fixture, _, volume, id) = try await Self.setting()
        var ids = [id]
        for _ in 0..<25 { ids.append(try await fixture.snapshot(volume)) }
        for id in ids.dropLast() { _ = try await fixture.snapshots.archive(id) }
        let last = try #require(ids.last)
        #expect(await refusal { try await fixture.snapshots.archive(last) } == .limitExceeded)
        _ = try await fixture.snapshots.restoreArchived(id, days: 1)
        _ = try await fixture.snapshots.archive(last)
        try fixture.hideStore()
        try await fixture.write(volume, 0..<256, 7)
        let pending = try await fixture.snapshot(volume, wait: false)
        #expect(await refusal { try await fixture.snapshots.archive(pending) } == .wrongState)
        try fixture.showStore()
        await fixture.house.close()
    }
}
