import Blocks
import ControlPlane
import Simulation
import TestSupport
import Testing

@Suite struct VolumeWishTests {
    private static func policy(on volumes: [String]) -> PolicyPlan {
        let when = Recurrence.weekly(days: Weekday.allCases, at: [TimeOfDay(minutes: 60)], zone: ZoneOffset(minutes: 0))
        return PolicyPlan(
            name: "daily", targets: PolicyPlan.Targets(.volumes, ids: volumes),
            schedules: [PolicyPlan.Schedule("daily", when, keeping: .forever)])
    }

    @Test("policies leave a volume out while its owner wants that, and take its snapshots with it when it goes")
    func wishes() async throws {
        let fixture = try await HouseFixture()
        let ids = [try await fixture.volume(), try await fixture.volume()]
        let policy = try await fixture.house.policies.create(Self.policy(on: ids)).id
        func count(_ id: String) async throws -> Int { try await fixture.snapshots.list(of: id).count }
        try await fixture.volumes.wish(of: ids[0]) { $0.skipsPolicies = true }
        _ = try await fixture.house.policies.run(policy)
        #expect(try await count(ids[0]) == 0)
        #expect(try await count(ids[1]) == 1)
        try await fixture.volumes.wish(of: ids[0]) {
            $0.skipsPolicies = false
            $0.takesPolicySnapshots = true
        }
        _ = try await fixture.house.policies.run(policy)
        #expect(try await count(ids[0]) == 1)
        let own = try await fixture.snapshot(ids[0])
        try await fixture.reopen()
        #expect(try await fixture.volumes.wishes()[ids[0]]?.takesPolicySnapshots == true)
        for id in ids {
            _ = try await fixture.volumes.detach(id)
            try await fixture.volumes.delete(id)
        }
        try await fixture.eventually("what the policy took of it goes, and what its owner took stays") {
            try await fixture.snapshots.list(of: ids[0]).map(\.id) == [own]
        }
        #expect(try await count(ids[1]) == 2)
        await fixture.house.close()
    }

    @Test("what its owner took back from the bin does not go with the volume, however often its deletion is tried")
    func takenBack() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume()
        let policy = try await fixture.house.policies.create(Self.policy(on: [volume])).id
        for _ in 0..<2 { _ = try await fixture.house.policies.run(policy) }
        let taken = try await fixture.snapshots.list(of: volume).map(\.id)
        try #require(taken.count == 2)
        for one in taken { _ = try await fixture.snapshots.wait(for: one) }
        try await fixture.volumes.wish(of: volume) { $0.takesPolicySnapshots = true }
        let rule = try await fixture.house.bin.createRule(NewBinRule(resourceType: .snapshot, days: 1))
        // What is pending keeps the volume from going.
        try await fixture.write(volume, 0..<8, 3)
        try fixture.hideStore()
        let own = try await fixture.snapshot(volume, wait: false)
        _ = try await fixture.volumes.detach(volume)
        try await fixture.volumes.delete(volume)
        try await fixture.eventually("they are in the bin") {
            try await fixture.house.bin.list().snapshots.map(\.object.id).sorted() == taken.sorted()
        }
        _ = try await fixture.house.bin.restoreSnapshot(taken[0])
        try await fixture.house.bin.deleteRule(rule.id)
        try fixture.showStore()
        _ = try await fixture.snapshots.wait(for: own)
        try await fixture.eventually("the volume is gone") {
            await refusal { try await fixture.volumes.show(volume) } == .missing
        }
        #expect(try await fixture.snapshots.list(of: volume).map(\.id).sorted() == [taken[0], own].sorted())
        await fixture.house.close()
    }

    @Test(
        "what goes with its instance is said where it is, and for where it is put next; of others' volumes nothing is")
    func goes() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volumes.create(CreateVolume(size: 512)).id
        #expect(try await fixture.volumes.wishes().isEmpty)
        try await fixture.volumes.wish(of: volume) { $0.goesWithInstance = true }
        let host = try await fixture.house.instances.launch(NewInstances())[0].id
        _ = try await fixture.house.instances.attach(volume, to: host)
        #expect(try await fixture.volumes.show(volume).attachment?.goesWithInstance == false)
        try await fixture.volumes.wish(of: volume) { $0.goesWithInstance = false }
        try await fixture.volumes.wish(of: volume) { $0.goesWithInstance = true }
        #expect(try await fixture.volumes.show(volume).attachment?.goesWithInstance == true)
        try await fixture.house.instances.detach(volume, from: host, as: nil)
        #expect(try await fixture.volumes.wishes()[volume]?.goesWithInstance == true)
        let (_, others) = try await fixture.otherAccount()
        #expect(await refusal { try await others.volumes.wish(of: volume) { $0.skipsPolicies = true } } == .missing)
        #expect(try await others.volumes.wishes().isEmpty)
        await fixture.house.close()
    }
}
