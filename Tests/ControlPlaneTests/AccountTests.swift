import Blocks
import Catalog
import ControlPlane
import Testing

@Suite struct AccountTests {
    private func account(_ fixture: HouseFixture, _ name: String = "builders") async throws -> Caller {
        let account = try await fixture.house.accounts.create(named: name)
        return Caller(account: account.id, principal: "bob", role: .administrator)
    }

    @Test("what one account makes the other does not see, and both have their own")
    func apart() async throws {
        let fixture = try await HouseFixture()
        let other = fixture.house.verbs(for: try await account(fixture))
        let mine = try await fixture.volume()
        let theirs = try await other.volumes.create(CreateVolume(size: .mebibytes(1))).id
        #expect(try await fixture.volumes.list().map(\.id) == [mine])
        #expect(try await other.volumes.list().map(\.id) == [theirs])
        let snapshot = try await other.snapshots.create(CreateSnapshot(volume: theirs)).id
        _ = try await other.snapshots.wait(for: snapshot)
        #expect(try await fixture.snapshots.list().isEmpty)
        #expect(try await other.snapshots.list().map(\.id) == [snapshot])
        #expect(try await other.tasks.list().allSatisfy { [theirs, snapshot].contains($0.subjectId) })
        let copy = try await other.volumes.create(CreateVolume(size: nil, origin: .snapshot(snapshot))).id
        let clone = try await other.volumes.create(CreateVolume(size: nil, origin: .volume(theirs))).id
        #expect(Set(try await other.volumes.list().map(\.id)) == [theirs, copy, clone])
        for id in [mine] {
            let refusal = await #expect(throws: ServiceError.self) { try await other.volumes.delete(id) }
            #expect(refusal?.code == .missing)
            #expect(refusal?.message == "there is no volume \(id)")
        }
        try await fixture.reopen()
        #expect(try await fixture.volumes.list().map(\.id) == [mine])
    }

    @Test(
        "a key is accepted until it is disabled or deleted, also after a restart, and its secret is nowhere in the clear"
    )
    func keys() async throws {
        let fixture = try await HouseFixture()
        let key = try await fixture.house.accounts.createKey(for: "ci", role: .operator)
        let secret = try #require(key.secretAccessKey)
        #expect(fixture.house.holder(of: key.id)?.secret == secret)
        #expect(try await fixture.house.accounts.keys().first?.secretAccessKey == nil)
        try await fixture.reopen()
        let holder = try #require(fixture.house.holder(of: key.id))
        #expect(holder.secret == secret)
        #expect(holder.caller == Caller(account: "100000000000", principal: "ci", role: .operator))
        _ = try await fixture.house.accounts.setActive(false, key: key.id)
        #expect(fixture.house.holder(of: key.id) == nil)
        try await fixture.reopen()
        #expect(fixture.house.holder(of: key.id) == nil)
        _ = try await fixture.house.accounts.setActive(true, key: key.id)
        #expect(fixture.house.holder(of: key.id)?.secret == secret)
        try await fixture.house.accounts.deleteKey(key.id)
        #expect(fixture.house.holder(of: key.id) == nil)
        await fixture.house.close()
        let catalog = try Catalog(sqlite: fixture.data + "/catalog.sqlite")
        let records = try await catalog.change { try $0.accessKeys() }
        #expect(records.isEmpty)
        catalog.close()
    }

    @Test("an account goes only when it owns nothing, and its keys with it")
    func deleting() async throws {
        let fixture = try await HouseFixture()
        let caller = try await account(fixture)
        let verbs = fixture.house.verbs(for: caller)
        let key = try await fixture.house.accounts.createKey(for: "bob", role: .administrator, in: caller.account)
        let volume = try await verbs.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let refusal = await #expect(throws: ServiceError.self) {
            try await fixture.house.accounts.delete(caller.account)
        }
        #expect(refusal?.code == .inUse)
        try await verbs.volumes.delete(volume)
        try await fixture.house.accounts.delete(caller.account)
        #expect(fixture.house.holder(of: key.id) == nil)
        #expect(try await fixture.house.accounts.list().count == 1)
        await #expect(throws: ServiceError.self) { try await fixture.house.accounts.delete("100000000000") }
    }

    @Test("only an administrator of the first account makes accounts, and others' keys are nobody else's affair")
    func refusals() async throws {
        let fixture = try await HouseFixture()
        let caller = try await account(fixture)
        let theirs = fixture.house.verbs(for: caller).accounts
        let key = try await fixture.house.accounts.createKey(for: "root's", role: .reader)
        #expect(try await theirs.list().map(\.id) == [caller.account])
        for attempt in [
            { _ = try await theirs.create(named: "more") }, { try await theirs.delete(caller.account) },
        ] as [@Sendable () async throws -> Void] {
            let refusal = await #expect(throws: ServiceError.self) { try await attempt() }
            #expect(refusal?.code == .forbidden)
        }
        for attempt in [
            { try await theirs.deleteKey(key.id) }, { _ = try await theirs.setActive(false, key: key.id) },
            { _ = try await theirs.keys(of: "100000000000") },
            { _ = try await theirs.createKey(for: "x", role: .reader, in: "100000000000") },
        ] as [@Sendable () async throws -> Void] {
            let refusal = await #expect(throws: ServiceError.self) { try await attempt() }
            #expect(refusal?.code == .missing)
        }
        var clerk = caller
        clerk.role = .operator
        let clerks = fixture.house.verbs(for: clerk)
        let refusal = await #expect(throws: ServiceError.self) { try await clerks.accounts.keys() }
        #expect(refusal?.code == .forbidden)
        _ = try await clerks.volumes.create(CreateVolume(size: .mebibytes(1)))
    }

    @Test("a house that was rebuilt from its store knows whose each snapshot is")
    func recovered() async throws {
        let fixture = try await HouseFixture()
        let caller = try await account(fixture)
        let verbs = fixture.house.verbs(for: caller)
        let volume = try await verbs.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let snapshot = try await verbs.snapshots.create(CreateSnapshot(volume: volume)).id
        _ = try await verbs.snapshots.wait(for: snapshot)
        await fixture.house.close()
        let plan = HousePlan(data: fixture.data + "-new", store: fixture.data + "/store")
        _ = try await House.recover(plan)
        let house = try await House.open(plan, exports: MemoryBoard())
        #expect(try await house.snapshots.list().isEmpty)
        #expect(try await house.verbs(for: caller).snapshots.list().map(\.id) == [snapshot])
        #expect(try await house.accounts.list().map(\.id) == ["100000000000", caller.account])
        await house.close()
    }
}
