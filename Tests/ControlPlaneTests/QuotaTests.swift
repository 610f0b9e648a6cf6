import Blocks
import TestSupport
import Testing

@testable import Catalog
@testable import ControlPlane

/// What an account may have at most.
@Suite struct QuotaTests {
    private static func quota(_ body: () async throws -> Void) async -> Quota? {
        do { try await body() } catch { return (error as? ServiceError)?.quota }
        return nil
    }

    @Test("snapshots: one more than allowed is refused and leaves nothing")
    func snapshots() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume()
        _ = try await fixture.house.quotas.set(.snapshots, to: 2)
        for _ in 0..<2 {
            let made = try await fixture.snapshots.create(CreateSnapshot(volume: volume)).id
            _ = try await fixture.snapshots.wait(for: made)
        }
        let refused = await Self.quota { _ = try await fixture.snapshots.create(CreateSnapshot(volume: volume)) }
        #expect(refused == .snapshots)
        #expect(try await fixture.snapshots.list().count == 2)
        _ = try await fixture.house.quotas.set(.snapshots, to: nil)
        _ = try await fixture.snapshots.create(CreateSnapshot(volume: volume))
        _ = try await fixture.house.quotas.set(.pendingPerVolume, to: 0)
        #expect(
            await Self.quota { _ = try await fixture.snapshots.create(CreateSnapshot(volume: volume)) }
                == .pendingPerVolume)
        _ = try await fixture.house.quotas.set(.pending, to: 0)
        #expect(await Self.quota { _ = try await fixture.snapshots.create(CreateSnapshot(volume: volume)) } == .pending)
        await fixture.house.close()
    }

    @Test("volumes of a kind: size and operations, new and changed; what asked for no kind counts for nothing")
    func volumes() async throws {
        let fixture = try await HouseFixture()
        func make(_ kind: VolumeKind, _ gibibytes: Int, iops: Int? = nil) async throws -> String {
            var request = CreateVolume(size: .gibibytes(gibibytes))
            request.profile = VolumeProfile(kind: kind.name, iops: iops)
            return try await fixture.volumes.create(request).id
        }
        _ = try await fixture.house.quotas.set(.gp2, to: 5)
        _ = try await fixture.volumes.create(CreateVolume(size: .gibibytes(100)))
        let volume = try await make(.gp2, 3)
        #expect(await Self.quota { _ = try await make(.gp2, 3) } == .gp2)
        let larger = ModifyVolume(size: .gibibytes(6))
        #expect(await Self.quota { _ = try await fixture.volumes.modify(volume, larger) } == .gp2)
        #expect(try await fixture.volumes.show(volume).sizeBytes == 3 << 30)
        _ = try await fixture.volumes.modify(volume, ModifyVolume(size: .gibibytes(5)))
        _ = try await fixture.house.quotas.set(.io1Operations, to: 1000)
        _ = try await make(.io1, 20, iops: 600)
        #expect(await Self.quota { _ = try await make(.io1, 20, iops: 600) } == .io1Operations)
        #expect(try await fixture.volumes.list().count == 3)
        await fixture.house.close()
    }

    @Test("two at once cannot pass together")
    func together() async throws {
        let fixture = try await HouseFixture()
        _ = try await fixture.house.quotas.set(.gp3, to: 5)
        let made = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var request = CreateVolume(size: .gibibytes(2))
                    request.profile = VolumeProfile(kind: "gp3")
                    return (try? await fixture.volumes.create(request)) != nil
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(made == 2)
        await fixture.house.close()
    }

    @Test("nor can two changes, nor a change and a new one: what is being changed counts before it is recorded")
    func changesTogether() async throws {
        let fixture = try await HouseFixture()
        func make(_ gibibytes: Int) async throws -> String {
            var request = CreateVolume(size: .gibibytes(gibibytes))
            request.profile = VolumeProfile(kind: "gp3")
            return try await fixture.volumes.create(request).id
        }
        var volumes: [String] = []
        for _ in 0..<6 { volumes.append(try await make(1)) }
        _ = try await fixture.house.quotas.set(.gp3, to: 15)
        // 6 GiB, and each change, and each new one, is 4 more.
        let done = await withTaskGroup(of: Bool.self) { group in
            for volume in volumes {
                group.addTask {
                    (try? await fixture.volumes.modify(volume, ModifyVolume(size: .gibibytes(5)))) != nil
                }
            }
            for _ in 0..<2 { group.addTask { (try? await make(4)) != nil } }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(done == 2)
        let sizes = try await fixture.volumes.list().map { $0.sizeBytes >> 30 }
        #expect(sizes.reduce(0, +) == 14, "\(sizes)")
        // Nothing is left promised: what is free can be had, and no more.
        #expect(await Self.quota { _ = try await make(2) } == .gp3)
        _ = try await make(1)
        await fixture.house.close()
    }

    @Test("a change that fails leaves nothing promised")
    func failedChange() async throws {
        let fixture = try await HouseFixture()
        let promises = fixture.house.household.promises
        _ = try await fixture.house.quotas.set(.gp3, to: 5)
        var request = CreateVolume(size: .gibibytes(2))
        request.profile = VolumeProfile(kind: "gp3")
        let volume = try await fixture.volumes.create(request).id
        let record = try #require(try await fixture.house.household.catalog.change { try $0.volume(volume) })
        #expect(
            await Self.quota { _ = try await fixture.volumes.modify(volume, ModifyVolume(size: .gibibytes(6))) } == .gp3
        )
        #expect(promises.all(of: record.account, kind: "gp3", but: "").isEmpty)
        promises.make(record)
        #expect(promises.all(of: record.account, kind: "gp3", but: "").map(\.id) == [volume])
        #expect(promises.all(of: record.account, kind: "gp3", but: volume).isEmpty)
        #expect(promises.all(of: record.account, kind: "gp2", but: "").isEmpty)
        promises.end(volume)
        _ = try await fixture.volumes.modify(volume, ModifyVolume(size: .gibibytes(5)))
        await fixture.house.close()
    }

    @Test("what has grown and could not be recorded counts as what it is until it is recorded, which is tried again")
    func unrecordedChange() async throws {
        let fixture = try await HouseFixture { plan in
            plan.rates = .aws
        }
        let house = fixture.house.household
        _ = try await fixture.house.quotas.set(.gp3, to: 6)
        var request = CreateVolume(size: .gibibytes(2))
        request.profile = VolumeProfile(kind: "gp3")
        let volume = try await fixture.volumes.create(request).id
        let more = request
        /// What one more as large meets.
        func one() async -> Quota? { await Self.quota { _ = try await fixture.volumes.create(more) } }
        _ = try await house.catalog.change { session in
            try session.connection.execute(
                "CREATE TRIGGER refusal BEFORE UPDATE ON volumes BEGIN SELECT RAISE(ABORT, 'no'); END")
        }
        await #expect(throws: ServiceError.self) {
            try await fixture.volumes.modify(
                volume, ModifyVolume(size: .gibibytes(5), profile: VolumeProfile(kind: "gp2")))
        }
        #expect(try await house.catalog.change { try $0.volume(volume) }?.size == .gibibytes(2))
        // It has grown, but is of the kind it was.
        let promised = house.promises.all(of: AccountRecord.first, kind: "gp3", but: "")
        #expect(promised.map(\.id) == [volume] && promised.map(\.size) == [.gibibytes(5)])
        #expect(house.promises.all(of: AccountRecord.first, kind: "gp2", but: "").isEmpty)
        #expect(house.promises.unrecorded == [volume])
        #expect(await one() == .gp3)
        // Nor does another change that is refused let go of it.
        #expect(
            await Self.quota { _ = try await fixture.volumes.modify(volume, ModifyVolume(size: .gibibytes(9))) } == .gp3
        )
        #expect(await one() == .gp3)
        _ = try await house.catalog.change { try $0.connection.execute("DROP TRIGGER refusal") }
        try await fixture.eventually("it is recorded") { house.promises.unrecorded.isEmpty }
        let record = try await house.catalog.change { try $0.volume(volume) }
        #expect(record?.size == .gibibytes(5) && record?.kind == "gp3")
        #expect(await one() == .gp3)
        // It counts as a change.
        let change = try #require(try await fixture.volumes.modifications().first)
        #expect(change.oldSizeBytes == 2 << 30 && change.newSizeBytes == 5 << 30)
        let noted = try await house.catalog.change {
            try $0.requests("modification", ofVolume: volume, after: WallTime(milliseconds: 0))
        }
        #expect(noted.count == 1)
        await fixture.house.close()
    }

    @Test("only whoever runs the house sets them, for an account that there is; everybody sees their own")
    func who() async throws {
        let fixture = try await HouseFixture()
        let account = try await fixture.house.accounts.create(named: "others").id
        let stranger = fixture.house.verbs(for: Caller(account: account, principal: "eve", role: .administrator))
        await #expect(throws: ServiceError.self) { try await stranger.quotas.set(.snapshots, to: 7) }
        await #expect(throws: ServiceError.self) { try await stranger.quotas.list(of: "100000000000") }
        await #expect(throws: ServiceError.self) {
            try await fixture.house.quotas.set(.snapshots, to: 7, of: "999999999999")
        }
        await #expect(throws: ServiceError.self) { try await fixture.house.quotas.set(.snapshots, to: -1) }
        await #expect(throws: ServiceError.self) { try await fixture.house.quotas.set(named: "nothing", to: 1) }
        _ = try await fixture.house.quotas.set(named: "snapshots", to: 7, of: account)
        #expect(try await stranger.quotas.list().first { $0.quota == .snapshots }?.value == 7)
        #expect(try await fixture.house.quotas.list().allSatisfy { $0.value == $0.standard })
        await fixture.house.close()
    }
}
