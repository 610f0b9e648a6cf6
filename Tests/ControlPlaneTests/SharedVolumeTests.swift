import Blocks
import Testing

@testable import ControlPlane

/// Volumes that several instances have at a time.
@Suite struct SharedVolumeTests {
    private func code(_ body: () async throws -> Void) async -> ServiceError.Code? {
        await #expect(throws: ServiceError.self) { try await body() }?.code
    }

    private func shared(_ kind: String = "io2") -> CreateVolume {
        var request = CreateVolume(size: .gibibytes(4))
        request.profile = VolumeProfile(kind: kind, iops: 100, throughput: nil)
        request.isShared = true
        return request
    }

    @Test("each instance has an export of its own, which is taken from it alone; all of them are one disk, also later")
    func attaching() async throws {
        let fixture = try await HouseFixture()
        var instances: InstanceService { fixture.house.instances }
        let hosts = try await instances.launch(NewInstances(count: 3)).map(\.id)
        let volume = try await fixture.volumes.create(shared()).id
        for host in hosts { _ = try await instances.attach(volume, to: host, as: "/dev/sdf") }
        #expect(await code { _ = try await instances.attach(volume, to: hosts[1], as: "/dev/sdg") } == .inUse)
        let names = hosts.map { "\(volume).\($0)" }
        #expect(fixture.board.names == names.sorted())
        let shown = try await fixture.volumes.show(volume)
        #expect(shown.isShared && shown.state == .inUse && Set(shown.attachments.map(\.host)) == Set(hosts))
        #expect(Set(shown.attachments.map(\.exportName)) == Set(names))
        #expect(fixture.board.pace(names[0]) === fixture.board.pace(names[2]), "they share its speed")
        try await fixture.reopen()
        #expect(fixture.board.names == names.sorted())
        let bytes = [UInt8](repeating: 7, count: 4096)
        let first = try #require(fixture.board.device(names[0])), third = try #require(fixture.board.device(names[2]))
        try bytes.readBytes { (span) throws(BlockFailure) in
            try first.write(ByteRange(at: 0, count: ByteCount(4096)), from: span, durably: true)
        }
        #expect(try read(third) == bytes)
        #expect(await code { try await instances.detach(volume, from: nil, as: nil) } == .invalid)
        try await instances.detach(volume, from: hosts[1], as: nil)
        #expect(fixture.board.names == [names[0], names[2]].sorted())
        #expect(await code { try await instances.detach(volume, from: hosts[1], as: nil) } == .missing)
        #expect(await code { try await fixture.volumes.delete(volume) } == .inUse)
        _ = try await fixture.volumes.detach(volume)
        #expect(fixture.board.names.isEmpty)
        #expect(try await fixture.volumes.show(volume).state == .available)
        try await fixture.volumes.delete(volume)
    }

    private func read(_ device: any BlockDevice) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 4096)
        try bytes.writeBytes { (span) throws(BlockFailure) in
            try device.read(ByteRange(at: 0, count: ByteCount(4096)), into: &span)
        }
        return bytes
    }

    @Test("it goes with the last of the instances that it goes with")
    func terminating() async throws {
        let fixture = try await HouseFixture()
        let instances = fixture.house.instances
        let hosts = try await instances.launch(NewInstances(count: 2)).map(\.id)
        let volume = try await fixture.volumes.create(shared()).id
        for host in hosts { _ = try await instances.attach(volume, to: host, goesWithInstance: true) }
        _ = try await instances.terminate(hosts[0])
        #expect(try await fixture.volumes.show(volume).attachments.map(\.host) == [hosts[1]])
        _ = try await instances.terminate(hosts[1])
        #expect(try await fixture.volumes.list().isEmpty)
    }

    @Test("it goes with the last of them, too, when they are terminated at once")
    func terminatingAtOnce() async throws {
        let fixture = try await HouseFixture()
        let instances = fixture.house.instances, house = fixture.house.household
        let hosts = try await instances.launch(NewInstances(count: 2)).map(\.id)
        let volume = try await fixture.volumes.create(shared()).id
        for host in hosts { _ = try await instances.attach(volume, to: host, goesWithInstance: true) }
        // Both wait for the volume's lane, and whatever each does there next comes after the other's turn.
        let ends = try await house.lanes.run(volume) {
            let ends = hosts.map { host in Task { try await instances.terminate(host) } }
            for host in hosts {
                try await fixture.eventually("it is terminated") {
                    try await instances.show(host).state == .terminated
                }
            }
            try await Task.sleep(for: .milliseconds(50))
            return ends
        }
        for end in ends { _ = try await end.value }
        #expect(try await fixture.volumes.list().isEmpty)
        #expect(fixture.board.names.isEmpty)
    }

    @Test("not more than sixteen have it, and only kinds that allow it are shared")
    func limits() async throws {
        let fixture = try await HouseFixture()
        let instances = fixture.house.instances
        let hosts = try await instances.launch(NewInstances(count: 17)).map(\.id)
        let volume = try await fixture.volumes.create(shared()).id
        #expect(await code { _ = try await instances.attach(volume, to: hosts[0], as: "/dev/xvda") } == .wrongState)
        for host in hosts.dropLast() { _ = try await instances.attach(volume, to: host) }
        #expect(await code { _ = try await instances.attach(volume, to: hosts[16]) } == .limitExceeded)
        #expect(await code { _ = try await fixture.volumes.attach(volume) } == .limitExceeded)
        var wrong = CreateVolume(size: .gibibytes(4))
        wrong.isShared = true
        #expect(await code { _ = try await fixture.volumes.create(wrong) } == .invalid)
        wrong.profile = VolumeProfile(kind: "gp3", iops: nil, throughput: nil)
        #expect(await code { _ = try await fixture.volumes.create(wrong) } == .invalid)
        #expect(try await fixture.volumes.list().count == 1, "nothing is half made")
    }

    @Test("sharing is changed where the kind lets it be, and not taken from several")
    func changing() async throws {
        let fixture = try await HouseFixture()
        let volumes = fixture.volumes, instances = fixture.house.instances
        let hosts = try await instances.launch(NewInstances(count: 2)).map(\.id)
        var alone = shared()
        alone.isShared = false
        let volume = try await volumes.create(alone).id
        _ = try await instances.attach(volume, to: hosts[0], as: "/dev/sda1")
        #expect(await code { _ = try await volumes.modify(volume, ModifyVolume(isShared: true)) } == .wrongState)
        try await instances.detach(volume, from: nil, as: nil)
        _ = try await instances.attach(volume, to: hosts[0])
        #expect(await code { _ = try await instances.attach(volume, to: hosts[1]) } == .inUse)
        let change = try await volumes.modify(volume, ModifyVolume(isShared: true))
        #expect(!change.oldIsShared && change.newIsShared)
        _ = try await instances.attach(volume, to: hosts[1])
        #expect(fixture.board.names == [volume, "\(volume).\(hosts[1])"].sorted())
        let last = try await volumes.modifications().first
        #expect(last?.newIsShared == true)
        #expect(await code { _ = try await volumes.modify(volume, ModifyVolume(isShared: false)) } == .wrongState)
        let gp3 = VolumeProfile(kind: "gp3", iops: nil, throughput: nil)
        #expect(await code { _ = try await volumes.modify(volume, ModifyVolume(profile: gp3)) } == .invalid)
        #expect(try await volumes.show(volume).profile.kind == "io2", "nothing is half changed")
        try await instances.detach(volume, from: hosts[0], as: nil)
        _ = try await volumes.modify(volume, ModifyVolume(profile: gp3, isShared: false))
        #expect(try await !volumes.show(volume).isShared)
        let settled = try await volumes.create(shared("io1")).id
        #expect(await code { _ = try await volumes.modify(settled, ModifyVolume(isShared: false)) } == .invalid)
    }
}
