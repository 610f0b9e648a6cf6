import Blocks
import ControlPlane
import TestSupport
import Testing

@Suite struct StoppedRollBackTests {
    @Test(
        "a volume of a stopped instance is rolled back where it is, of a running one not",
        arguments: [false, true])
    func stopped(isPending: Bool) async throws {
        let fixture = try await HouseFixture()
        let instance = try await fixture.house.instances.launch(NewInstances())[0].id
        let volume = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let disk = try await fixture.house.instances.attach(volume, to: instance)
        try await fixture.write(volume, 0..<64, 5)
        let content = try await fixture.look(volume)
        if isPending { try fixture.hideStore() }
        let snapshot = try await fixture.snapshot(volume, wait: !isPending)
        try await fixture.write(volume, 3..<40, 9)
        #expect(await refusal { try await fixture.volumes.rollBack(volume, to: snapshot) } == .inUse)
        #expect(try await fixture.look(volume) != content)
        _ = try await fixture.house.instances.set(.stopped, of: instance)
        let view = try await fixture.volumes.rollBack(volume, to: snapshot)
        #expect(view.attachment?.host == instance && view.attachment?.device == disk.device)
        _ = try await fixture.house.instances.set(.running, of: instance)
        #expect(try await fixture.look(volume) == content)
        if isPending { try fixture.showStore() }
        _ = try await fixture.snapshots.wait(for: snapshot)
        try await fixture.write(volume, 0..<2, 7)
        #expect(try await fixture.restore(snapshot) == content)
        try await fixture.reopen()
        #expect(try await fixture.house.instances.show(instance).disks.map(\.volumeId) == [volume])
    }

    @Test(
        "a volume that cannot be offered again after its roll back is attached no more, and is rolled back",
        arguments: [false, true])
    func notOffered(isPending: Bool) async throws {
        let fixture = try await HouseFixture()
        let instance = try await fixture.house.instances.launch(NewInstances())[0].id
        let volume = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
        _ = try await fixture.house.instances.attach(volume, to: instance)
        try await fixture.write(volume, 0..<64, 5)
        let content = try await fixture.look(volume)
        if isPending { try fixture.hideStore() }
        let snapshot = try await fixture.snapshot(volume, wait: !isPending)
        try await fixture.write(volume, 3..<40, 9)
        _ = try await fixture.house.instances.set(.stopped, of: instance)
        fixture.board.refuse(volume)
        #expect(await refusal { try await fixture.volumes.rollBack(volume, to: snapshot) } == .unavailable)
        #expect(try await fixture.volumes.show(volume).state == .available, "attached is what is offered")
        #expect(try await fixture.house.instances.show(instance).disks.isEmpty)
        fixture.board.refuse(volume, false)
        _ = try await fixture.house.instances.attach(volume, to: instance)
        #expect(try await fixture.look(volume) == content)
        if isPending { try fixture.showStore() }
        _ = try await fixture.snapshots.wait(for: snapshot)
    }
}
