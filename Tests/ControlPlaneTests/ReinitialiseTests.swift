import Blocks
import ControlPlane
import TestSupport
import Testing

@Suite struct ReinitialiseTests {
    @Test("an empty volume is zeros again, and its snapshots hold what they held", arguments: [false, true])
    func empty(isPending: Bool) async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<64, 5)
        let content = try await fixture.look(volume)
        if isPending { try fixture.hideStore() }
        let snapshot = try await fixture.snapshot(volume, wait: !isPending)
        try await fixture.write(volume, 3..<40, 9)
        #expect(await refusal { try await fixture.volumes.reinitialise(volume) } == .inUse)
        _ = try await fixture.volumes.detach(volume)
        let view = try await fixture.volumes.reinitialise(volume)
        #expect(view.id == volume && view.state == .available && view.originSnapshotId == nil)
        if isPending { try fixture.showStore() }
        _ = try await fixture.snapshots.wait(for: snapshot)
        try await fixture.reopen()
        _ = try await fixture.volumes.attach(volume)
        #expect(try await fixture.look(volume) == [UInt8](repeating: 0, count: 256))
        try await fixture.write(volume, 7..<8, 3)
        let next = try await fixture.snapshot(volume)
        #expect(try await fixture.restore(snapshot) == content)
        #expect(try await fixture.restore(next) == (0..<256).map { $0 == 7 ? 3 : 0 })
        try await fixture.eventually("the old files are gone") {
            try LocalDisk().list(fixture.data + "/volumes") == [try await fixture.folder(of: volume)]
        }
        await fixture.house.close()
    }

    @Test("a volume of a snapshot has that one's content again, what it has grown by is zeros, and later ones stay")
    func ofSnapshot() async throws {
        let fixture = try await HouseFixture()
        let first = try await fixture.volume()
        try await fixture.write(first, 0..<64, 5)
        let content = try await fixture.look(first)
        let origin = try await fixture.snapshot(first)
        let instance = try await fixture.house.instances.launch(NewInstances())[0].id
        let volume = try await fixture.volumes.create(CreateVolume(size: nil, origin: .snapshot(origin))).id
        let disk = try await fixture.house.instances.attach(volume, to: instance)
        try await fixture.write(volume, 0..<200, 8)
        let later = try await fixture.snapshot(volume)
        let changed = try await fixture.look(volume)
        _ = try await fixture.volumes.resize(volume, to: .mebibytes(2))
        #expect(await refusal { try await fixture.volumes.reinitialise(volume) } == .inUse)
        _ = try await fixture.house.instances.set(.stopped, of: instance)
        let view = try await fixture.volumes.reinitialise(volume)
        #expect(view.attachment?.host == instance && view.attachment?.device == disk.device)
        #expect(view.sizeBytes == 2 << 20 && view.originSnapshotId == origin)
        #expect(try await fixture.look(volume) == content + [UInt8](repeating: 0, count: 256))
        #expect(try await fixture.restore(later) == changed)
        try await fixture.write(volume, 300..<301, 4)
        let next = try await fixture.snapshot(volume)
        var expected = content + [UInt8](repeating: 0, count: 256)
        expected[300] = 4
        #expect(try await fixture.restore(next) == expected)
        await fixture.house.close()
    }

    @Test("what was imported is not made zeros of")
    func imported() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volumes.beginImport(size: .mebibytes(1), name: nil).id
        try await fixture.volumes.fill(volume, at: 0, with: [UInt8](repeating: 6, count: 4096))
        _ = try await fixture.volumes.finishImport(volume)
        try await fixture.reopen()
        #expect(await refusal { try await fixture.volumes.reinitialise(volume) } == .missing)
        _ = try await fixture.volumes.attach(volume)
        #expect(try await fixture.look(volume)[0...1] == [6, 0])
        await fixture.house.close()
    }

    @Test("a disk of an image that is shared has the image's content again, though its snapshot is not shared")
    func ofSharedImage() async throws {
        let fixture = try await HouseFixture()
        let theirs = try await fixture.otherAccount().verbs
        let volume = try await theirs.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let snapshot = try await theirs.snapshots.create(CreateSnapshot(volume: volume)).id
        _ = try await theirs.snapshots.wait(for: snapshot)
        let image = try await ImageTests.register(snapshot, "base", theirs.images).id
        _ = try await theirs.images.share(image, SharingChange(adding: [Caller.root.account]))
        var request = NewInstances()
        request.imageID = image
        let instance = try await fixture.house.instances.launch(request)[0]
        let disk = try #require(instance.disks.first).volumeId
        try await fixture.write(disk, 0..<8, 9)
        _ = try await fixture.house.instances.set(.stopped, of: instance.id)
        _ = try await fixture.volumes.reinitialise(disk)
        #expect(try await fixture.look(disk)[0] == 0)
        _ = try await theirs.images.share(image, SharingChange(removing: [Caller.root.account]))
        #expect(await refusal { try await fixture.volumes.reinitialise(disk) } == .missing)
        await fixture.house.close()
    }

    @Test("where what it was made with is gone, nothing changes")
    func refusals() async throws {
        let fixture = try await HouseFixture()
        let first = try await fixture.volume()
        try await fixture.write(first, 0..<64, 5)
        let origin = try await fixture.snapshot(first)
        let volume = try await fixture.volumes.create(CreateVolume(size: nil, origin: .snapshot(origin))).id
        let copy = try await fixture.volumes.create(CreateVolume(size: nil, origin: .volume(first))).id
        try await fixture.eventually("everything is here") {
            try await fixture.volumes.show(volume).hydration.isComplete
        }
        try await fixture.snapshots.delete(origin)
        #expect(await refusal { try await fixture.volumes.reinitialise(volume) } == .missing)
        #expect(await refusal { try await fixture.volumes.reinitialise(copy) } == .missing)
        #expect(await refusal { try await fixture.volumes.reinitialise("vol-00000000000000000") } == .missing)
        #expect(await refusal { try await fixture.volumes.reinitialise("x") } == .invalid)
        let (_, others) = try await fixture.otherAccount()
        #expect(await refusal { try await others.volumes.reinitialise(first) } == .missing)
        _ = try await fixture.volumes.attach(volume)
        #expect(try await fixture.look(volume) == (0..<256).map { $0 < 64 ? 5 : 0 })
        await fixture.house.close()
    }
}

extension HouseFixture {
    /// The only folder of files that there is to be.
    fileprivate func folder(of volume: String) async throws -> String {
        try #require(try LocalDisk().list(data + "/volumes").last)
    }
}
