import Blocks
import Catalog
import TestSupport
import Testing

@testable import ControlPlane

@Suite struct CopyTests {
    private static let east = "us-east-1"

    private static func copy(
        _ id: String, _ fixture: HouseFixture, from region: String? = east, encrypted: Bool = false,
        token: String? = nil
    ) async throws -> SnapshotView {
        var request = CopySnapshot(id, from: region, name: "copy", description: "of \(id)")
        if encrypted { request.encryption = VolumeEncryption() }
        request.token = token.map { RequestToken($0, fingerprint: id) }
        return try await RegionTests.verbs(fixture).snapshots.copy(request)
    }

    /// What a snapshot of the other region holds, seen through a volume restored there.
    private static func restore(_ id: String, _ fixture: HouseFixture) async throws -> [UInt8] {
        let volumes = try RegionTests.verbs(fixture).volumes
        let made = try await volumes.create(CreateVolume(size: nil, origin: .snapshot(id)))
        _ = try await volumes.attach(made.id)
        let content = try await fixture.look(made.id)
        _ = try await volumes.detach(made.id)
        try await volumes.delete(made.id)
        return content
    }

    @Test("a first copy to another region is full, the next moves only what changed; both have the source's bytes")
    func incremental() async throws {
        let fixture = try await RegionTests.fixture()
        let west = try RegionTests.verbs(fixture).snapshots
        let volume = try await fixture.volume(.mebibytes(8))
        for block in 0..<512 { try await fixture.write(volume, block..<block + 1, UInt8(block % 251 + 1)) }
        let first = try await fixture.snapshot(volume)
        try await fixture.write(volume, 7..<9, 250)
        let second = try await fixture.snapshot(volume)

        let begun = try await Self.copy(first, fixture)
        #expect(
            begun.volumeId == SnapshotView.noVolume && begun.copyOf == CopyOrigin(region: Self.east, snapshotId: first))
        let one = try await west.wait(for: begun.id)
        let two = try await west.wait(for: try await Self.copy(second, fixture).id)
        #expect(one.changedBytes == 2 << 20 && one.parentId == nil)
        #expect(two.changedBytes == 2 * 4096 && two.parentId == one.id)
        #expect(try #require(two.storedBytes) < 64 << 10)
        #expect(two.volumeSizeBytes == 8 << 20 && two.name == "copy" && two.state == .completed)
        #expect(try await Self.restore(one.id, fixture) == fixture.look(snapshot: first))
        #expect(try await Self.restore(two.id, fixture) == fixture.look(snapshot: second))
        #expect(try await west.verify(two.id).isSound)

        // An older one after a newer one; and without the older source there is nothing to compare with but hashes.
        try await fixture.snapshots.delete(second)
        let third = try await west.wait(for: try await Self.copy(first, fixture).id)
        #expect(third.parentId == two.id && third.changedBytes == 2 * 4096)
        #expect(try await Self.restore(third.id, fixture) == fixture.look(snapshot: first))
        #expect(try await west.list().count == 3)
        #expect(try await fixture.snapshots.list(of: volume).map(\.id) == [first])
        await fixture.house.close()
    }

    @Test("a copy in the same region moves nothing, and outlives its source")
    func sameRegion() async throws {
        let fixture = try await RegionTests.fixture()
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<100, 5)
        let source = try await fixture.snapshot(volume)
        let made = try await fixture.snapshots.copy(CopySnapshot(source))
        let copy = try await fixture.snapshots.wait(for: made.id)
        #expect(copy.storedBytes == 0 && copy.changedBytes == 0 && copy.parentId == source)
        try await fixture.snapshots.delete(source)
        try await fixture.quiet()
        _ = try await fixture.house.store.reclaim(grace: .zero)
        _ = try await fixture.house.store.reclaim(grace: .zero)
        #expect(try await fixture.restore(copy.id)[0..<101] == ArraySlice([UInt8](repeating: 5, count: 100) + [0]))
        // The volume goes on from what is left.
        try await fixture.write(volume, 200..<201, 9)
        let next = try await fixture.snapshot(volume)
        #expect(try await fixture.restore(next)[200] == 9)
        await fixture.house.close()
    }

    @Test(
        "encrypted copies: of what is in the clear if asked for, of what is encrypted always; each region has its own keys"
    )
    func encryption() async throws {
        let scratch = try ScratchDirectory("varve-copies")
        let fixture = try await HouseFixture(holding: scratch, at: scratch.path + "/data") { plan in
            plan.moreRegions = [RegionPlan(region: Region(name: RegionTests.west))]
            plan.scrubEvery = nil
        }
        let west = try RegionTests.verbs(fixture).snapshots
        let clear = try await fixture.volume(), sealed = try await fixture.volume(encryption: VolumeEncryption())
        for volume in [clear, sealed] { try await fixture.write(volume, 0..<50, 3) }
        for (volume, asks) in [(clear, true), (sealed, false)] {
            let source = try await fixture.snapshot(volume)
            let one = try await west.wait(for: try await Self.copy(source, fixture, encrypted: asks).id)
            #expect(one.encrypted && one.keyId != nil)
            try await fixture.write(volume, 60..<61, 4)
            let later = try await fixture.snapshot(volume)
            let two = try await west.wait(for: try await Self.copy(later, fixture, encrypted: asks).id)
            #expect(two.encrypted && two.parentId == one.id && two.changedBytes == 4096)
            #expect(try await Self.restore(two.id, fixture) == fixture.look(snapshot: later))
            // Without encryption asked for, or with, in the same region.
            var here = CopySnapshot(source)
            here.encryption = VolumeEncryption()
            let copy = try await fixture.snapshots.wait(for: try await fixture.snapshots.copy(here).id)
            #expect(copy.encrypted)
            #expect(asks ? copy.changedBytes == 50 * 4096 : copy.changedBytes == 0)
            // What is encrypted otherwise is no content for the volume to go back to.
            _ = try await fixture.volumes.detach(volume)
            let back = await refusal { try await fixture.volumes.rollBack(volume, to: copy.id) }
            #expect(back == (asks ? .invalid : nil))
        }
        // What the account settled for a region holds for what is copied there.
        _ = try await RegionTests.verbs(fixture).accounts.set(encryptsByDefault: true)
        let settled = try await Self.copy(try await fixture.snapshot(clear), fixture)
        #expect(try await west.wait(for: settled.id).encrypted)
        var strange = CopySnapshot(try await fixture.snapshot(clear), from: Self.east)
        strange.encryption = VolumeEncryption(key: "01234567-89ab-cdef-0123-456789abcdef")
        #expect(await refusal { try await west.copy(strange) } == .invalid)
        await fixture.house.close()
    }

    @Test("what is not there, not done, or another account's: refused at once, or an error in the same words")
    func faults() async throws {
        let fixture = try await RegionTests.fixture()
        let account = try await fixture.house.accounts.create(named: "others").id
        let stranger = Caller(account: account, principal: "eve", role: .administrator)
        let strangers = try RegionTests.verbs(fixture, for: stranger).snapshots
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<10, 1)
        let source = try await fixture.snapshot(volume)
        var reasons: Set<String> = []
        for id in [source, "snap-0123456789abcdef0"] {
            var request = CopySnapshot(id, from: Self.east)
            #expect(await refusal { try await strangers.copy(request) } == .missing)
            request.needsSource = false
            let made = try await strangers.copy(request)
            #expect(made.state == .pending && made.volumeSizeBytes == 0)
            #expect(await refusal { try await strangers.wait(for: made.id) } == .wrongState)
            let failed = try await strangers.find(made.id)
            #expect(failed.volumeSizeBytes == 0 && failed.volumeId == SnapshotView.noVolume)
            reasons.insert(failed.reason ?? "")
            try await strangers.delete(made.id)
        }
        #expect(reasons == [CopyFault.noSource.rawValue])
        #expect(try await strangers.list().isEmpty)
        // Shared, it may be copied, and of the owner nothing is told.
        _ = try await fixture.snapshots.share(source, SharingChange(adding: [account]))
        let shared = try await strangers.wait(for: try await strangers.copy(CopySnapshot(source, from: Self.east)).id)
        #expect(shared.ownerId == account && shared.volumeId == SnapshotView.noVolume)
        #expect(await refusal { try await RegionTests.verbs(fixture).snapshots.show(shared.id) } == .missing)
        #expect(await refusal { try await strangers.copy(CopySnapshot(source, from: "eu-1")) } == .invalid)
        let reader = Caller(account: account, principal: "ann", role: .reader)
        let looks = try RegionTests.verbs(fixture, for: reader).snapshots
        #expect(await refusal { try await looks.copy(CopySnapshot(source, from: Self.east)) } == .forbidden)

        try fixture.hideStore()
        let pending = try await fixture.snapshot(volume, wait: false)
        #expect(await refusal { try await Self.copy(pending, fixture) } == .wrongState)
        var request = CopySnapshot(pending, from: Self.east)
        request.needsSource = false
        let west = try RegionTests.verbs(fixture).snapshots
        let made = try await west.copy(request)
        #expect(await refusal { try await west.wait(for: made.id) } == .wrongState)
        #expect(try await west.find(made.id).reason == CopyFault.incompleteSource.rawValue)
        try fixture.showStore()
        await fixture.house.close()
    }

    @Test(
        "while the source's store is away a copy waits: nothing can be made of it, its source stays, and it can be cancelled"
    )
    func waitsAndIsCancelled() async throws {
        let fixture = try await RegionTests.fixture()
        let west = try RegionTests.verbs(fixture)
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<10, 1)
        let source = try await fixture.snapshot(volume)
        try fixture.hideStore()
        try await fixture.reopen()
        let (first, second) = (try await Self.copy(source, fixture).id, try await Self.copy(source, fixture).id)
        _ = west
        let now = try RegionTests.verbs(fixture)
        try await fixture.eventually("it says why it waits") {
            try await now.snapshots.find(first).reason?.contains("store") == true
        }
        #expect(
            await refusal { try await now.volumes.create(CreateVolume(size: nil, origin: .snapshot(first))) }
                == .wrongState)
        #expect(await refusal { try await now.snapshots.attach(first) } == .wrongState)
        // For its owner the source is gone at once; what the copy needs stays.
        try await fixture.snapshots.delete(source)
        #expect(await refusal { try await fixture.snapshots.show(source) } == .missing)
        try await now.snapshots.delete(second)
        #expect(await refusal { try await now.snapshots.find(second) } == .missing)
        try await fixture.reopen()
        try fixture.showStore()
        fixture.house.store.retryUploads()
        let again = try RegionTests.verbs(fixture)
        again.store.retryUploads()
        #expect(try await again.snapshots.wait(for: first).changedBytes == 10 * 4096)
        try await fixture.quiet()
        #expect(try await again.snapshots.list().map(\.id) == [first])
        #expect(try await Self.restore(first, fixture)[0..<11] == ArraySlice([UInt8](repeating: 1, count: 10) + [0]))
        await fixture.house.close()
    }

    @Test("a token makes one copy; at most 20 are under way")
    func limits() async throws {
        let fixture = try await RegionTests.fixture()
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<10, 1)
        let source = try await fixture.snapshot(volume)
        try fixture.hideStore()
        try await fixture.reopen()
        let one = try await Self.copy(source, fixture, token: "once")
        #expect(try await Self.copy(source, fixture, token: "once").id == one.id)
        for _ in 1..<20 { _ = try await Self.copy(source, fixture) }
        #expect(await refusal { try await Self.copy(source, fixture) } == .limitExceeded)
        let west = try RegionTests.verbs(fixture).snapshots
        try await west.delete(one.id)
        #expect(await refusal { try await Self.copy(source, fixture, token: "once") } == .missing)
        _ = try await Self.copy(source, fixture)
        try fixture.showStore()
        for region in [fixture.house.store, try RegionTests.verbs(fixture).store] { region.retryUploads() }
        for copy in try await west.list() { _ = try await west.wait(for: copy.id) }
        // One is full; the others follow it, one after another.
        let copies = try await west.list()
        #expect(copies.count == 20 && copies.count { $0.changedBytes == 10 * 4096 } == 1)
        #expect(copies.count { $0.changedBytes == 0 } == 19)
        await fixture.house.close()
    }
}

/// Ends the process at every step of a copy.
@Suite(.serialized) struct CopyCrashSerialTests {
    @Test(
        "after a kill at any step a copy goes on, and one that was deleted stays so",
        arguments: [
            "copy.recorded", "copy.looked", "copy.begun", "upload.pack.put", "upload.pack.recorded",
            "upload.manifest.before",
            "upload.manifest.after", "copy.uploaded", "copy.completed", "delete-snapshot.copy.cancelled",
        ])
    func kill(at point: String) async throws {
        let scratch = try ScratchDirectory("varve-copy-crash")
        let path = scratch.path
        await #expect(processExitsWith: .signal(9), "\(point) is never reached") {
            [path = path as String, point = point as String] in
            try await CopyCrashScript(path: path).run(dyingAt: point)
        }
        let fixture = try await CopyCrashScript.open(path)
        let west = try RegionTests.verbs(fixture).snapshots
        let source = try #require(try await fixture.snapshots.list().first).id
        try await fixture.eventually("every copy ends") {
            try await west.list().allSatisfy { $0.state != .pending }
        }
        let copies = try await west.list()
        if point.hasPrefix("delete") {
            #expect(copies.isEmpty)
        } else {
            #expect(copies.map(\.state) == [.completed])
            let copy = try #require(copies.first)
            #expect(copy.changedBytes == 4 << 20 && copy.copyOf?.snapshotId == source)
            #expect(try await west.verify(copy.id).isSound)
            let volumes = try RegionTests.verbs(fixture).volumes
            let made = try await volumes.create(CreateVolume(size: nil, origin: .snapshot(copy.id)))
            _ = try await volumes.attach(made.id)
            #expect(try await fixture.look(made.id) == fixture.look(snapshot: source))
        }
        let tasks = try RegionTests.verbs(fixture).tasks
        try await fixture.eventually("every task ends") {
            try await tasks.list().allSatisfy { $0.state != .running && $0.state != .waiting }
        }
        await fixture.house.close()
    }

    @Test(
        "what its parent is found to have lost a copy stores anew, or all of it if nobody can say what that is",
        arguments: [false, true])
    func parentLost(all: Bool) async throws {
        let scratch = try ScratchDirectory("varve-copy-crash")
        await #expect(processExitsWith: .success) { [path = scratch.path as String, all = all as Bool] in
            let fixture = try await CopyCrashScript.open(path)
            let volume = try await fixture.volume(.mebibytes(1))
            try await fixture.write(volume, 0..<50, 1)
            let west = try RegionTests.verbs(fixture)
            let first = try await west.snapshots.copy(
                CopySnapshot(try await fixture.snapshot(volume), from: "us-east-1"))
            _ = try await west.snapshots.wait(for: first.id)
            try await fixture.write(volume, 60..<61, 2)
            let source = try await fixture.snapshot(volume)
            // The first copy's data go when the second one has been settled to build on it.
            let house = try #require(fixture.house.household.neighbours[RegionTests.west])
            let mark = DamageRecord(
                snapshotID: first.id, at: WallTime(milliseconds: 1), bytes: ByteCount(50 * 4096), isMapDamaged: all,
                runs: [BlockRange(from: BlockIndex(0), to: BlockIndex(50))], packs: [], problems: ["lost"])
            let packs = fixture.data + "/regions/us-west-2/store/packs/" + first.id
            // The first one has the data, the other one the map.
            let gone = all ? packs : packs + "/" + (try #require(try LocalDisk().list(packs).sorted().first))
            Failpoint.observe { point in
                guard point == "copy.begun" else { return }
                try? house.catalog.changeWaiting { try $0.mark(mark) }
                try? LocalDisk().rename(gone, to: path + "/lost")
            }
            let second = try await west.snapshots.copy(CopySnapshot(source, from: "us-east-1"))
            let copy = try await west.snapshots.wait(for: second.id)
            #expect(copy.parentId == (all ? nil : first.id))
            let made = try await west.volumes.create(CreateVolume(size: nil, origin: .snapshot(second.id)))
            _ = try await west.volumes.attach(made.id)
            #expect(try await fixture.look(made.id) == fixture.look(snapshot: source))
            await fixture.house.close()
        }
    }
}

/// What the child does.
struct CopyCrashScript: Sendable {
    let path: String

    static func open(_ path: String) async throws -> HouseFixture {
        try await HouseFixture(at: path + "/data") { plan in
            plan.moreRegions = [RegionPlan(region: Region(name: RegionTests.west))]
            plan.scrubEvery = nil
        }
    }

    func run(dyingAt point: String) async throws {
        let fixture = try await Self.open(path)
        let volume = try await fixture.volume(.mebibytes(4))
        for block in 0..<1024 { try await fixture.write(volume, block..<block + 1, UInt8(block % 250 + 1)) }
        let source = try await fixture.snapshot(volume)
        let west = try RegionTests.verbs(fixture).snapshots
        if point.hasPrefix("delete") {
            try fixture.hideStore()
            try await fixture.reopen()
        }
        Failpoint.observe { if $0 == point { Machine.killSelf() } }
        let service = point.hasPrefix("delete") ? try RegionTests.verbs(fixture).snapshots : west
        let copy = try await service.copy(CopySnapshot(source, from: "us-east-1"))
        if point.hasPrefix("delete") {
            // So that the next start finds it.
            try fixture.showStore()
            try await service.delete(copy.id)
        }
        _ = try await service.wait(for: copy.id)
        // It dies once it comes to it.
        try await Task.sleep(for: .seconds(60))
    }
}
