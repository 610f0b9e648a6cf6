import Blocks
import ControlPlane
import Testing

@Suite struct VolumeKindTests {
    private static func request(
        _ gibibytes: Int, _ kind: String, iops: Int? = nil, throughput: Int? = nil
    ) -> CreateVolume {
        var request = CreateVolume(size: .gibibytes(gibibytes))
        request.profile = VolumeProfile(kind: kind, iops: iops, throughput: throughput)
        return request
    }

    @Test("what a kind does not allow is refused, whoever asks, and nothing is made")
    func refused() async throws {
        let fixture = try await HouseFixture()
        for wrong in [
            Self.request(1, "fast"), Self.request(16_385, "gp2"), Self.request(1, "gp2", iops: 100),
            Self.request(1, "gp2", throughput: 125), Self.request(3, "io1", iops: 100), Self.request(4, "io1"),
            Self.request(4, "io1", iops: 201), Self.request(10, "gp3", iops: 99), Self.request(10, "gp3", iops: 5001),
            Self.request(200, "gp3", iops: 80_001), Self.request(10, "gp3", throughput: 751),
            Self.request(10, "gp3", iops: 4000, throughput: 1001), Self.request(100, "st1"),
        ] {
            let code = await refusal { try await fixture.volumes.create(wrong) }
            #expect(code == .invalid, "\(wrong)")
        }
        #expect(try await fixture.volumes.list().isEmpty)
    }

    @Test(
        "what follows from the size follows it when that grows, what was asked for stays, and neither is less than the kind has"
    )
    func profiles() async throws {
        let fixture = try await HouseFixture()
        let plain = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1)))
        #expect(plain.profile == VolumeProfile(kind: "gp2", iops: 100, throughput: 128))
        let grown = try await fixture.volumes.create(Self.request(100, "gp2")).id
        #expect(try await fixture.volumes.show(grown).profile.iops == 300)
        #expect(try await fixture.volumes.resize(grown, to: .gibibytes(1000)).profile.iops == 3000)
        let asked = try await fixture.volumes.create(Self.request(100, "gp3", iops: 4000)).id
        let small = try await fixture.volumes.create(Self.request(1, "gp3", iops: 1000, throughput: 10)).id
        try await fixture.reopen()
        #expect(
            try await fixture.volumes.resize(asked, to: .gibibytes(200)).profile
                == VolumeProfile(kind: "gp3", iops: 4000, throughput: 125))
        #expect(
            try await fixture.volumes.show(small).profile == VolumeProfile(kind: "gp3", iops: 3000, throughput: 125))
    }

    @Test("a volume is held to its kind where one was asked for, also after a change and a start")
    func paces() async throws {
        let fixture = try await HouseFixture()
        let free = try await fixture.volumes.create(CreateVolume(size: .gibibytes(1)))
        let held = try await fixture.volumes.create(Self.request(100, "gp3", iops: 4000, throughput: 500))
        #expect(!free.isPaced && held.isPaced)
        for id in [free.id, held.id] { _ = try await fixture.volumes.attach(id) }
        func wait(_ id: String, after operations: Int) throws -> Int {
            let pace = try #require(fixture.board.pace(id))
            for _ in 0..<operations { _ = pace.admit(4096, at: 0) }
            return pace.admit(4096, at: 0)
        }
        #expect(try wait(free.id, after: 100_000) == 0)
        // 4000 a second, of which a twentieth at once.
        #expect(try wait(held.id, after: 8200) == 2_000_000_000)
        _ = try await fixture.volumes.modify(
            free.id, ModifyVolume(profile: VolumeProfile(kind: "gp3", iops: nil, throughput: nil)))
        #expect(try abs(wait(free.id, after: 6150) - 2_000_000_000) < 10_000_000)
        try await fixture.reopen()
        #expect(try wait(held.id, after: 8200) == 2_000_000_000)
        #expect(try await fixture.volumes.show(free.id).isPaced)
    }
}
