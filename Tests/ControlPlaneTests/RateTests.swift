import Blocks
import Simulation
import TestSupport
import Testing

@testable import ControlPlane

/// Requests that come too fast.
@Suite struct RateTests {
    private static func fixture(_ rates: Rates = .aws) async throws -> (HouseFixture, ManualClock) {
        let clock = ManualClock(passesSleeps: true)
        return (
            try await HouseFixture {
                $0.clock = clock
                $0.rates = rates
            }, clock
        )
    }

    private static func open(_ path: String, after span: Duration) async throws -> HouseFixture {
        try await HouseFixture(at: path + "/data") {
            $0.clock = ManualClock(at: WallTime(milliseconds: 1_800_000_000_000) + span, passesSleeps: true)
            $0.rates = .aws
        }
    }

    private static func exceeded(_ body: () async throws -> Void) async -> RateExceeded? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? ServiceError)?.rate
        }
    }

    @Test("snapshots of one volume come fifteen seconds apart at least, also after a restart; of others at once")
    func snapshots() async throws {
        let (fixture, clock) = try await Self.fixture()
        let one = try await fixture.volume(), other = try await fixture.volume()
        @Sendable func take(_ volumes: String...) async throws {
            let made = try await fixture.snapshots.createGroup(of: volumes, name: nil, description: nil)
            for snapshot in made { _ = try await fixture.snapshots.wait(for: snapshot.id) }
        }
        try await take(one)
        let begun = clock.now()
        let refused = await Self.exceeded { try await take(one) }
        #expect(refused?.rate == .snapshots)
        try await take(other)
        let together = await Self.exceeded { try await take(other, one) }
        #expect(together?.rate == .snapshots)
        try await fixture.reopen()
        let again = await Self.exceeded { try await take(one) }
        #expect(again?.rate == .snapshots)
        let until = try #require(again?.until)
        #expect(until <= begun + .seconds(15) && until > clock.now())
        // What was refused does not count.
        clock.advance(by: until - clock.now())
        try await take(one)
        #expect(try await fixture.snapshots.list(of: one).count == 2)
        // A clock that is put back locks nobody out.
        clock.set(clock.now() + .seconds(-3600))
        try await take(one)
        await fixture.house.close()
    }

    @Test(
        "a snapshot that a crash undid does not count, and one that was recorded does",
        arguments: ["snapshot.recorded", "snapshot.cut", "snapshot.pending"])
    func undone(at point: String) async throws {
        let scratch = try ScratchDirectory("varve-rate")
        await #expect(processExitsWith: .signal(9), "\(point) is never reached") {
            [path = scratch.path as String, point = point as String] in
            let fixture = try await Self.open(path, after: .zero)
            let volume = try await fixture.volume()
            Failpoint.observe { if $0 == point { Machine.killSelf() } }
            _ = try await fixture.snapshots.create(CreateSnapshot(volume: volume))
        }
        let fixture = try await Self.open(scratch.path, after: .seconds(5))
        let volume = try #require(try await fixture.volumes.list().first).id
        let exceeded = await Self.exceeded {
            _ = try await fixture.snapshots.create(CreateSnapshot(volume: volume))
        }
        #expect(exceeded?.rate == (point == "snapshot.pending" ? .snapshots : nil))
        #expect(try await fixture.snapshots.list().count == 1)
        await fixture.house.close()
    }

    @Test("an image of an instance counts as snapshots of its volumes")
    func images() async throws {
        let (fixture, clock) = try await Self.fixture()
        let volume = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let instance = try await fixture.house.instances.launch(NewInstances())[0].id
        _ = try await fixture.house.instances.attach(volume, to: instance, goesWithInstance: true)
        @Sendable func image(_ name: String) async -> RateExceeded? {
            await Self.exceeded {
                _ = try await fixture.house.images.create(NewImageOfInstance(ImageNames(name), of: instance))
            }
        }
        @Sendable func snapshot() async -> RateExceeded? {
            await Self.exceeded { _ = try await fixture.snapshots.create(CreateSnapshot(volume: volume)) }
        }
        #expect(await image("one") == nil)
        #expect(await image("two")?.rate == .snapshots)
        #expect(try await fixture.house.images.list().map(\.name) == ["one"])
        #expect(await snapshot()?.rate == .snapshots)
        clock.advance(by: .seconds(15))
        #expect(await snapshot() == nil)
        #expect(await image("three")?.rate == .snapshots)
        // A policy's image neither waits nor counts.
        var policys = NewImageOfInstance(ImageNames("policy"), of: instance)
        policys.isRated = false
        _ = try await fixture.house.images.create(policys)
        clock.advance(by: .seconds(15))
        policys.names.name = "again"
        _ = try await fixture.house.images.create(policys)
        #expect(await snapshot() == nil)
        await fixture.house.close()
    }

    @Test("a volume is changed four times within any 24 hours, and what changes nothing counts")
    func modifications() async throws {
        let (fixture, clock) = try await Self.fixture()
        let volume = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let start = clock.now()
        for hour in 0..<4 {
            clock.set(start + .seconds(3600 * Int64(hour)))
            _ = try await fixture.volumes.modify(volume, ModifyVolume(size: .mebibytes(1 + min(hour, 2))))
        }
        @Sendable func grow() async throws { _ = try await fixture.volumes.resize(volume, to: .mebibytes(8)) }
        #expect(await Self.exceeded(grow) == RateExceeded(.modifications, until: start + .seconds(86_400)))
        #expect(try await fixture.volumes.show(volume).sizeBytes == 3 << 20)
        try await fixture.reopen()
        clock.set(start + .seconds(86_399))
        #expect(await Self.exceeded(grow) == RateExceeded(.modifications, until: start + .seconds(86_400)))
        clock.set(start + .seconds(86_400))
        try await grow()
        #expect(await Self.exceeded(grow) == RateExceeded(.modifications, until: start + .seconds(90_000)))
        #expect(try await fixture.volumes.show(volume).sizeBytes == 8 << 20)
        await fixture.house.close()
    }

    @Test("an account begins ten snapshots a second, and another account as many")
    func pieces() async throws {
        let (fixture, clock) = try await Self.fixture()
        let account = try await fixture.house.accounts.create(named: "others").id
        let other = fixture.house.verbs(for: Caller(account: account, principal: "eve", role: .administrator))
        @Sendable func begin(_ verbs: Verbs) async -> RateExceeded? {
            await Self.exceeded { try verbs.snapshots.admit(.begin) }
        }
        let verbs = fixture.house.verbs(for: .root)
        for _ in 0..<10 { #expect(await begin(verbs) == nil) }
        #expect(await begin(verbs) == RateExceeded(.account))
        #expect(await begin(other) == nil)
        clock.advance(by: .milliseconds(100))
        #expect(await begin(verbs) == nil)
        #expect(await begin(verbs) == RateExceeded(.account))
        await fixture.house.close()
    }

    @Test("a snapshot's own limit holds for all who use it, and is no affair of those who may not")
    func aboutOne() async throws {
        let (fixture, clock) = try await Self.fixture()
        let volume = try await fixture.volume()
        let snapshot = try await fixture.snapshots.create(CreateSnapshot(volume: volume)).id
        _ = try await fixture.snapshots.wait(for: snapshot)
        let account = try await fixture.house.accounts.create(named: "others").id
        let others = fixture.house.verbs(for: Caller(account: account, principal: "eve", role: .administrator))
        for _ in 0..<1000 { _ = await Self.exceeded { _ = try await others.snapshots.piece(0, of: snapshot) } }
        for _ in 0..<600 { _ = try await fixture.snapshots.piece(0, of: snapshot) }
        clock.advance(by: .milliseconds(500))
        _ = try await fixture.snapshots.share(snapshot, SharingChange(adding: [account]))
        // Of 1000, 600 were taken and 500 came back.
        for _ in 0..<500 { _ = try await others.snapshots.piece(0, of: snapshot) }
        let exceeded = await Self.exceeded {
            for _ in 0..<500 { _ = try await fixture.snapshots.piece(0, of: snapshot) }
        }
        #expect(exceeded == RateExceeded(.snapshot))
        await fixture.house.close()
    }

    @Test("a bucket fills up within a second, and no further")
    func buckets() {
        let meter = RequestMeter()
        func count(at time: Duration, of id: String = "a") -> Int {
            (0..<100).count { _ in meter.take(.list, of: id, at: time) }
        }
        #expect(count(at: .zero) == 50 && count(at: .zero) == 0 && count(at: .zero, of: "b") == 50)
        #expect(count(at: .milliseconds(500)) == 25 && count(at: .seconds(100)) == 50)
        for number in 0..<20_000 { _ = meter.take(.read, of: "\(number)", at: .seconds(200)) }
        #expect(count(at: .seconds(300)) == 50)
    }

    @Test("without being told so a house refuses nothing for coming too fast")
    func off() async throws {
        let (fixture, _) = try await Self.fixture(.off)
        let volume = try await fixture.volume()
        for size in 1...6 {
            _ = try await fixture.snapshots.create(CreateSnapshot(volume: volume))
            _ = try await fixture.volumes.resize(volume, to: .mebibytes(size))
        }
        for _ in 0..<20 {
            #expect(await Self.exceeded { try fixture.snapshots.admit(.begin) } == nil)
        }
        await fixture.house.close()
    }
}
