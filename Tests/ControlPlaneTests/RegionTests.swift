import Blocks
import Catalog
import TestSupport
import Testing

@testable import ControlPlane

/// Two regions on one server.
@Suite struct RegionTests {
    static let west = "us-west-2"

    static func fixture(_ change: @escaping @Sendable (inout HousePlan) -> Void = { _ in }) async throws -> HouseFixture
    {
        try await HouseFixture { plan in
            plan.moreRegions = [RegionPlan(region: Region(name: west))]
            plan.scrubEvery = nil
            change(&plan)
        }
    }

    static func verbs(_ fixture: HouseFixture, for caller: Caller = .root) throws -> Verbs {
        try #require(fixture.house.verbs(for: caller, in: west))
    }

    @Test("each region has its own volumes and store; one that was served once is served again without being named")
    func apart() async throws {
        let fixture = try await Self.fixture()
        let here = try await fixture.volume()
        let there = try await Self.verbs(fixture).volumes.create(CreateVolume(size: .mebibytes(1))).id
        #expect(try await fixture.volumes.list().map(\.id) == [here])
        #expect(try await Self.verbs(fixture).volumes.list().map(\.id) == [there])
        #expect(await refusal { try await fixture.volumes.show(there) } == .missing)
        #expect(try await Self.verbs(fixture).volumes.show(there).zone == "us-west-2a")
        #expect(try LocalDisk().facts(fixture.data + "/regions/us-west-2/store") != nil)
        #expect(fixture.house.verbs(for: .root, in: "eu-north-1") == nil)
        try await fixture.reopen { $0.moreRegions = [] }
        #expect(fixture.house.regions.map(\.name) == ["us-east-1", "us-west-2"])
        #expect(try await Self.verbs(fixture).volumes.list().map(\.id) == [there])
        let text = await fixture.house.metrics.families().prometheusText
        #expect(text.contains("varve_snapshots") == false || text.contains("region=\"us-west-2\""))
        #expect(text.split(separator: "\n").count { $0 == "# TYPE varve_volumes gauge" } == 1)
        await fixture.house.close()
    }

    @Test("an account exists in every region, and stays while it owns something in any")
    func accounts() async throws {
        let fixture = try await Self.fixture()
        let account = try await fixture.house.accounts.create(named: "others").id
        let other = Caller(account: account, principal: "eve", role: .administrator)
        let volume = try await Self.verbs(fixture, for: other).volumes.create(CreateVolume(size: .mebibytes(1))).id
        #expect(await refusal { try await fixture.house.accounts.delete(account) } == .inUse)
        // Asked through another region the accounts are the same ones.
        #expect(try await Self.verbs(fixture).accounts.list().map(\.id).contains(account))
        try await fixture.reopen()
        #expect(await refusal { try await fixture.house.accounts.delete(account) } == .inUse)
        try await Self.verbs(fixture, for: other).volumes.delete(volume)
        try await fixture.eventually("the volume is gone") {
            try await Self.verbs(fixture, for: other).volumes.list().isEmpty
        }
        try await fixture.house.accounts.delete(account)
        let refused = await refusal {
            try await Self.verbs(fixture, for: other).volumes.create(CreateVolume(size: .mebibytes(1)))
        }
        #expect(refused == .missing)
        await fixture.house.close()
    }

    @Test("names that cannot be a region's, twice the same, and another name for the first one are refused")
    func names() async throws {
        let fixture = try await Self.fixture()
        await fixture.house.close()
        for names in [["US"], ["../x"], ["a", "a"], ["us-east-1"]] {
            var plan = HousePlan(data: fixture.data)
            plan.moreRegions = names.map { RegionPlan(region: Region(name: $0)) }
            #expect(await refusal { try await House.open(plan, exports: MemoryBoard()) } == .invalid, "\(names)")
        }
        var plan = HousePlan(data: fixture.data)
        plan.region = Region(name: "eu-1")
        #expect(await refusal { try await House.open(plan, exports: MemoryBoard()) } == .invalid)
        let again = try await House.open(HousePlan(data: fixture.data), exports: MemoryBoard())
        #expect(again.regions.map(\.name) == ["us-east-1", "us-west-2"])
        await again.close()
    }

    @Test("what an account settles holds in the region asked, and a refused deletion leaves it as it is in all")
    func settings() async throws {
        let scratch = try ScratchDirectory("varve-regions")
        let fixture = try await HouseFixture(holding: scratch, at: scratch.path + "/data") { plan in
            plan.moreRegions = [Self.west, "eu-west-1"].map { RegionPlan(region: Region(name: $0)) }
            plan.scrubEvery = nil
        }
        let account = try await fixture.house.accounts.create(named: "others").id
        let other = Caller(account: account, principal: "eve", role: .administrator)
        let west = try Self.verbs(fixture, for: other)
        _ = try await west.accounts.set(encryptsByDefault: true)
        #expect(try await west.volumes.create(CreateVolume(size: .mebibytes(1))).encrypted)
        let here = fixture.house.verbs(for: other)
        #expect(try await !here.accounts.encryptionByDefault().isOn)
        let plain = try await here.volumes.create(CreateVolume(size: .mebibytes(1)))
        #expect(!plain.encrypted)
        // Nothing is left but in the last region, after the others were looked at.
        let rule = try await west.bin.createRule(NewBinRule(resourceType: .snapshot, days: 1)).id
        let last = try #require(fixture.house.verbs(for: other, in: "eu-west-1"))
        let volume = try await last.volumes.create(CreateVolume(size: .mebibytes(1))).id
        try await here.volumes.delete(plain.id)
        for one in try await west.volumes.list() { try await west.volumes.delete(one.id) }
        try await fixture.eventually("the others are gone") {
            let left = try await here.volumes.list().count + west.volumes.list().count
            return left == 0
        }
        #expect(await refusal { try await fixture.house.accounts.delete(account) } == .inUse)
        #expect(try await west.accounts.encryptionByDefault().isOn)
        #expect(try await west.bin.rules().map(\.id) == [rule])
        #expect(try await last.volumes.list().map(\.id) == [volume])
        await fixture.house.close()
    }

    @Test("two regions do not share a store")
    func stores() async throws {
        let scratch = try ScratchDirectory("varve-regions")
        var plan = HousePlan(data: scratch.path + "/data", store: scratch.path + "/store")
        plan.moreRegions = [RegionPlan(region: Region(name: Self.west), store: scratch.path + "/store")]
        #expect(await refusal { try await House.open(plan, exports: MemoryBoard()) } == .invalid)
        plan.moreRegions = [RegionPlan(region: Region(name: Self.west), store: scratch.path + "/other")]
        let house = try await House.open(plan, exports: MemoryBoard())
        await house.close()
    }

    @Test("a region that knows an account by a name that is another's now is served, and gives it up")
    func nameClash() async throws {
        let fixture = try await Self.fixture()
        let old = try await fixture.house.accounts.create(named: "acme").id
        let owner = Caller(account: old, principal: "eve", role: .administrator)
        let volume = try await Self.verbs(fixture, for: owner).volumes.create(CreateVolume(size: .mebibytes(1))).id
        // As after the first region was made anew from its store, and the account with it.
        let new = AccountRecord(id: "987654321098", name: "acme", createdAt: WallTime(milliseconds: 1))
        try await fixture.house.household.catalog.change { session in
            try session.deleteAccount(old)
            try session.insert(new)
        }
        try await fixture.reopen()
        let names = Dictionary(
            uniqueKeysWithValues: try await fixture.house.accounts.list().map { ($0.id, $0.name) })
        #expect(names[new.id] == "acme" && names[old] == "acme \(old)")
        #expect(try await Self.verbs(fixture, for: owner).volumes.list().map(\.id) == [volume])
        let west = try #require(fixture.house.household.neighbours[Self.west])
        #expect(
            Set(try await west.catalog.change { try $0.accounts() }.map(\.name)).isSuperset(of: ["acme", "acme \(old)"])
        )
        await fixture.house.close()
    }

    @Test("a deletion of an account that was cut short is finished", arguments: ["account.going", "account.removed"])
    func deletionCutShort(at point: String) async throws {
        let scratch = try ScratchDirectory("varve-regions")
        await #expect(processExitsWith: .signal(9), "\(point) is never reached") {
            [path = scratch.path as String, point = point as String] in
            let fixture = try await CopyCrashScript.open(path)
            let account = try await fixture.house.accounts.create(named: "others").id
            let verbs = try RegionTests.verbs(
                fixture, for: Caller(account: account, principal: "eve", role: .administrator))
            _ = try await verbs.bin.createRule(NewBinRule(resourceType: .snapshot, days: 1))
            Failpoint.observe { if $0 == point { Machine.killSelf() } }
            try await fixture.house.accounts.delete(account)
        }
        let fixture = try await CopyCrashScript.open(scratch.path)
        #expect(try await fixture.house.accounts.list().map(\.id) == [AccountRecord.first])
        let west = try #require(fixture.house.household.neighbours[Self.west])
        #expect(try await west.catalog.change { try $0.accounts() }.map(\.id) == [AccountRecord.first])
        await fixture.house.close()
    }
}
