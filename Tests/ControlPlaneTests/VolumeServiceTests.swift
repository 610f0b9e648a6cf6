import Blocks
import ControlPlane
import Testing

@Suite struct VolumeServiceTests {
    @Test("a volume is made, shown, listed, renamed, grown, attached, detached and deleted")
    func life() async throws {
        let fixture = try await HouseFixture()
        let volumes = fixture.volumes
        let made = try await volumes.create(CreateVolume(size: .mebibytes(2), name: "db"))
        #expect(made.state == .available && made.name == "db" && made.sizeBytes == 2 << 20)
        #expect(made.hydration == .complete && made.dirtyBytes == 0 && made.parentSnapshotId == nil)
        #expect(try await volumes.show(made.id) == made)
        let other = try await volumes.create(CreateVolume(size: 512))
        #expect(try await volumes.list().map(\.id) == [made.id, other.id])
        #expect(try await volumes.rename(made.id, to: "ünïcode 雪").name == "ünïcode 雪")
        #expect(try await volumes.rename(made.id, to: nil).name == nil)

        let attachment = try await volumes.attach(made.id)
        #expect(attachment.exportName == made.id && attachment.uri.contains(made.id))
        #expect(try await volumes.attach(made.id) == attachment)
        #expect(try await volumes.show(made.id).state == .inUse)
        try await fixture.write(made.id, 5..<8, 9)
        #expect(try await volumes.show(made.id).dirtyBytes >= 3 * 4096)
        #expect(try await volumes.resize(made.id, to: .mebibytes(4)).sizeBytes == 4 << 20)
        #expect(try fixture.device(made.id).size == .mebibytes(4))
        #expect(await refusal { try await volumes.delete(made.id) } == .inUse)
        #expect(try await volumes.detach(made.id).state == .available)
        #expect(try await volumes.detach(made.id).attachment == nil)
        try await volumes.delete(made.id)
        #expect(await refusal { try await volumes.show(made.id) } == .missing)
        #expect(try LocalDisk().list(fixture.data + "/volumes") == [other.id])
        await fixture.house.close()
    }

    @Test("everything about a volume is there after a restart")
    func restart() async throws {
        let fixture = try await HouseFixture()
        let id = try await fixture.volume(.mebibytes(1), name: "kept")
        try await fixture.write(id, 1..<3, 4)
        _ = try await fixture.volumes.resize(id, to: .mebibytes(3))
        try await fixture.reopen()
        let view = try await fixture.volumes.show(id)
        #expect(view.name == "kept" && view.sizeBytes == 3 << 20 && view.state == .inUse && view.dirtyBytes >= 8192)
        #expect(try await fixture.look(id)[0..<4] == [0, 4, 4, 0])
        await fixture.house.close()
    }

    @Test("a volume's description is kept, changed alone or with the name, taken away, and there after a restart")
    func described() async throws {
        let fixture = try await HouseFixture()
        var request = CreateVolume(size: 512, name: "db")
        request.description = "the first"
        let made = try await fixture.volumes.create(request)
        #expect(made.description == "the first")
        let changed = try await fixture.volumes.label(made.id, VolumeLabels(description: "ünïcode 雪"))
        #expect(changed.description == "ünïcode 雪" && changed.name == "db")
        #expect(try await fixture.volumes.rename(made.id, to: "other").description == "ünïcode 雪")
        let long = String(repeating: "d", count: 1025)
        #expect(await refusal { try await fixture.volumes.label(made.id, VolumeLabels(description: long)) } == .invalid)
        request.description = "two\nlines"
        #expect(await refusal { try await fixture.volumes.create(request) } == .invalid)
        request.origin = .volume(made.id)
        #expect(await refusal { try await fixture.volumes.create(request) } == .invalid)
        request.description = "a copy"
        let copy = try await fixture.volumes.create(request)
        #expect(copy.description == "a copy")
        try await fixture.reopen()
        #expect(try await fixture.volumes.show(made.id).description == "ünïcode 雪")
        let both = try await fixture.volumes.label(made.id, VolumeLabels(name: "new", description: ""))
        #expect(both.name == "new" && both.description == nil)
        #expect(try await fixture.volumes.list().map(\.description) == [nil, "a copy"])
        let (_, others) = try await fixture.otherAccount()
        let words = VolumeLabels(description: "theirs")
        #expect(await refusal { try await others.volumes.label(made.id, words) } == .missing)
        await fixture.house.close()
    }

    private static let sizes: [(Int, Bool)] = [
        (0, false), (-512, false), (1, false), (511, false), (513, false), (512, true), (4096, true), (1_000_448, true),
        (64 << 40, true), ((64 << 40) + 512, false), (.max, false), (.min, false),
    ]

    @Test("sizes are multiples of 512 above 0 and up to 64 TiB", arguments: sizes)
    func size(bytes: Int, isGood: Bool) async throws {
        let fixture = try await HouseFixture()
        let code = await refusal { try await fixture.volumes.create(CreateVolume(size: ByteCount(bytes))) }
        #expect(code == (isGood ? nil : .invalid))
        #expect(try await fixture.volumes.list().count == (isGood ? 1 : 0))
        if !isGood {
            let id = try await fixture.volumes.create(CreateVolume(size: 512)).id
            #expect(await refusal { try await fixture.volumes.resize(id, to: ByteCount(bytes)) } == .invalid)
        }
        await fixture.house.close()
    }

    private static let names: [(String, Bool)] = [
        ("", false), ("a", true), (String(repeating: "n", count: 128), true),
        (String(repeating: "n", count: 129), false),
        (String(repeating: "雪", count: 128), true), ("line\nbreak", false), ("tab\there", false), ("nul\0", false),
        ("bell\u{7}", false), ("right\u{202e}left", false), ("spaces are fine", true),
        ("'; DROP TABLE volumes; --", true),
    ]

    @Test("names are 1 to 128 printable characters", arguments: names)
    func name(text: String, isGood: Bool) async throws {
        let fixture = try await HouseFixture()
        let code = await refusal { try await fixture.volumes.create(CreateVolume(size: 512, name: text)) }
        #expect(code == (isGood ? nil : .invalid))
        let id = try await fixture.volumes.create(CreateVolume(size: 512)).id
        #expect(await refusal { try await fixture.volumes.rename(id, to: text) } == (isGood ? nil : .invalid))
        #expect(
            await refusal { try await fixture.snapshots.create(CreateSnapshot(volume: id, name: text)) }
                == (isGood ? nil : .invalid))
        await fixture.house.close()
    }

    private static let unknownVolumes = [
        ("vol-00000000000000000", ServiceError.Code.missing), ("vol-0000000000000000", .invalid), ("", .invalid),
        ("vol-0000000000000000G", .invalid), ("snap-00000000000000000", .invalid), ("../../etc/passwd", .invalid),
        ("vol-000000000000000000", .invalid), ("vol-0000000000000000\0", .invalid), ("VOL-00000000000000000", .invalid),
    ]

    @Test("ids that do not exist are missing, what is no id is invalid", arguments: unknownVolumes)
    func unknown(id: String, code: ServiceError.Code) async throws {
        let fixture = try await HouseFixture()
        let volumes = fixture.volumes
        #expect(await refusal { try await volumes.show(id) } == code)
        #expect(await refusal { try await volumes.rename(id, to: "x") } == code)
        #expect(await refusal { try await volumes.resize(id, to: .mebibytes(1)) } == code)
        #expect(await refusal { try await volumes.attach(id) } == code)
        #expect(await refusal { try await volumes.detach(id) } == code)
        #expect(
            await refusal { try await volumes.rollBack(id, to: "snap-00000000000000000") } == code || code == .missing)
        #expect(await refusal { try await volumes.delete(id) } == code)
        #expect(await refusal { try await volumes.create(CreateVolume(size: nil, origin: .volume(id))) } == code)
        #expect(await refusal { try await volumes.fill(id, at: 0, with: [1]) } == code)
        #expect(await refusal { try await volumes.finishImport(id) } == code)
        #expect(await refusal { try await volumes.abandonImport(id) } == code)
        #expect(await refusal { try await fixture.snapshots.create(CreateSnapshot(volume: id)) } == code)
        #expect(await refusal { try await fixture.house.tasks.show(id) } == .invalid)
        #expect(await refusal { try await fixture.house.tasks.show("task-00000000000000000") } == .missing)
        #expect(try await volumes.list().isEmpty)
        await fixture.house.close()
    }

    @Test("a volume can only grow")
    func shrink() async throws {
        let fixture = try await HouseFixture()
        let id = try await fixture.volume(.mebibytes(2))
        #expect(await refusal { try await fixture.volumes.resize(id, to: .mebibytes(1)) } == .invalid)
        #expect(try await fixture.volumes.resize(id, to: .mebibytes(2)).sizeBytes == 2 << 20)
        #expect(await refusal { try await fixture.volumes.create(CreateVolume(size: nil)) } == .invalid)
        await fixture.house.close()
    }

    @Test("an import is filled in parts, finished, and then is a volume like any other")
    func importing() async throws {
        let fixture = try await HouseFixture()
        let volumes = fixture.volumes
        let id = try await volumes.beginImport(size: .mebibytes(1), name: "image").id
        #expect(try await volumes.show(id).state == .creating)
        #expect(await refusal { try await fixture.snapshots.create(CreateSnapshot(volume: id)) } == .wrongState)
        try await volumes.fill(id, at: 8192, with: [UInt8](repeating: 5, count: 4096))
        try await volumes.fill(id, at: 0, with: [UInt8](repeating: 6, count: 4096))
        try await volumes.fill(id, at: 0, with: [UInt8](repeating: 0, count: 4096))
        #expect(await refusal { try await volumes.fill(id, at: ByteOffset(1 << 20), with: [1]) } == .invalid)
        #expect(await refusal { try await volumes.fill(id, at: -1, with: [1]) } == .invalid)
        #expect(await refusal { try await volumes.fill(id, at: ByteOffset(.max), with: [1]) } == .invalid)
        #expect(try await volumes.finishImport(id).state == .available)
        #expect(await refusal { try await volumes.fill(id, at: 0, with: [1]) } == .wrongState)
        _ = try await volumes.attach(id)
        #expect(try await fixture.look(id)[0..<4] == [0, 0, 5, 0])
        await fixture.house.close()
    }

    @Test("an import that is abandoned, or cut off by a stop, leaves nothing")
    func abandoned() async throws {
        let fixture = try await HouseFixture()
        let volumes = fixture.volumes
        let first = try await volumes.beginImport(size: .mebibytes(1), name: nil).id
        _ = try await volumes.attach(first)
        try await volumes.abandonImport(first)
        #expect(fixture.board.names.isEmpty)
        let second = try await volumes.beginImport(size: .mebibytes(1), name: nil).id
        _ = try await volumes.attach(second)
        try await fixture.reopen()
        #expect(try await fixture.volumes.list().isEmpty)
        #expect(fixture.board.names.isEmpty)
        #expect(try LocalDisk().list(fixture.data + "/volumes").isEmpty)
        await fixture.house.close()
    }

    @Test("what a door keeps with a volume is its owner's, in one step or not at all, also after a restart")
    func keepsakes() async throws {
        let fixture = try await HouseFixture()
        var request = CreateVolume(size: .mebibytes(1))
        request.keepsakes = ["door.a": "1", "door.b": "2"]
        let made = try await fixture.volumes.create(request)
        #expect(made.keepsakes == request.keepsakes)
        let plain = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1)))
        #expect(plain.keepsakes == nil)
        let changed = try await fixture.volumes.keep(made.id) { kept in
            kept["door.a"] = nil
            kept["door.c"] = "3"
        }
        #expect(changed.keepsakes == ["door.b": "2", "door.c": "3"])
        struct Wrong: Error {}
        _ = try? await fixture.volumes.keep(made.id) { kept in
            kept = [:]
            throw Wrong()
        }
        try await fixture.reopen()
        #expect(
            try await fixture.volumes.list().map(\.keepsakes).compactMap(\.self) == [["door.b": "2", "door.c": "3"]])
        let account = try await fixture.house.accounts.create(named: "others").id
        let stranger = fixture.house.verbs(for: Caller(account: account, principal: "eve", role: .administrator))
        #expect(await refusal { try await stranger.volumes.keep(made.id) { $0 = [:] } } == .missing)
        try await fixture.volumes.delete(made.id)
        #expect(await refusal { try await fixture.volumes.keep(made.id) { $0 = [:] } } == .missing)
        await fixture.house.close()
    }

    @Test("many requests for one volume at once are put in order")
    func crowd() async throws {
        let fixture = try await HouseFixture()
        let id = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
        try await withThrowingTaskGroup(of: Void.self) { group in
            for step in 0..<40 {
                group.addTask {
                    switch step % 4 {
                    case 0: _ = try await fixture.volumes.attach(id)
                    case 1: _ = try await fixture.volumes.detach(id)
                    case 2: _ = try await fixture.volumes.rename(id, to: "n\(step)")
                    default: _ = try? await fixture.volumes.resize(id, to: .mebibytes(1 + step))
                    }
                }
            }
            try await group.waitForAll()
        }
        let view = try await fixture.volumes.show(id)
        #expect(view.sizeBytes == 40 << 20)
        #expect((view.state == .inUse) == (fixture.board.names == [id]))
        await fixture.house.close()
    }
}
