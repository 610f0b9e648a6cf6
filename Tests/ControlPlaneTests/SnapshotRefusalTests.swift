import Blocks
import ControlPlane
import Testing

@Suite(.serialized) struct SnapshotRefusalTests {
    @Test("where a cloud asks for it, a volume must have been attached once, to an instance or this host, for good")
    func neverAttached() async throws {
        let fixture = try await HouseFixture()
        let host = try await fixture.house.instances.launch(NewInstances())[0].id
        let disks = [512, 1024, 1536].map { CreateVolume(size: ByteCount($0)) }
        var ids: [String] = []
        for disk in disks { ids.append(try await fixture.volumes.create(disk).id) }
        func take(_ id: String) async throws -> SnapshotView {
            var request = CreateSnapshot(volume: id)
            request.terms.mustHaveBeenAttached = true
            return try await fixture.snapshots.create(request)
        }
        for id in ids {
            #expect(await refusal { try await take(id) } == .wrongState)
            #expect(try await !fixture.volumes.show(id).wasAttached)
        }
        #expect(try await fixture.snapshots.list().isEmpty)
        _ = try await fixture.house.instances.attach(ids[0], to: host)
        _ = try await fixture.volumes.attach(ids[1])
        #expect(try await take(ids[0]).state == .pending)
        try await fixture.house.instances.detach(ids[0], from: host, as: nil)
        _ = try await fixture.volumes.detach(ids[1])
        _ = try await fixture.volumes.rename(ids[0], to: "used")
        _ = try await fixture.volumes.resize(ids[0], to: 4096)
        try await fixture.reopen()
        for id in ids[..<2] {
            _ = try await take(id)
            #expect(try await fixture.volumes.show(id).wasAttached)
        }
        #expect(await refusal { try await take(ids[2]) } == .wrongState)
        // Others ask for nothing of the kind, and what is copied from it was attached as little.
        let copy = try await fixture.volumes.create(CreateVolume(size: nil, origin: .volume(ids[0])))
        #expect(!copy.wasAttached)
        _ = try await fixture.snapshot(ids[2])
        await fixture.house.close()
    }

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
