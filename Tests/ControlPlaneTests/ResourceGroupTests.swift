import Blocks
import ControlPlane
import Testing

@Suite struct ResourceGroupTests {
    @Test("everything that is made may be in a group, is moved to another or to none, and takes its entry with it")
    func life() async throws {
        let fixture = try await HouseFixture()
        let house = fixture.house
        var disk = CreateVolume(size: .mebibytes(1))
        disk.resourceGroup = "rg-1"
        let volume = try await house.volumes.create(disk).id
        var request = CreateSnapshot(volume: volume)
        request.resourceGroup = "rg-1"
        let snapshot = try await house.snapshots.create(request).id
        let members = try await house.snapshots.createGroup(
            of: [volume], name: nil, description: nil, groupTags: ["k": "v"], resourceGroup: "rg-1")
        let member = members[0].id, group = try #require(members[0].groupId)
        for id in [snapshot, member] { _ = try await house.snapshots.wait(for: id) }
        var host = NewInstances()
        host.resourceGroup = "rg-1"
        host.disks = [
            NewInstances.Disk(device: "/dev/sda1", volume: CreateVolume(size: .mebibytes(1)), goesWithInstance: true)
        ]
        let instance = try #require(try await house.instances.launch(host).first)
        let root = instance.disks[0].volumeId
        var names = ImageNames("image")
        names.resourceGroup = "rg-1"
        let image = try await house.images.create(NewImageOfInstance(names, of: instance.id))
        try await fixture.eventually("the image is available") {
            try await house.images.show(image.id).state == .available
        }
        let objects = [volume, snapshot, member, group, instance.id, root, image.id]
        let groups = house.verbs(for: .root).resourceGroups
        #expect(try await groups.all() == Dictionary(uniqueKeysWithValues: objects.map { ($0, "rg-1") }))
        #expect(try await house.snapshots.groups()[group]?.tags == ["k": "v"])
        #expect(
            await refusal { try await house.snapshots.modify(group: "group-1", name: "x", description: nil) }
                == .invalid)
        let nobodys = "group-00000000000000000"
        #expect(
            await refusal { try await house.snapshots.modify(group: nobodys, name: "x", description: nil) } == .missing)
        try await house.snapshots.modify(group: group, name: "both", description: "one cut")
        try await house.snapshots.modify(group: group, name: nil, description: "")
        let called = try await house.snapshots.groups()[group]
        #expect(called?.name == "both" && called?.description == nil)
        #expect(try await house.snapshots.find(member).name == nil)
        for id in objects {
            try await groups.move(id, to: "rg-2")
            #expect(await refusal { try await groups.move(id, to: "rg-2") } == .inUse)
        }
        try await groups.move(root, to: nil)
        #expect(await refusal { try await groups.move(root, to: nil) } == .inUse)
        try await fixture.reopen()
        let all = try await fixture.house.verbs(for: .root).resourceGroups.all()
        #expect(all.count == objects.count - 1 && Set(all.values) == ["rg-2"])
        try await Self.removeAll(fixture, instance.id, image.id)
        try await fixture.eventually("every entry is gone with its object, but the terminated instance's") {
            try await fixture.house.verbs(for: .root).resourceGroups.all().keys.allSatisfy { $0 == instance.id }
        }
        #expect(try await fixture.snapshots.groups().isEmpty)
        await fixture.house.close()
    }

    private static func removeAll(_ fixture: HouseFixture, _ instance: String, _ image: String) async throws {
        _ = try await fixture.house.images.deregister(image)
        _ = try await fixture.house.instances.terminate(instance)
        for one in try await fixture.snapshots.list() { try await fixture.snapshots.delete(one.id) }
        for one in try await fixture.volumes.list() where one.state == .available {
            try await fixture.volumes.delete(one.id)
        }
    }

    @Test("a group that cannot be, and another account's objects, are refused, and nothing is made")
    func refusals() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume()
        let groups = fixture.house.verbs(for: .root).resourceGroups
        for name in ["", "A", "a b", "a\n", String(repeating: "a", count: 65), "\u{e4}"] {
            #expect(await refusal { try await groups.move(volume, to: name) } == .invalid)
            var disk = CreateVolume(size: 512)
            disk.resourceGroup = name
            let wanted = disk
            #expect(await refusal { try await fixture.volumes.create(wanted) } == .invalid)
            var request = CreateSnapshot(volume: volume)
            request.resourceGroup = name
            let asked = request
            #expect(await refusal { try await fixture.snapshots.create(asked) } == .invalid)
        }
        #expect(try await fixture.volumes.list().count == 1)
        #expect(try await fixture.snapshots.list().isEmpty)
        let (id, others) = try await fixture.otherAccount()
        #expect(await refusal { try await others.resourceGroups.move(volume, to: "rg-1") } == .missing)
        #expect(await refusal { try await others.resourceGroups.move("task-1", to: "rg-1") } == .invalid)
        let snapshot = try await fixture.snapshot(volume)
        _ = try await fixture.snapshots.share(snapshot, SharingChange(adding: [id]))
        #expect(await refusal { try await others.resourceGroups.move(snapshot, to: "rg-1") } == .missing)
        try await groups.move(volume, to: "rg-1")
        #expect(try await others.resourceGroups.all().isEmpty)
        await fixture.house.close()
    }
}
