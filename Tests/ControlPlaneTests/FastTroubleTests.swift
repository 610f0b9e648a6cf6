import Blocks
import Catalog
import ObjectStore
import Simulation
import TestSupport
import Testing
import VolumeEngine

@testable import ControlPlane

/// Local copies that cannot be made, and wishes for them that cannot be fulfilled.
@Suite(.serialized) struct FastTroubleTests {
    private static func state(_ fixture: HouseFixture, _ id: String) async throws -> FastRestoreView.State? {
        try await fixture.snapshots.fastRestores().first { $0.snapshotId == id }?.state
    }

    private static func enabled(_ fixture: HouseFixture, _ id: String) async throws {
        try await fixture.eventually("it is enabled") { try await state(fixture, id) == .enabled }
    }

    /// A snapshot of a volume of its own.
    private static func snapshot(_ fixture: HouseFixture) async throws -> (volume: String, id: String) {
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<100, 4)
        return (volume, try await fixture.snapshot(volume))
    }

    @Test("what others put beside the copies stays there, and keeps no house from starting")
    func foreign() async throws {
        let fixture = try await HouseFixture()
        let (_, id) = try await Self.snapshot(fixture)
        _ = try await fixture.snapshots.restoreFast(id)
        try await Self.enabled(fixture, id)
        await fixture.house.close()
        let disk = LocalDisk(), folder = fixture.data + "/fast"
        // The last one has the form of a copy, and cannot be removed as one.
        let folders = ["lost+found", "snap-0123456789abcdef0"]
        for name in folders { try disk.makeDirectory(folder + "/" + name) }
        _ = try disk.open(folder + "/notes.txt", .create)
        try await fixture.reopen()
        #expect(try await Self.state(fixture, id) == .enabled)
        #expect(try Set(disk.list(folder)) == Set(folders + ["notes.txt", id]))
        await fixture.house.close()
    }

    @Test("what is distrusted, or nobody knows of, does not stay on the disk")
    func strays() async throws {
        let clock = ManualClock(passesSleeps: true)
        let fixture = try await HouseFixture { [clock] in $0.clock = clock }
        let (_, id) = try await Self.snapshot(fixture)
        _ = try await fixture.snapshots.restoreFast(id)
        try await Self.enabled(fixture, id)
        let disk = LocalDisk(), folder = fixture.data + "/fast"
        _ = try disk.open(folder + "/snap-0123456789abcdef0", .create)
        let copies = fixture.house.household.fast
        // Not the first time: then no new copy takes the place of the old one at once.
        copies.note(id) { $0.retries = 5 }
        copies.distrust(try #require(copies[id]), because: .corrupt(at: 0))
        try await fixture.eventually("nothing is left") { try disk.list(folder).isEmpty }
        clock.advance(by: .seconds(900))
        try await Self.enabled(fixture, id)
        #expect(try disk.list(folder) == [id])
        await fixture.house.close()
    }

    @Test("a copy that cannot be removed is not said to be gone, and keeps no other one on the disk")
    func unremovable() async throws {
        let clock = ManualClock(passesSleeps: true)
        let fixture = try await HouseFixture { [clock] in $0.clock = clock }
        var ids: [String] = []
        for _ in 0..<4 { ids.append(try await Self.snapshot(fixture).id) }
        for id in ids { _ = try await fixture.snapshots.restoreFast(id) }
        for id in ids { try await Self.enabled(fixture, id) }
        // A folder in place of a further segment: none of the copy is removed before that is.
        let disk = LocalDisk(), folder = fixture.data + "/fast", stuck = ids[1]
        try disk.makeDirectory(folder + "/" + stuck + ".1")
        for id in ids { _ = try await fixture.snapshots.restoreNoMoreFast(id) }
        try await fixture.eventually("the others are gone") {
            let states = try await fixture.snapshots.fastRestores().filter { $0.snapshotId != stuck }.map(\.state)
            return states.allSatisfy { $0 == .disabled }
        }
        #expect(try Set(disk.list(folder)) == [stuck, stuck + ".1"])
        #expect(try await Self.state(fixture, stuck) == .disabling)
        try LocalDisk().rename(folder + "/" + stuck + ".1", to: fixture.data + "/away")
        try await fixture.eventually("it is gone too") {
            clock.advance(by: .seconds(1))
            return try await Self.state(fixture, stuck) == .disabled
        }
        #expect(try disk.list(folder).isEmpty)
        await fixture.house.close()
    }

    @Test("a copy that cannot be fetched keeps nobody else from theirs, and comes when it can be")
    func turns() async throws {
        let store = TrickStore(), clock = ManualClock(passesSleeps: true)
        let fixture = try await store.house { [clock] in $0.clock = clock }
        let first = try await Self.snapshot(fixture).id, second = try await Self.snapshot(fixture).id
        store.play { $0.operation == .get && $0.key.hasPrefix("packs/\(first)/") ? .permanent : nil }
        _ = try await fixture.snapshots.restoreFast(first)
        try await fixture.eventually("it says why") {
            try await fixture.snapshots.fastRestores().first?.reason != nil
        }
        _ = try await fixture.snapshots.restoreFast(second)
        try await fixture.eventually("the other one is enabled") {
            clock.advance(by: .seconds(1))
            return try await Self.state(fixture, second) == .enabled
        }
        // While it is tried once more it says nothing.
        try await fixture.eventually("it still waits, and says why") {
            let waiting = try #require(try await fixture.snapshots.fastRestores().first { $0.snapshotId == first })
            #expect(waiting.state != .enabled)
            return waiting.reason != nil
        }
        store.play(nil)
        try await fixture.eventually("it is enabled too") {
            clock.advance(by: .seconds(1))
            return try await Self.state(fixture, first) == .enabled
        }
        await fixture.house.close()
    }

    @Test("what is damaged is not fetched before it is healed, and says so")
    func damaged() async throws {
        let store = TrickStore()
        let fixture = try await store.house()
        let (volume, id) = try await Self.snapshot(fixture)
        // Nobody else has what it holds.
        _ = try await fixture.volumes.detach(volume)
        try await fixture.volumes.delete(volume)
        try store.flipFirstFrame(of: id)
        _ = try await fixture.snapshots.restoreFast(id)
        try await fixture.eventually("it says why, and its copy is no more") {
            let view = try #require(try await fixture.snapshots.fastRestores().first)
            return view.reason?.contains("is degraded") == true && view.state == .enabling
        }
        #expect(try await fixture.snapshots.show(id).damage != nil)
        fixture.house.store.retryUploads()
        for _ in 0..<100 {
            try await Task.sleep(for: .milliseconds(10))
            #expect(try await Self.state(fixture, id) == .enabling, "it is fetched again")
        }
        try store.flipFirstFrame(of: id)
        try fixture.house.store.beginScrub()
        try await fixture.eventually("it is whole") { try await fixture.snapshots.show(id).damage == nil }
        fixture.house.store.retryUploads()
        try await Self.enabled(fixture, id)
        await fixture.house.close()
    }

    @Test("what is no longer shared, or failed, is disabled by itself, and counts no more")
    func vain() async throws {
        let fixture = try await HouseFixture()
        let account = try await fixture.house.accounts.create(named: "others").id
        let theirs = fixture.house.verbs(for: Caller(account: account, principal: "eve", role: .administrator))
        let their = try await theirs.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let shared = try await theirs.snapshots.create(CreateSnapshot(volume: their)).id
        _ = try await theirs.snapshots.wait(for: shared)
        _ = try await theirs.snapshots.share(shared, SharingChange(adding: [Caller.root.account]))
        _ = try await fixture.house.quotas.set(.fastRestores, to: 1)
        let (volume, own) = try await Self.snapshot(fixture)
        _ = try await fixture.snapshots.restoreFast(shared)
        #expect(await refusal { try await fixture.snapshots.restoreFast(own) } == .limitExceeded)
        _ = try await theirs.snapshots.share(shared, SharingChange(removing: [Caller.root.account]))
        let house = fixture.house.household
        try await fixture.eventually("it is disabled") {
            try await house.catalog.change { try $0.fastRestores() }
                .allSatisfy { $0.disablingAt != nil && $0.disabledAt != nil }
        }
        #expect(try await fixture.snapshots.fastRestores().isEmpty, "what is another's is not told of")
        _ = try await fixture.snapshots.restoreFast(own)
        try await Self.enabled(fixture, own)
        _ = try await fixture.house.quotas.set(.fastRestores, to: nil)

        try await fixture.write(volume, 0..<10, 5)
        try fixture.hideStore()
        let failing = try await fixture.snapshot(volume, wait: false)
        _ = try await fixture.snapshots.restoreFast(failing)
        let open = try house.live.open(volume)
        #expect(try await onThread { open.cancel(failing, reason: "no room for its overlay") } == [failing])
        try fixture.showStore()
        fixture.house.store.retryUploads()
        try await fixture.eventually("it failed") { try await fixture.snapshots.show(failing).state == .error }
        try await fixture.eventually("it is disabled") { try await Self.state(fixture, failing) == .disabled }
        let task = try await fixture.house.tasks.list().first { $0.kind == .fetchSnapshot && $0.subjectId == failing }
        #expect(task?.state == .cancelled)
        #expect(try await Self.state(fixture, own) == .enabled)
        await fixture.house.close()
    }
}
