import Blocks
import Catalog
import Simulation
import TestSupport
import Testing

@testable import ControlPlane

/// Images: what holds a snapshot, what an instance gets, who may use what.
@Suite struct ImageTests {
    /// An instance with two disks that hold different bytes.
    static func instance(_ fixture: HouseFixture) async throws -> InstanceView {
        var request = NewInstances()
        request.disks = ["/dev/sda1", "/dev/sdf"].map { device in
            NewInstances.Disk(device: device, volume: CreateVolume(size: .mebibytes(1)), goesWithInstance: true)
        }
        let made = try await fixture.house.instances.launch(request)[0]
        for (index, disk) in made.disks.enumerated() { try await fixture.write(disk.volumeId, 0..<8, UInt8(index + 1)) }
        return made
    }

    static func available(_ fixture: HouseFixture, _ id: String, _ images: ImageService) async throws -> ImageView {
        try await fixture.eventually("\(id) is available") { try await images.show(id).state != .pending }
        let image = try await images.show(id)
        #expect(image.state == .available, "\(image.reason ?? "")")
        return image
    }

    private static func disk(_ snapshot: String, _ device: String = "/dev/sda1") -> NewImage.Disk {
        NewImage.Disk(device, snapshot: snapshot)
    }

    static func register(_ snapshot: String, _ name: String, _ images: ImageService) async throws -> ImageView {
        try await images.register(
            NewImage(ImageNames(name), rootDevice: "/dev/sda1", disks: [disk(snapshot)]))
    }

    @Test("an image of an instance is one cut of its disks, and an instance of it has what they held then")
    func ofAnInstance() async throws {
        let fixture = try await HouseFixture()
        let images = fixture.house.images
        let host = try await Self.instance(fixture)
        var names = ImageNames("base", description: "words")
        names.tags = ["k": "v"]
        names.snapshotTags = ["s": "t"]
        let made = try await images.create(NewImageOfInstance(names, of: host.id))
        #expect(made.sourceInstanceId == host.id && made.tags == ["k": "v"] && made.rootDevice == "/dev/sda1")
        for disk in host.disks { try await fixture.write(disk.volumeId, 0..<8, 99) }
        let image = try await Self.available(fixture, made.id, images)
        #expect(image.disks.map(\.device) == ["/dev/sda1", "/dev/sdf"] && image.disks.allSatisfy(\.goesWithInstance))
        let snapshots = try await fixture.snapshots.list()
        #expect(Set(snapshots.map(\.id)) == Set(image.disks.compactMap(\.snapshotId)))
        #expect(Set(snapshots.map(\.groupId)).count == 1 && snapshots.allSatisfy { $0.groupId != nil })
        #expect(snapshots.allSatisfy { $0.tags == ["s": "t"] })
        let task = try await fixture.house.tasks.list().first { $0.kind == .createImage }
        #expect(task?.subjectId == made.id)

        var launch = NewInstances(imageID: image.id)
        launch.volumeTags = ["of": "image"]
        let copy = try await fixture.house.instances.launch(launch)[0]
        #expect(copy.disks.map(\.device) == ["/dev/sda1", "/dev/sdf"] && copy.imageId == image.id)
        #expect(try await fixture.look(copy.disks[0].volumeId).prefix(9) == [1, 1, 1, 1, 1, 1, 1, 1, 0])
        #expect(try await fixture.look(copy.disks[1].volumeId).prefix(9) == [2, 2, 2, 2, 2, 2, 2, 2, 0])
        #expect(try await fixture.volumes.show(copy.disks[0].volumeId).tags == ["of": "image"])
        // One left out, one replaced, one beside.
        var other = NewInstances(imageID: image.id)
        other.leavingOut = ["/dev/xvdf"]
        other.disks = [
            NewInstances.Disk(device: "/dev/sdg", volume: CreateVolume(size: .mebibytes(2)), goesWithInstance: true)
        ]
        let second = try await fixture.house.instances.launch(other)[0]
        #expect(second.disks.map(\.device) == ["/dev/sda1", "/dev/sdg"])
        await fixture.house.close()
    }

    @Test("a snapshot that an image needs stays until the image is deregistered, and goes with it if so asked")
    func inUse() async throws {
        let fixture = try await HouseFixture()
        let images = fixture.house.images
        let snapshot = try await fixture.snapshot(try await fixture.volume())
        let first = try await Self.register(snapshot, "one", images)
        let second = try await Self.register(snapshot, "two", images)
        let refused = await #expect(throws: ServiceError.self) { try await fixture.snapshots.delete(snapshot) }
        #expect(
            refused?.code == .inUse && refused?.noun == .snapshot
                && refused?.message == "The snapshot \(snapshot) is currently in use by \(first.id)")
        #expect(try await fixture.snapshots.show(snapshot).state == .completed)
        #expect(
            try await images.deregister(first.id, deletingSnapshots: true)
                == [DeletedImageSnapshot(snapshotId: snapshot, outcome: .needed)])
        #expect(await refusal { try await images.show(first.id) } == .missing)
        #expect(await refusal { try await images.deregister(first.id) } == .wrongState)
        #expect(
            try await images.deregister(second.id, deletingSnapshots: true)
                == [DeletedImageSnapshot(snapshotId: snapshot, outcome: .deleted)])
        #expect(await refusal { try await fixture.snapshots.show(snapshot) } == .missing)
        #expect(try await images.list().isEmpty)
        #expect(
            await refusal { try await fixture.house.instances.launch(NewInstances(imageID: second.id)) } == .wrongState)
        await fixture.house.close()
    }

    @Test("what makes no image is refused, and nothing of it stays")
    func refusals() async throws {
        let fixture = try await HouseFixture()
        let images = fixture.house.images
        let snapshot = try await fixture.snapshot(try await fixture.volume())
        _ = try await Self.register(snapshot, "taken", images)
        for name in ["", "ab", "a\u{e9}b", "a;bc", String(repeating: "x", count: 129)] {
            #expect(await refusal { try await Self.register(snapshot, name, images) } == .invalid, "\(name)")
        }
        #expect(await refusal { try await Self.register(snapshot, "taken", images) } == .inUse)
        #expect(await refusal { try await Self.register("snap-00000000000000001", "new", images) } == .missing)
        let odd: [[NewImage.Disk]] = [
            [], [NewImage.Disk("/dev/sda1", snapshot: nil, size: .mebibytes(1))], [Self.disk(snapshot, "/dev/sdf")],
            [Self.disk(snapshot), Self.disk(snapshot, "/dev/xvda1")], [Self.disk(snapshot), Self.disk(snapshot, "x")],
            [NewImage.Disk("/dev/sda1", snapshot: snapshot, size: ByteCount(4096))],
            [Self.disk(snapshot), NewImage.Disk("/dev/sdf", snapshot: nil)],
        ]
        for disks in odd {
            let request = NewImage(ImageNames("new"), rootDevice: "/dev/sda1", disks: disks)
            #expect(await refusal { try await images.register(request) } == .invalid, "\(disks.map(\.device))")
        }
        let host = try await fixture.house.instances.launch(NewInstances())[0].id
        #expect(
            await refusal { try await images.create(NewImageOfInstance(ImageNames("new"), of: host)) } == .wrongState)
        let full = try await Self.instance(fixture)
        #expect(
            await refusal { try await images.create(NewImageOfInstance(ImageNames("taken"), of: full.id)) } == .inUse)
        #expect(try await images.list().map(\.name) == ["taken"])
        #expect(try await fixture.snapshots.list().map(\.id) == [snapshot], "nothing was cut")
        #expect(try await fixture.house.tasks.list().allSatisfy { $0.kind != .createImage })
        await fixture.house.close()
    }

    @Test("others may launch what is shared with them, and neither change it nor read its snapshots otherwise")
    func sharing() async throws {
        let fixture = try await HouseFixture()
        let images = fixture.house.images
        let account = try await fixture.house.accounts.create(named: "others").id
        let stranger = fixture.house.verbs(for: Caller(account: account, principal: "eve", role: .administrator))
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<4, 7)
        let snapshot = try await fixture.snapshot(volume)
        let image = try await Self.register(snapshot, "base", images)
        #expect(await refusal { try await stranger.images.show(image.id) } == .missing)
        #expect(await refusal { try await stranger.images.deregister(image.id) } == .missing)
        #expect(try await stranger.instances.launch(NewInstances(imageID: image.id))[0].disks.isEmpty)
        #expect(await refusal { try await Self.register(snapshot, "mine", stranger.images) } == .missing)

        let shared = try await images.share(image.id, SharingChange(adding: [account]))
        #expect(shared.sharing == SnapshotSharing(accounts: [account]))
        let seen = try await stranger.images.show(image.id)
        #expect(seen.sharing == SnapshotSharing(accounts: [account]) && seen.protection == nil && seen.tags == nil)
        #expect(try await stranger.images.list().map(\.id) == [image.id])
        let launched = try await stranger.instances.launch(NewInstances(imageID: image.id))[0]
        #expect(try await fixture.look(launched.disks[0].volumeId).prefix(5) == [7, 7, 7, 7, 0])
        #expect(await refusal { try await stranger.snapshots.show(snapshot) } == .missing)
        #expect(
            await refusal { try await stranger.images.copy(CopyImage(ImageNames("mine"), of: image.id)) } == .forbidden)
        #expect(await refusal { try await stranger.images.share(image.id, SharingChange(isPublic: true)) } == .missing)
        #expect(await refusal { try await stranger.images.describe(image.id, as: "x") } == .missing)

        _ = try await images.set(blocksNewSharing: true)
        #expect(await refusal { try await images.share(image.id, SharingChange(isPublic: true)) } == .forbidden)
        _ = try await images.set(blocksNewSharing: false)
        #expect(try await images.share(image.id, SharingChange(isPublic: true)).sharing?.isPublic == true)
        #expect(
            try await stranger.images.show(image.id).sharing == SnapshotSharing(isPublic: true, accounts: [account]))
        // Disabled, it is nobody's any more, also when it is enabled again.
        _ = try await images.set(isDisabled: true, of: image.id)
        #expect(await refusal { try await stranger.images.show(image.id) } == .missing)
        #expect(
            await refusal { try await fixture.house.instances.launch(NewInstances(imageID: image.id)) } == .wrongState)
        #expect(await refusal { try await fixture.snapshots.delete(snapshot) } == .inUse)
        #expect(try await images.set(isDisabled: false, of: image.id).sharing == nil)
        await fixture.house.close()
    }

    @Test("an image that is protected stays, for a day more if so settled; one that is deprecated says so in its time")
    func protection() async throws {
        let clock = ManualClock(passesSleeps: true)
        let fixture = try await HouseFixture { $0.clock = clock }
        let images = fixture.house.images
        let image = try await Self.register(try await fixture.snapshot(try await fixture.volume()), "base", images)
        _ = try await images.set(protection: .on, of: image.id)
        #expect(await refusal { try await images.deregister(image.id) } == .locked)
        _ = try await images.set(protection: .cooldown, of: image.id)
        let until = try #require(try await images.set(protection: .off, of: image.id).protectedUntil)
        #expect(await refusal { try await images.deregister(image.id) } == .locked)
        clock.set(until)
        let soon = until + .seconds(3600)
        #expect(await refusal { try await images.set(deprecatedAt: until + .seconds(-60), of: image.id) } == .invalid)
        let settled = try #require(try await images.set(deprecatedAt: soon, of: image.id).deprecatedAt)
        #expect(settled.milliseconds.isMultiple(of: 60_000) && abs(settled.milliseconds - soon.milliseconds) <= 30_000)
        #expect(try await !images.show(image.id).isDeprecated)
        clock.set(settled)
        #expect(try await images.show(image.id).isDeprecated)
        #expect(try await images.set(deprecatedAt: nil, of: image.id).isDeprecated == false)
        #expect(try await images.deregister(image.id).isEmpty)
        await fixture.house.close()
    }

    @Test("an image in the bin holds no snapshot, and comes back only with all of them")
    func bin() async throws {
        let clock = ManualClock(passesSleeps: true)
        let fixture = try await HouseFixture { $0.clock = clock }
        let images = fixture.house.images, bin = fixture.house.bin
        for type in [BinRuleView.ResourceType.image, .snapshot] {
            _ = try await bin.createRule(NewBinRule(resourceType: type, days: 2))
        }
        let snapshot = try await fixture.snapshot(try await fixture.volume())
        let image = try await Self.register(snapshot, "base", images)
        #expect(try await images.deregister(image.id, deletingSnapshots: true).map(\.outcome) == [.deleted])
        #expect(try await bin.list().images.map(\.object.id) == [image.id])
        #expect(try await bin.list().snapshots.map(\.object.id) == [snapshot])
        #expect(await refusal { try await images.show(image.id) } == .missing)
        #expect(await refusal { try await bin.restoreImage(image.id) } == .wrongState)
        _ = try await bin.restoreSnapshot(snapshot)
        #expect(try await bin.restoreImage(image.id).state == .available)
        #expect(await refusal { try await fixture.snapshots.delete(snapshot) } == .inUse)
        _ = try await images.deregister(image.id)
        let leaves = try #require(try await bin.list().images.first).leavesAt
        clock.set(leaves)
        #expect(await refusal { try await bin.restoreImage(image.id) } == .missing)
        try await fixture.eventually("it is emptied") {
            try await fixture.snapshots.house.catalog.change { try $0.image(image.id) } == nil
        }
        await fixture.house.close()
    }

    @Test("a copy in another region has copies of the snapshots, once by its token, and outlives its source")
    func copies() async throws {
        let fixture = try await RegionTests.fixture()
        let west = try RegionTests.verbs(fixture)
        let host = try await Self.instance(fixture)
        let made = try await fixture.house.images.create(NewImageOfInstance(ImageNames("base"), of: host.id))
        let source = try await Self.available(fixture, made.id, fixture.house.images)
        var request = CopyImage(ImageNames("base"), of: source.id, in: "us-east-1")
        request.token = RequestToken("once", fingerprint: "x")
        request.names.snapshotTags = ["s": "t"]
        let copy = try await west.images.copy(request)
        #expect(try await west.images.copy(request).id == copy.id)
        let image = try await Self.available(fixture, copy.id, west.images)
        #expect(
            image.sourceImageId == source.id && image.sourceRegion == "us-east-1" && image.ownerId == source.ownerId)
        #expect(image.disks.map(\.device) == source.disks.map(\.device))
        let snapshots = try await west.snapshots.list()
        #expect(Set(snapshots.map(\.id)) == Set(image.disks.compactMap(\.snapshotId)))
        #expect(snapshots.allSatisfy { $0.tags == ["s": "t"] && $0.copyOf?.region == "us-east-1" })
        _ = try await fixture.house.images.deregister(source.id, deletingSnapshots: true)
        let launched = try await west.instances.launch(NewInstances(imageID: image.id))[0]
        #expect(try await fixture.look(launched.disks[1].volumeId).prefix(9) == [2, 2, 2, 2, 2, 2, 2, 2, 0])
        #expect(
            await refusal { try await west.images.copy(CopyImage(ImageNames("more"), of: source.id, in: "us-east-1")) }
                == .missing)
        await fixture.house.close()
    }

    @Test("an account's deletion takes what is left of its images")
    func accounts() async throws {
        let fixture = try await HouseFixture()
        let account = try await fixture.house.accounts.create(named: "others").id
        let verbs = fixture.house.verbs(for: Caller(account: account, principal: "eve", role: .administrator))
        let volume = try await verbs.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let snapshot = try await verbs.snapshots.create(CreateSnapshot(volume: volume)).id
        _ = try await verbs.snapshots.wait(for: snapshot)
        let image = try await Self.register(snapshot, "base", verbs.images)
        #expect(await refusal { try await fixture.house.accounts.delete(account) } == .inUse)
        _ = try await verbs.images.deregister(image.id, deletingSnapshots: true)
        try await verbs.volumes.delete(volume)
        try await fixture.eventually("the account is empty") {
            await refusal { try await fixture.house.accounts.delete(account) } == nil
        }
        #expect(try await fixture.snapshots.house.catalog.change { try $0.image(image.id) } == nil)
        await fixture.house.close()
    }

    @Test("what an image that can be launched holds is not archived, and it cannot be launched again while that is")
    func archived() async throws {
        let fixture = try await HouseFixture()
        let images = fixture.house.images, snapshots = fixture.snapshots
        let snapshot = try await fixture.snapshot(try await fixture.volume())
        let image = try await Self.register(snapshot, "base", images).id
        #expect(await refusal { try await snapshots.archive(snapshot) } == .inUse)
        _ = try await images.set(isDisabled: true, of: image)
        _ = try await snapshots.archive(snapshot)
        #expect(await refusal { try await images.set(isDisabled: false, of: image) } == .wrongState)
        #expect(await refusal { try await Self.register(snapshot, "other", images) } == .wrongState)
        // Out of it for a time only is not enough: it goes back by itself.
        _ = try await snapshots.restoreArchived(snapshot, days: 1)
        #expect(await refusal { try await images.set(isDisabled: false, of: image) } == .wrongState)
        #expect(await refusal { try await Self.register(snapshot, "other", images) } == .wrongState)
        _ = try await snapshots.restoreArchived(snapshot)
        #expect(try await images.set(isDisabled: false, of: image).state == .available)

        _ = try await fixture.house.bin.createRule(NewBinRule(resourceType: .image, days: 5))
        _ = try await images.deregister(image)
        _ = try await snapshots.archive(snapshot)
        #expect(await refusal { try await fixture.house.bin.restoreImage(image) } == .wrongState)
        _ = try await snapshots.restoreArchived(snapshot)
        #expect(try await fixture.house.bin.restoreImage(image).id == image)
        await fixture.house.close()
    }
}
