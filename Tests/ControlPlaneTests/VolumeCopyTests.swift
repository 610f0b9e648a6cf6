import Blocks
import Catalog
import TestSupport
import Testing
import VolumeEngine

@testable import ControlPlane

/// Copies of volumes: whose content they have, and what becomes of them.
@Suite(.serialized) struct VolumeCopyTests {
    static func request(_ source: String, token: String? = nil, fingerprint: String = "a") -> CreateVolume {
        var request = CreateVolume(size: nil, name: "copy", origin: .volume(source))
        request.token = token.map { RequestToken($0, fingerprint: fingerprint) }
        return request
    }

    @Test("a copy has the source's content of one instant, whatever its guest is writing")
    func instant() async throws {
        let fixture = try await HouseFixture()
        let source = try await fixture.volume(.mebibytes(1))
        let device = try fixture.device(source)
        let written = Guarded(0), isOver = Guarded(false)
        // One block after another, round and round: what is on the disk after n writes is known for every n.
        let blocks = 200
        func image(after count: Int) -> [UInt8] {
            var image = [UInt8](repeating: 0, count: 256)
            for n in max(0, count - blocks)..<count { image[n % blocks] = UInt8(n % 251 + 1) }
            return image
        }
        let writer = OSThread(name: "guest") {
            var n = 0
            while !isOver.withLock({ $0 }) {
                let place = ByteRange(at: BlockIndex(n % blocks).offset, count: Block.size)
                try? [UInt8](repeating: UInt8(n % 251 + 1), count: Block.size.bytes).readBytes {
                    (bytes) throws(BlockFailure) in try device.write(place, from: bytes, durably: false)
                }
                n += 1
                written.withLock { $0 = n }
            }
        }
        var copies: [(id: String, span: ClosedRange<Int>)] = []
        for _ in 0..<3 {
            try await Task.sleep(for: .milliseconds(20))
            let before = written.withLock { $0 }
            let copy = try await fixture.volumes.create(Self.request(source)).id
            // The write under way is not counted yet.
            copies.append((copy, before...written.withLock { $0 } + 1))
        }
        isOver.withLock { $0 = true }
        try await onThread { writer.join() }
        for (copy, span) in copies {
            _ = try await fixture.volumes.attach(copy)
            let content = try await fixture.look(copy)
            #expect(span.contains { image(after: $0) == content })
        }
        try await fixture.quiet()
        #expect(try await fixture.house.store.status().snapshotCount == 0)
        await fixture.house.close()
    }

    @Test("it says what it was copied from, also when that is gone, and is in its zone and of its own kind")
    func facts() async throws {
        let fixture = try await HouseFixture { $0.region = Region(name: "us-east-1", zoneCount: 2) }
        var made = CreateVolume(size: .gibibytes(1))
        made.zone = fixture.house.region.zones[1].name
        made.profile = VolumeProfile(kind: "gp2")
        let source = try await fixture.volumes.create(made).id
        var wanted = Self.request(source)
        wanted.size = .gibibytes(4)
        wanted.profile = VolumeProfile(kind: "io1", iops: 150)
        wanted.tags = ["a": "b"]
        let copy = try await fixture.volumes.create(wanted)
        #expect(copy.sourceVolumeId == source && copy.originSnapshotId == nil && copy.zone == made.zone)
        #expect(copy.profile.kind == "io1" && copy.profile.iops == 150 && copy.sizeBytes == 4 << 30)
        #expect(copy.tags == ["a": "b"] && copy.state == .available)
        var elsewhere = Self.request(source)
        elsewhere.zone = fixture.house.region.zones[0].name
        let wrong = elsewhere
        #expect(await refusal { try await fixture.volumes.create(wrong) } == .invalid)
        var small = Self.request(source)
        small.size = .mebibytes(512)
        let tooSmall = small
        #expect(await refusal { try await fixture.volumes.create(tooSmall) } == .invalid)
        try await fixture.quiet()
        try await fixture.volumes.delete(source)
        try await fixture.reopen()
        #expect(try await fixture.volumes.show(copy.id).sourceVolumeId == source)
        await fixture.house.close()
    }

    @Test("asked for twice by one token it is made once, also when the source is gone since")
    func token() async throws {
        let fixture = try await HouseFixture()
        let source = try await fixture.volume()
        try await fixture.write(source, 0..<10, 1)
        let first = try await fixture.volumes.create(Self.request(source, token: "t")).id
        #expect(try await fixture.volumes.create(Self.request(source, token: "t")).id == first)
        let other = Self.request(source, token: "t", fingerprint: "b")
        #expect(await refusal { try await fixture.volumes.create(other) } == .invalid)
        try await fixture.quiet()
        _ = try await fixture.volumes.detach(source)
        try await fixture.volumes.delete(source)
        #expect(try await fixture.volumes.create(Self.request(source, token: "t")).id == first)
        try await fixture.volumes.delete(first)
        #expect(await refusal { try await fixture.volumes.create(Self.request(source, token: "t")) } == .missing)
        #expect(try await fixture.house.store.status().snapshotCount == 0)
        await fixture.house.close()
    }

    @Test("it is there while the store hangs: what is left to do goes on by itself")
    func storeHangs() async throws {
        let store = TrickStore()
        let fixture = try await store.house()
        let source = try await fixture.volume()
        try await fixture.write(source, 0..<10, 1)
        let answers = Guarded(false), made = Guarded<String?>(nil)
        store.play { _ in
            answers.wait { answers -> Void? in answers ? () : nil }
            return nil
        }
        let copying = Task {
            let copy = try await fixture.volumes.create(Self.request(source)).id
            made.change { $0 = copy }
        }
        try await fixture.eventually("it is made") { made.withLock { $0 } != nil }
        answers.change { $0 = true }
        try await copying.value
        let copy = try #require(made.withLock { $0 })
        _ = try await fixture.volumes.attach(copy)
        #expect(try await fixture.look(copy)[0...10] == [UInt8](repeating: 1, count: 10)[...] + [0])
        try await fixture.quiet()
        #expect(try await fixture.house.store.status().snapshotCount == 0)
        await fixture.house.close()
    }

    @Test("a quota refuses it, and then nothing of it stays")
    func quota() async throws {
        let fixture = try await HouseFixture()
        let source = try await fixture.volumes.create(CreateVolume(size: .gibibytes(1))).id
        _ = try await fixture.house.quotas.set(.gp3, to: 0)
        var wanted = Self.request(source, token: "t")
        wanted.profile = VolumeProfile(kind: "gp3")
        let refused = wanted
        #expect(await refusal { try await fixture.volumes.create(refused) } == .limitExceeded)
        try await fixture.quiet()
        #expect(try await fixture.volumes.list().map(\.id) == [source])
        #expect(try await fixture.volumes.show(source).pendingSnapshotIds.isEmpty)
        _ = try await fixture.house.quotas.set(.gp3, to: nil)
        #expect(try await fixture.volumes.create(refused).sourceVolumeId == source)
        await fixture.house.close()
    }

    @Test("a copy whose source goes first gets everything; the source's files go when it has")
    func sourceGoes() async throws {
        let fixture = try await HouseFixture()
        let source = try await fixture.volume()
        try await fixture.write(source, 0..<100, 1)
        _ = try await fixture.snapshot(source)
        try await fixture.write(source, 50..<150, 2)
        let image = try await fixture.look(source)
        try fixture.hideStore()
        let copy = try await fixture.volumes.create(Self.request(source)).id
        _ = try await fixture.volumes.detach(source)
        try await fixture.volumes.delete(source)
        #expect(try await fixture.volumes.show(source).state == .deleting)
        try fixture.showStore()
        fixture.house.store.retryUploads()
        _ = try await fixture.volumes.attach(copy)
        #expect(try await fixture.look(copy) == image)
        try await fixture.quiet()
        #expect(try await fixture.volumes.list().map(\.id) == [copy])
        #expect(try await fixture.look(copy) == image)
        await fixture.house.close()
    }

    @Test("when the source has no room for both, its guest goes on, and a copy that is not whole is in error for good")
    func givenUp() async throws {
        let fixture = try await HouseFixture()
        let source = try await fixture.volume()
        try await fixture.write(source, 0..<100, 1)
        _ = try await fixture.snapshot(source)
        try await fixture.write(source, 50..<150, 2)
        // The first fifty blocks are in the store alone, so the copy cannot be whole before it is there again.
        try fixture.hideStore()
        let copy = try await fixture.volumes.create(Self.request(source)).id
        #expect(try await fixture.volumes.show(copy).state == .available)
        let hidden = try #require(try await fixture.volumes.show(source).pendingSnapshotIds.last)
        let open = try fixture.house.household.live.open(source)
        #expect(try await onThread { open.cancel(hidden, reason: "no room for its overlay") } == [hidden])
        try fixture.showStore()
        fixture.house.store.retryUploads()
        try await fixture.eventually("the copy is in error") {
            try await fixture.volumes.show(copy).state == .error
        }
        #expect(try await fixture.volumes.list().first { $0.id == copy }?.state == .error)
        try await fixture.write(source, 0..<200, 3)
        try await fixture.reopen()
        #expect([.error, .quarantined].contains(try await fixture.volumes.show(copy).state))
        try await fixture.volumes.delete(copy)
        try await fixture.quiet()
        #expect(try await fixture.look(source)[199] == 3)
        await fixture.house.close()
    }
}
