import Blocks
import ControlPlane
import Testing

@Suite(.serialized) struct SnapshotRefusalTests {
    @Test("a group with an unknown, repeated or missing volume makes nothing")
    func badGroup() async throws {
        let fixture = try await HouseFixture()
        let a = try await fixture.volume()
        let service = fixture.snapshots
        let unknown = "vol-00000000000000000"
        #expect(await refusal { try await service.createGroup(of: [], name: nil, description: nil) } == .invalid)
        #expect(await refusal { try await service.createGroup(of: [a, a], name: nil, description: nil) } == .invalid)
        #expect(
            await refusal { try await service.createGroup(of: [a, unknown], name: nil, description: nil) } == .missing)
        #expect(await refusal { try await service.createGroup(of: [a, "x"], name: nil, description: nil) } == .invalid)
        #expect(
            await refusal {
                try await service.create(
                    CreateSnapshot(volume: a, description: String(repeating: "d", count: 1025)))
            } == .invalid)
        #expect(try await service.list().isEmpty)
        #expect(try await fixture.volumes.show(a).pendingSnapshotIds.isEmpty)
        await fixture.house.close()
    }

    @Test(
        "unknown snapshots are missing, what is no id is invalid, for every verb",
        arguments: [
            ("snap-00000000000000000", ServiceError.Code.missing), ("snap-0", .invalid),
            ("vol-00000000000000000", .invalid),
            ("snap-0000000000000000/", .invalid), ("", .invalid),
        ])
    func unknown(id: String, code: ServiceError.Code) async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let service = fixture.snapshots
        #expect(await refusal { try await service.show(id) } == code)
        #expect(await refusal { try await service.wait(for: id) } == code)
        #expect(await refusal { try await service.watch(id) } == code)
        #expect(await refusal { try await service.attach(id) } == code)
        #expect(await refusal { try await service.detach(id) } == code)
        #expect(await refusal { try await service.diff(id, id) } == code)
        #expect(await refusal { try await service.verify(id) } == code)
        #expect(await refusal { try await service.delete(id) } == code)
        #expect(await refusal { try await fixture.volumes.rollBack(volume, to: id) } == code)
        #expect(
            await refusal { try await fixture.volumes.create(CreateVolume(size: nil, origin: .snapshot(id))) } == code)
        #expect(try await fixture.volumes.list().count == 1)
        await fixture.house.close()
    }

    @Test("a pending snapshot is neither compared nor verified; deleted, it is out of the way of a roll back")
    func notYet() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<9, 1)
        let done = try await fixture.snapshot(volume)
        try fixture.hideStore()
        try await fixture.write(volume, 0..<9, 2)
        let pending = try await fixture.snapshot(volume, wait: false)
        _ = try await fixture.volumes.detach(volume)
        #expect(await refusal { try await fixture.snapshots.diff(done, pending) } == .wrongState)
        #expect(await refusal { try await fixture.snapshots.verify(pending) } == .wrongState)
        try await fixture.snapshots.delete(pending)
        #expect(await refusal { try await fixture.volumes.rollBack(volume, to: pending) } == .missing)
        try fixture.showStore()
        try await fixture.eventually("the cancelled cut is settled") {
            try await fixture.volumes.show(volume).pendingSnapshotIds.isEmpty
        }
        _ = try await fixture.volumes.rollBack(volume, to: done)
        _ = try await fixture.volumes.attach(volume)
        #expect(try await fixture.look(volume)[0..<10] == [1, 1, 1, 1, 1, 1, 1, 1, 1, 0])
        await fixture.house.close()
    }

    @Test("a snapshot of another volume is no place to roll back to; one larger than the volume neither")
    func foreignRollBack() async throws {
        let fixture = try await HouseFixture()
        let a = try await fixture.volume(.mebibytes(1)),
            b = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let snapshot = try await fixture.snapshot(a)
        #expect(await refusal { try await fixture.volumes.rollBack(b, to: snapshot) } == .invalid)
        let smaller = CreateVolume(size: 4096, origin: .snapshot(snapshot))
        #expect(await refusal { try await fixture.volumes.create(smaller) } == .invalid)
        await fixture.house.close()
    }
}
