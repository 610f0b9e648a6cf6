import Blocks
import Catalog
import TestSupport
import Testing

@testable import ControlPlane

/// New disks for instances to start from.
@Suite(.serialized) struct RootTests {
    /// An instance whose first disk was made of a snapshot full of ones, and holds twos by now.
    struct Setting {
        let fixture: HouseFixture
        let instance: String
        let root: String
        let launch: String

        init(_ fixture: HouseFixture, encryption: VolumeEncryption? = nil) async throws {
            self.fixture = fixture
            let origin = try await fixture.volume(.mebibytes(1), name: "origin")
            try await fixture.write(origin, 0..<256, 1)
            launch = try await fixture.snapshot(origin)
            var volume = CreateVolume(size: .mebibytes(2), name: "root", origin: .snapshot(launch))
            volume.tags = ["Backup": "daily"]
            volume.encryption = encryption
            var request = NewInstances()
            request.disks = [NewInstances.Disk(device: "/dev/sda1", volume: volume, goesWithInstance: true)]
            let made = try await fixture.house.instances.launch(request)[0]
            (instance, root) = (made.id, made.disks[0].volumeId)
            try await fixture.write(root, 0..<64, 2)
        }

        func disk() async throws -> InstanceView.Disk {
            let disks = try await fixture.house.instances.show(instance).disks
            #expect(disks.count == 1)
            return try #require(disks.first)
        }
    }

    static func request(_ instance: String, _ content: ReplaceRootVolume.Content = .launch) -> ReplaceRootVolume {
        var request = ReplaceRootVolume(instance, with: content)
        request.token = RequestToken("once", fingerprint: "a")
        request.tags = ["k": "v"]
        return request
    }

    @Test("the new disk has the launch state, and the old one's place, size, name and tags; the old one stays")
    func launchState() async throws {
        let setting = try await Setting(HouseFixture())
        let (fixture, instances) = (setting.fixture, setting.fixture.house.instances)
        let before = try await setting.disk()
        let made = try await instances.replaceRoot(Self.request(setting.instance))
        #expect(made.state == .succeeded && made.oldVolumeId == setting.root && made.tags == ["k": "v"])
        #expect(made.snapshotId == setting.launch && made.endedAt != nil)
        let after = try await setting.disk()
        #expect(after.volumeId == made.newVolumeId && after.volumeId != setting.root)
        #expect(after.device == before.device && after.goesWithInstance && after.socket == before.socket)
        let new = try await fixture.volumes.show(after.volumeId)
        #expect(new.sizeBytes == 2 << 20 && new.name == "root" && new.tags == ["Backup": "daily"])
        let content = try await fixture.look(after.volumeId)
        #expect(content == (0..<512).map { $0 < 256 ? 1 : 0 })
        #expect(try await fixture.volumes.show(setting.root).state == .available)
        #expect(!fixture.board.names.contains(setting.root))
        #expect(try await instances.replaceRoot(Self.request(setting.instance)).id == made.id, "one token, one disk")
        var other = Self.request(setting.instance)
        other.token = RequestToken("once", fingerprint: "b")
        let wrong = other
        #expect(await refusal { try await instances.replaceRoot(wrong) } == .invalid)
        #expect(try await instances.rootReplacements() == [made])
        // Replaced by a snapshot of what came later, it still knows its launch state; and then the old disk goes.
        try await fixture.write(after.volumeId, 0..<8, 7)
        let later = try await fixture.snapshot(after.volumeId)
        let own = ReplaceRootVolume(setting.instance, with: .snapshot(later))
        #expect(try await instances.replaceRoot(own).state == .succeeded)
        #expect(try await fixture.look(setting.disk().volumeId)[7...8] == [7, 1])
        var last = ReplaceRootVolume(setting.instance, with: .launch)
        last.deletesOld = true
        let old = try await setting.disk().volumeId
        let third = try await instances.replaceRoot(last)
        #expect(third.state == .succeeded && third.snapshotId == setting.launch && third.deletesOld)
        #expect(await refusal { try await fixture.volumes.show(old) } == .missing)
        try await fixture.reopen()
        #expect(try await fixture.look(setting.disk().volumeId)[0] == 1)
        #expect(try await fixture.house.instances.rootReplacements(of: setting.instance).count == 3)
        await fixture.house.close()
    }

    @Test("of an image it is the disk that the image starts from, and as large as that at least")
    func image() async throws {
        let setting = try await Setting(HouseFixture())
        let fixture = setting.fixture
        let origin = try await fixture.volume(.mebibytes(4))
        try await fixture.write(origin, 0..<16, 9)
        let snapshot = try await fixture.snapshot(origin)
        let image = try await ImageTests.register(snapshot, "base", fixture.house.images).id
        let made = try await fixture.house.instances.replaceRoot(.init(setting.instance, with: .image(image)))
        #expect(made.state == .succeeded && made.imageId == image && made.snapshotId == snapshot)
        let disk = try await setting.disk().volumeId
        #expect(try await fixture.volumes.show(disk).sizeBytes == 4 << 20)
        #expect(try await fixture.look(disk)[15...16] == [9, 0])
        await fixture.house.close()
    }

    @Test("what cannot be is refused, and what fails leaves the old disk where it was, and nothing of the new one")
    func refusals() async throws {
        let setting = try await Setting(HouseFixture())
        let (fixture, instances) = (setting.fixture, setting.fixture.house.instances)
        func code(_ content: ReplaceRootVolume.Content, _ instance: String? = nil) async -> ServiceError.Code? {
            await refusal { try await instances.replaceRoot(.init(instance ?? setting.instance, with: content)) }
        }
        let other = try await fixture.volume()
        let foreign = try await fixture.snapshot(other)
        #expect(await code(.snapshot(foreign)) == .invalid)
        #expect(await code(.snapshot("snap-0123456789abcdef0")) == .missing)
        #expect(await code(.image("ami-0123456789abcdef0")) == .missing)
        #expect(await code(.launch, "i-0123456789abcdef0") == .missing)
        let bare = try await instances.launch(NewInstances())[0].id
        #expect(await code(.launch, bare) == .wrongState)
        _ = try await instances.set(.stopped, of: setting.instance)
        #expect(await code(.launch) == .wrongState)
        _ = try await instances.set(.running, of: setting.instance)
        let account = try await fixture.house.accounts.create(named: "others").id
        let stranger = Caller(account: account, principal: "eve", role: .administrator)
        let theirs = fixture.house.verbs(for: stranger).instances
        #expect(await refusal { try await theirs.replaceRoot(.init(setting.instance, with: .launch)) } == .missing)
        #expect(try await theirs.rootReplacements().isEmpty)
        // The new disk is more than the account may have.
        let house = fixture.house.household
        _ = try await house.catalog.change { session in
            var volume = try #require(try session.volume(setting.root))
            (volume.isPaced, volume.kind) = (true, "gp2")
            try session.update(volume)
        }
        _ = try await fixture.house.quotas.set(.gp2, to: 0)
        let failed = try await instances.replaceRoot(Self.request(setting.instance))
        #expect(failed.state == .failed && failed.reason?.contains("gib-gp2") == true)
        #expect(try await setting.disk().volumeId == setting.root)
        #expect(try await fixture.look(setting.root)[63] == 2)
        #expect(try await fixture.volumes.list().count == 3)
        #expect(try await house.catalog.change { try $0.unfinishedTasks() }.isEmpty)
        #expect(try await instances.replaceRoot(Self.request(setting.instance)).id == failed.id)
        await fixture.house.close()
    }
}
