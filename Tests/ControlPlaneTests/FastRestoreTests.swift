import Blocks
import ObjectStore
import TestSupport
import Testing

@testable import ControlPlane

/// Local copies of snapshots: that volumes made of them need no store, and that a copy is right or not used.
@Suite struct FastRestoreTests {
    private static let zone = "us-east-1a"
    private static let image =
        [UInt8](repeating: 5, count: 200) + [UInt8](repeating: 0, count: 3000) + [UInt8](repeating: 7, count: 896)

    /// A house with a snapshot of 16 MiB, whose map has more than one page.
    private static func setting(
        _ fixture: HouseFixture, encryption: VolumeEncryption? = nil
    ) async throws -> (volume: String, id: String) {
        let volume = try await fixture.volume(.mebibytes(16), encryption: encryption)
        try await fixture.write(volume, 0..<200, 5)
        try await fixture.write(volume, 3200..<4096, 7)
        return (volume, try await fixture.snapshot(volume))
    }

    private static func state(_ fixture: HouseFixture, _ id: String) async throws -> FastRestoreView.State? {
        try await fixture.snapshots.fastRestores().first { $0.snapshotId == id }?.state
    }

    private static func enabled(_ fixture: HouseFixture, _ id: String) async throws {
        _ = try await fixture.snapshots.restoreFast(id, in: zone)
        try await fixture.eventually("it is enabled") { try await state(fixture, id) == .enabled }
    }

    private static func files(_ fixture: HouseFixture) throws -> [String] {
        try LocalDisk().list(fixture.data + "/fast")
    }

    private static func gone(_ fixture: HouseFixture) async throws {
        try await fixture.eventually("the file is gone") { try files(fixture).isEmpty }
    }

    /// The first byte of each of a volume's blocks, with the store hidden while it is made and read.
    private static func restoredWithoutStore(_ fixture: HouseFixture, _ id: String) async throws -> [UInt8] {
        try fixture.hideStore()
        let made = try await fixture.volumes.create(CreateVolume(size: nil, origin: .snapshot(id)))
        #expect(made.fastRestored)
        _ = try await fixture.volumes.attach(made.id)
        let content = try await fixture.look(made.id)
        try await fixture.eventually("all of it is here") {
            try await fixture.volumes.show(made.id).hydration.isComplete
        }
        try fixture.showStore()
        return content
    }

    @Test(
        "a volume made after it is enabled needs no store, encrypted or not, over a restart too",
        arguments: [false, true])
    func away(isEncrypted: Bool) async throws {
        let scratch = try ScratchDirectory("varve-fast")
        let fixture = try await HouseFixture(holding: scratch, at: scratch.path + "/data")
        let (_, id) = try await Self.setting(fixture, encryption: isEncrypted ? VolumeEncryption() : nil)
        let before = try await fixture.volumes.create(CreateVolume(size: nil, origin: .snapshot(id)))
        #expect(!before.fastRestored)
        try await Self.enabled(fixture, id)
        let shown = try #require(try await fixture.snapshots.fastRestores().first)
        #expect(shown.progress == 1 && shown.reason == nil)
        let optimizing = try #require(shown.optimizingAt), enabled = try #require(shown.enabledAt)
        #expect(shown.enablingAt <= optimizing && optimizing <= enabled)
        let task = try #require(try await fixture.house.tasks.list().first { $0.kind == .fetchSnapshot })
        #expect(task.state == .succeeded && task.subjectId == id)
        let events = try await fixture.house.events.list()
        #expect(events.contains { $0.verb == "snapshot.restoresFast" && $0.subjects == [id] && $0.door == "house" })
        #expect(try await Self.restoredWithoutStore(fixture, id) == Self.image)
        try await fixture.reopen()
        #expect(try await Self.state(fixture, id) == .enabled)
        #expect(try await Self.restoredWithoutStore(fixture, id) == Self.image)
        #expect(try await fixture.house.tasks.list().count { $0.kind == .fetchSnapshot } == 1)
        await fixture.house.close()
    }

    @Test("the file goes when the last zone is disabled, and when the snapshot is archived, binned or deleted")
    func going() async throws {
        let fixture = try await HouseFixture { $0.region = Region(name: "us-east-1", zoneCount: 2) }
        let (_, id) = try await Self.setting(fixture)
        let zones = fixture.house.region.zones.map(\.name)
        for zone in zones.prefix(2) { _ = try await fixture.snapshots.restoreFast(id, in: zone) }
        try await Self.enabled(fixture, id)
        #expect(try Self.files(fixture) == [id], "one for all zones")
        _ = try await fixture.snapshots.restoreNoMoreFast(id, in: zones[0])
        try await fixture.eventually("it is disabled") { try await Self.state(fixture, id) == .disabled }
        #expect(try Self.files(fixture) == [id])
        #expect(try await fixture.snapshots.fastRestores().map(\.state) == [.disabled, .enabled])
        let elsewhere = try await fixture.volumes.create(CreateVolume(size: nil, origin: .snapshot(id)))
        #expect(!elsewhere.fastRestored, "not in this zone")
        _ = try await fixture.snapshots.restoreNoMoreFast(id, in: zones[1])
        try await Self.gone(fixture)
        #expect(await refusal { try await fixture.snapshots.restoreNoMoreFast(id, in: zones[1]) } == .wrongState)

        try await Self.enabled(fixture, id)
        _ = try await fixture.snapshots.archive(id)
        try await Self.gone(fixture)
        _ = try await fixture.snapshots.restoreArchived(id)
        #expect(try await fixture.snapshots.fastRestores() == [])

        try await Self.enabled(fixture, id)
        let rule = try await fixture.house.bin.createRule(NewBinRule(resourceType: .snapshot, days: 1))
        try await fixture.snapshots.delete(id)
        try await Self.gone(fixture)
        _ = try await fixture.house.bin.restoreSnapshot(id)
        #expect(try await fixture.snapshots.fastRestores() == [])
        try await fixture.house.bin.deleteRule(rule.id)

        try await Self.enabled(fixture, id)
        try await fixture.snapshots.delete(id)
        try await Self.gone(fixture)
        try await fixture.quiet()
        await fixture.house.close()
    }

    @Test("whose it is shared with keep it only as long as that holds")
    func shared() async throws {
        let fixture = try await HouseFixture()
        let (_, id) = try await Self.setting(fixture)
        let account = try await fixture.house.accounts.create(named: "others").id
        let theirs = fixture.house.verbs(for: Caller(account: account, principal: "eve", role: .administrator))
        _ = try await fixture.snapshots.share(id, SharingChange(adding: [account]))
        _ = try await theirs.snapshots.restoreFast(id, in: Self.zone)
        try await fixture.eventually("it is enabled") {
            try await theirs.snapshots.fastRestores().map(\.state) == [.enabled]
        }
        #expect(try await fixture.snapshots.fastRestores() == [])
        var request = CreateVolume(size: nil, origin: .snapshot(id))
        request.zone = Self.zone
        #expect(try await !fixture.volumes.create(request).fastRestored, "its owner asked for nothing")
        let made = try await theirs.volumes.create(request)
        #expect(made.fastRestored)
        _ = try await fixture.snapshots.share(id, SharingChange(removing: [account]))
        try await Self.gone(fixture)
        try await fixture.eventually("it has come all the same") {
            try await theirs.volumes.show(made.id).hydration.isComplete
        }
        await fixture.house.close()
    }

    @Test("damage anywhere in the file is never served: the store says what is right, and the copy is made anew")
    func damaged() async throws {
        let fixture = try await HouseFixture()
        let (_, id) = try await Self.setting(fixture)
        try await Self.enabled(fixture, id)
        let path = fixture.data + "/fast/" + id, disk = LocalDisk()
        let layout = FastLayout(size: .mebibytes(16))
        let places = [
            layout.data(10), layout.data(4000), layout.page(0), layout.page(3), layout.page(1), layout.data(1000),
        ]
        for (number, place) in places.enumerated() {
            let file = try disk.open(path, .readWrite)
            // A page that the disk lost, or bytes that it garbled.
            if number == 3 {
                try file.punch(ByteRange(at: place, count: Block.size))
            } else {
                try [UInt8](repeating: 9, count: 16).readBytes { try file.write($0, at: place, durably: false) }
            }
            #expect(try await fixture.restore(id) == Self.image, "damage number \(number)")
            // The oftener it happens, the longer it waits.
            fixture.house.store.retryUploads()
            try await fixture.eventually("it is enabled again") { try await Self.state(fixture, id) == .enabled }
        }
        // At the start, what is not whole is not taken for a copy.
        for place in [ByteOffset(20), layout.map] {
            await fixture.house.close()
            let file = try disk.open(path, .readWrite)
            try [UInt8](repeating: 9, count: 1).readBytes { try file.write($0, at: place, durably: false) }
            try await fixture.reopen()
            #expect(try await fixture.restore(id) == Self.image)
            try await fixture.eventually("it is enabled again") { try await Self.state(fixture, id) == .enabled }
        }
        await fixture.house.close()
    }

    @Test("a store that is away is waited for, a snapshot that is pending too, and an interest that ends ends the task")
    func waiting() async throws {
        let store = TrickStore()
        let fixture = try await store.house()
        let (volume, id) = try await Self.setting(fixture)
        store.play { _ in .transient }
        _ = try await fixture.snapshots.restoreFast(id, in: Self.zone)
        try await fixture.eventually("it says why") {
            try await fixture.snapshots.fastRestores().first?.reason != nil
        }
        let pending = try await fixture.snapshot(volume, wait: false)
        _ = try await fixture.snapshots.restoreFast(pending, in: Self.zone)
        #expect(try await Self.state(fixture, pending) == .enabling)
        #expect(try await fixture.house.tasks.list().count { $0.kind == .fetchSnapshot && $0.state != .succeeded } == 2)
        _ = try await fixture.snapshots.restoreNoMoreFast(id, in: Self.zone)
        try await fixture.eventually("its task is over") {
            try await fixture.house.tasks.list().contains {
                $0.kind == .fetchSnapshot && $0.subjectId == id && $0.state == .cancelled
            }
        }
        store.play(nil)
        fixture.house.store.retryUploads()
        _ = try await fixture.snapshots.wait(for: pending)
        try await fixture.eventually("it is enabled") { try await Self.state(fixture, pending) == .enabled }
        #expect(try await fixture.restore(pending) == Self.image)
        await fixture.house.close()
    }

    @Test("a copy is begun only where volumes keep their room")
    func room() {
        let room = FastRoom(floor: .mebibytes(256))
        #expect(room.refusal(taking: .gibibytes(1), of: .gibibytes(3)) == nil)
        #expect(room.refusal(taking: .gibibytes(1), of: .gibibytes(2)) == nil)
        let refused = room.refusal(taking: .gibibytes(1), of: .gibibytes(2) - 1)
        #expect(refused?.contains("1073741824") == true)
        // What was begun goes only well below that.
        #expect(room.kept < .gibibytes(1) && room.kept > room.floor)
    }

    @Test("a page of checksums is none of another number, nor one that was changed")
    func pages() throws {
        var page = FastPage()
        page[0] = 1
        page[1022] = .max
        page.seal(number: 7)
        let again = try #require(FastPage(page.bytes, number: 7))
        #expect(again[0] == 1 && again[1] == 0 && again[1022] == .max)
        #expect(FastPage(page.bytes, number: 8) == nil)
        var bytes = page.bytes
        bytes[5] ^= 1
        #expect(FastPage(bytes, number: 7) == nil)
        #expect(FastPage([UInt8](repeating: 0, count: 4096), number: 7) == nil)
        let header = FastHeader(snapshot: "snap-1", size: 8192, dataSize: 4096, mapChecksum: 3)
        #expect(FastHeader(header.bytes) == header)
        for place in [0, 8, 12, 16, 24, 32, 40, 4095] {
            var bytes = header.bytes
            bytes[place] ^= 1
            #expect(FastHeader(bytes) == nil)
        }
        #expect(FastHeader([]) == nil)
    }
}
