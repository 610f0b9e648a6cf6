import Blocks
import Catalog
import Testing

@testable import ControlPlane

@Suite struct InstanceTests {
    private static func refusal(_ body: () async throws -> Void) async -> ServiceError? {
        await #expect(throws: ServiceError.self) { try await body() }
    }

    @Test("a volume is on an instance until it is detached, under a name that no other has, also after a restart")
    func attaching() async throws {
        let fixture = try await HouseFixture()
        let instances = fixture.house.instances
        let host = try await instances.launch(NewInstances())[0].id
        let volume = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let other = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let disk = try await instances.attach(volume, to: host, as: "/dev/sdf")
        #expect(disk.device == "/dev/sdf" && !disk.goesWithInstance)
        let shown = try await fixture.volumes.show(volume)
        #expect(shown.state == .inUse && shown.attachment?.host == host && shown.attachment?.device == "/dev/sdf")
        try await fixture.write(volume, 0..<4, 5)
        #expect(
            await Self.refusal { _ = try await instances.attach(volume, to: host, as: "/dev/sdg") }?.noun == .volume)
        for taken in ["/dev/sdf", "/dev/xvdf", "sdf"] {
            let error = await Self.refusal { _ = try await instances.attach(other, to: host, as: taken) }
            #expect(error?.code == .inUse && error?.noun == .attachment, "\(taken)")
        }
        for wrong in [
            "", "/dev/", "/dev/sd", "/dev/sdF", "/dev/sdabc", "/dev/nvme0", "/dev/sda1234", "../sdf", "/dev/sdé",
        ] {
            #expect(
                await Self.refusal { _ = try await instances.attach(other, to: host, as: wrong) }?.code == .invalid,
                "\(wrong)")
        }
        #expect(try await instances.attach(other, to: host).device == "/dev/sdg")
        try await fixture.reopen()
        #expect(try await fixture.house.instances.show(host).disks.map(\.volumeId) == [volume, other])
        #expect(try await fixture.look(volume).prefix(5) == [5, 5, 5, 5, 0])
        let again = fixture.house.instances
        #expect(await Self.refusal { try await again.detach(volume, from: host, as: "/dev/sdg") }?.code == .missing)
        try await again.detach(volume, from: host, as: "/dev/xvdf")
        #expect(try await fixture.volumes.show(volume).state == .available)
        #expect(await Self.refusal { try await again.detach(volume, from: nil, as: nil) }?.code == .wrongState)
        try await fixture.volumes.delete(volume)
    }

    @Test("when an instance is terminated its disks are detached, and those that go with it are gone")
    func terminating() async throws {
        let fixture = try await HouseFixture()
        let instances = fixture.house.instances
        var request = NewInstances(count: 2)
        request.disks = [
            NewInstances.Disk(
                device: "/dev/sdf", volume: CreateVolume(size: .mebibytes(1)), goesWithInstance: true),
            NewInstances.Disk(
                device: "/dev/sdg", volume: CreateVolume(size: .mebibytes(1)), goesWithInstance: false),
        ]
        request.tags = ["Name": "db"]
        let made = try await instances.launch(request)
        #expect(made.count == 2 && made.allSatisfy { $0.disks.count == 2 && $0.tags == ["Name": "db"] })
        #expect(try await fixture.volumes.list().count == 4)
        let host = made[0].id
        _ = try await instances.set(isKept: true, of: host)
        #expect(await Self.refusal { _ = try await instances.terminate(host) }?.code == .locked)
        _ = try await instances.set(isKept: false, of: host)
        #expect(try await instances.set(.stopped, of: host).disks.count == 2)
        #expect(try await instances.terminate(host).state == .terminated)
        #expect(try await instances.terminate(host).disks.isEmpty, "again is no error")
        let left = try await fixture.volumes.list().map(\.id)
        #expect(
            left.count == 3 && left.contains(made[0].disks[1].volumeId) && !left.contains(made[0].disks[0].volumeId))
        #expect(await Self.refusal { _ = try await instances.set(.running, of: host) }?.code == .wrongState)
        #expect(await Self.refusal { _ = try await instances.attach(left[0], to: host) }?.code == .wrongState)
    }

    @Test("a launch that fails leaves no instance running and no volume")
    func failedLaunch() async throws {
        let fixture = try await HouseFixture()
        var request = NewInstances()
        let small = CreateVolume(size: .mebibytes(1))
        request.disks = [
            NewInstances.Disk(device: "/dev/sdf", volume: small, goesWithInstance: false),
            NewInstances.Disk(device: "/dev/sdg", volume: CreateVolume(size: nil), goesWithInstance: true),
        ]
        let wanted = request
        #expect(await Self.refusal { _ = try await fixture.house.instances.launch(wanted) }?.code == .invalid)
        #expect(try await fixture.house.instances.list().allSatisfy { $0.state == .terminated && $0.disks.isEmpty })
        #expect(try await fixture.volumes.list().isEmpty)
        for (count, zone) in [(0, nil), (101, nil), (1, "mars-1a")] as [(Int, String?)] {
            let wrong = NewInstances(count: count, zone: zone)
            #expect(await Self.refusal { _ = try await fixture.house.instances.launch(wrong) }?.code == .invalid)
        }
    }

    @Test("another account's instances and volumes are nobody's")
    func apart() async throws {
        let fixture = try await HouseFixture()
        let account = try await fixture.house.accounts.create(named: "builders").id
        let theirs = fixture.house.verbs(for: Caller(account: account, principal: "bob", role: .administrator))
        let host = try await fixture.house.instances.launch(NewInstances())[0].id
        let volume = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let own = try await theirs.instances.launch(NewInstances())[0].id
        let ownVolume = try await theirs.volumes.create(CreateVolume(size: .mebibytes(1))).id
        for attempt in [
            { _ = try await theirs.instances.show(host) },
            { _ = try await theirs.instances.terminate(host) },
            { _ = try await theirs.instances.set(.stopped, of: host) },
            { _ = try await theirs.instances.attach(volume, to: own) },
            { _ = try await theirs.instances.attach(ownVolume, to: host) },
            { try await theirs.instances.detach(volume, from: nil, as: nil) },
            { try await theirs.tags.set(["a": "b"], on: [host]) },
        ] as [@Sendable () async throws -> Void] {
            #expect(await Self.refusal { try await attempt() }?.code == .missing)
        }
        #expect(try await theirs.instances.list().map(\.id) == [own])
        #expect(try await fixture.house.instances.show(host).state == .running)
    }

    @Test("a volume that went elsewhere before its turn came is not deleted with the instance that had it")
    func wentElsewhere() async throws {
        let fixture = try await HouseFixture()
        let instances = fixture.house.instances, house = fixture.house.household
        let hosts = try await instances.launch(NewInstances(count: 2)).map(\.id)
        let volume = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
        _ = try await instances.attach(volume, to: hosts[1])
        // What the end of the first instance asks for when the volume comes to its turn.
        let isGone = try await DeleteVolume(house: house).begin(volume, detaching: true) { present in
            present.count == 1 && present[0].host == hosts[0] && present[0].goesWithInstance
        }
        #expect(!isGone)
        #expect(try await fixture.volumes.show(volume).attachment?.host == hosts[1])
        #expect(fixture.board.device(volume) != nil)
        _ = try await instances.terminate(hosts[0])
        #expect(try await fixture.volumes.show(volume).state == .inUse)
    }
}
