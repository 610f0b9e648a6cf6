import Blocks
import ControlPlane
import Simulation
import Testing

@Suite struct BinRuleTests {
    private static let day = Duration.seconds(86_400)

    @Test("a locked rule cannot be changed or deleted until its delay is over after its unlocking, over a restart too")
    func locks() async throws {
        let clock = ManualClock(passesSleeps: true)
        let fixture = try await HouseFixture { $0.clock = clock }
        var request = NewBinRule(resourceType: .volume, days: 5)
        request.unlockDelayDays = 10
        let rule = try await fixture.house.bin.createRule(request)
        #expect(rule.lockState == .locked && rule.unlockDelayDays == 10 && rule.unlocksAt == nil)
        var shorter = BinRuleChange()
        shorter.days = 1
        let change = shorter
        #expect(await refusal { try await fixture.house.bin.change(rule.id, change) } == .locked)
        #expect(await refusal { try await fixture.house.bin.deleteRule(rule.id) } == .locked)
        #expect(await refusal { try await fixture.house.bin.lock(rule.id, unlockDelayDays: 8) } == .locked)
        // Its own tags are nothing that it keeps.
        try await fixture.house.bin.tag(rule.id, ["a": "b", "c": "d"])
        try await fixture.house.bin.untag(rule.id, ["c", "e"])
        let unlocking = try await fixture.house.bin.unlock(rule.id)
        #expect(unlocking.lockState == .pendingUnlock && unlocking.unlocksAt == clock.now() + Self.day * 10)
        #expect(await refusal { try await fixture.house.bin.unlock(rule.id) } == .locked)
        try await fixture.reopen()
        clock.advance(by: Self.day * 9)
        #expect(await refusal { try await fixture.house.bin.deleteRule(rule.id) } == .locked)
        // Locked again while it is being unlocked, and for no less than it was.
        #expect(await refusal { try await fixture.house.bin.lock(rule.id, unlockDelayDays: 7) } == .locked)
        #expect(try await fixture.house.bin.lock(rule.id, unlockDelayDays: 12).lockState == .locked)
        _ = try await fixture.house.bin.unlock(rule.id)
        clock.advance(by: Self.day * 12 - .milliseconds(1))
        #expect(await refusal { try await fixture.house.bin.change(rule.id, change) } == .locked)
        clock.advance(by: .milliseconds(1))
        #expect(try await fixture.house.bin.rule(rule.id).lockState == .unlocked)
        let changed = try await fixture.house.bin.change(rule.id, change)
        #expect(changed.days == 1 && changed.tags == ["a": "b"] && changed.resourceType == .volume)
        try await fixture.house.bin.deleteRule(rule.id)
        #expect(await refusal { try await fixture.house.bin.rule(rule.id) } == .missing)
        #expect(try await fixture.house.bin.rules().isEmpty)
    }

    @Test("refused rules leave nothing behind, and refused changes change nothing")
    func refusals() async throws {
        let fixture = try await HouseFixture()
        let bin = fixture.house.bin
        let tag = BinTag(key: "a", value: "b")
        func wrong(_ change: (inout NewBinRule) -> Void) async -> ServiceError.Code? {
            var request = NewBinRule(resourceType: .snapshot, days: 1)
            change(&request)
            let asked = request
            return await refusal { try await bin.createRule(asked) }
        }
        #expect(await wrong { $0.days = 0 } == .invalid)
        #expect(await wrong { $0.days = 3651 } == .invalid)
        #expect(await wrong { $0.description = String(repeating: "x", count: 256) } == .invalid)
        #expect(await wrong { $0.description = "a\nb" } == .invalid)
        #expect(await wrong { $0.resourceTags = (0..<51).map { BinTag(key: "k\($0)", value: nil) } } == .invalid)
        #expect(await wrong { $0.excludeTags = (0..<6).map { BinTag(key: "k\($0)", value: nil) } } == .invalid)
        #expect(await wrong { $0.resourceTags = [BinTag(key: "", value: nil)] } == .invalid)
        #expect(await wrong { $0.resourceTags = [tag, tag] } == .invalid)
        #expect(await wrong { ($0.resourceTags, $0.excludeTags) = ([tag], [BinTag(key: "c", value: nil)]) } == .invalid)
        #expect(await wrong { $0.unlockDelayDays = 6 } == .invalid)
        #expect(await wrong { $0.unlockDelayDays = 31 } == .invalid)
        #expect(await wrong { ($0.unlockDelayDays, $0.excludeTags) = (7, [tag]) } == .invalid)
        #expect(await wrong { ($0.unlockDelayDays, $0.resourceTags) = (7, [tag]) } == .invalid)
        #expect(
            await wrong { $0.tags = Dictionary(uniqueKeysWithValues: (0..<51).map { ("k\($0)", "") }) }
                == .limitExceeded)
        #expect(try await bin.rules().isEmpty)

        var request = NewBinRule(resourceType: .snapshot, days: 1)
        request.resourceTags = [tag]
        let rule = try await bin.createRule(request)
        var change = BinRuleChange()
        (change.days, change.excludeTags) = (2, [tag])
        let both = change
        #expect(await refusal { try await bin.change(rule.id, both) } == .invalid)
        #expect(await refusal { try await bin.lock(rule.id, unlockDelayDays: 7) } == .invalid)
        #expect(await refusal { try await bin.unlock(rule.id) } == .locked)
        #expect(await refusal { try await bin.rule("short") } == .invalid)
        #expect(await refusal { try await bin.rule("00000000000") } == .missing)
        #expect(try await bin.rules() == [rule])
        for _ in 1..<250 { _ = try await bin.createRule(NewBinRule(resourceType: .image, days: 1)) }
        #expect(await wrong { _ in } == .limitExceeded)
        await fixture.house.close()
    }

    @Test("an account's rules are nobody else's, and go with it")
    func accounts() async throws {
        let fixture = try await HouseFixture()
        let account = try await fixture.house.accounts.create(named: "other").id
        let other = fixture.house.verbs(for: Caller(account: account, principal: "eve", role: .operator)).bin
        let reader = fixture.house.verbs(for: Caller(account: account, principal: "ann", role: .reader)).bin
        let rule = try await other.createRule(NewBinRule(resourceType: .snapshot, days: 9))
        try await other.tag(rule.id, ["a": "b"])
        #expect(try await fixture.house.bin.rules().isEmpty)
        #expect(await refusal { try await fixture.house.bin.rule(rule.id) } == .missing)
        #expect(await refusal { try await fixture.house.bin.deleteRule(rule.id) } == .missing)
        #expect(await refusal { try await reader.deleteRule(rule.id) } == .forbidden)
        #expect(
            await refusal { try await reader.createRule(NewBinRule(resourceType: .snapshot, days: 9)) } == .forbidden)
        #expect(try await reader.rules().map(\.id) == [rule.id])
        // Another account's rule keeps nothing of this one's.
        let snapshot = try await fixture.snapshot(fixture.volume())
        try await fixture.snapshots.delete(snapshot)
        #expect(try await fixture.house.bin.list().snapshots.isEmpty)
        // What is in an account's bin is its own: it is not deleted with it.
        let theirs = fixture.house.verbs(for: Caller(account: account, principal: "eve", role: .administrator))
        _ = try await other.createRule(NewBinRule(resourceType: .volume, days: 9))
        let volume = try await theirs.volumes.create(CreateVolume(size: .mebibytes(1))).id
        try await theirs.volumes.delete(volume)
        #expect(try await theirs.bin.list().volumes.map(\.object.id) == [volume])
        #expect(await refusal { try await fixture.house.accounts.delete(account) } == .inUse)
        try await theirs.bin.empty(volume)
        try await fixture.eventually("it is gone") {
            try await theirs.tasks.list().contains {
                $0.subjectId == volume && $0.kind == .deleteVolume && $0.state == .succeeded
            }
        }
        try await fixture.house.accounts.delete(account)
        await fixture.house.close()
    }
}
