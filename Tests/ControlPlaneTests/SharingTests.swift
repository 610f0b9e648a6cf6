import Blocks
import ControlPlane
import Testing

@Suite struct SharingTests {
    /// A house with two snapshots of one volume of the first account, of which the later one may be shared, and another
    /// account's verbs.
    private static func shared() async throws -> (HouseFixture, snapshot: String, Caller, Verbs) {
        let fixture = try await HouseFixture()
        let account = try await fixture.house.accounts.create(named: "builders")
        let caller = Caller(account: account.id, principal: "bob", role: .administrator)
        let volume = try await fixture.volume()
        try await fixture.write(volume, 0..<4, 7)
        let earlier = try await fixture.snapshots.create(CreateSnapshot(volume: volume)).id
        _ = try await fixture.snapshots.wait(for: earlier)
        try await fixture.write(volume, 4..<8, 8)
        let request = CreateSnapshot(volume: volume, name: "mine", description: "for you", tags: ["a": "b"])
        let snapshot = try await fixture.snapshots.create(request).id
        _ = try await fixture.snapshots.wait(for: snapshot)
        return (fixture, snapshot, caller, fixture.house.verbs(for: caller))
    }

    @Test("a shared snapshot is seen and made volumes of, nothing else, until it is shared no more")
    func sharing() async throws {
        let (fixture, snapshot, caller, theirs) = try await Self.shared()
        #expect(await refusal { _ = try await theirs.snapshots.show(snapshot) } == .missing)
        let account = caller.account
        let sharing = try await fixture.snapshots.share(
            snapshot, SharingChange(adding: [account, "100000000000"]))
        #expect(sharing == SnapshotSharing(accounts: [account]), "one's own account is no change")
        let seen = try await theirs.snapshots.show(snapshot)
        #expect(seen.ownerId == "100000000000" && seen.description == "for you" && seen.state == .completed)
        #expect(seen.name == nil && seen.tags == nil && seen.exclusiveBytes == nil && seen.storedBytes == nil)
        #expect(try await theirs.snapshots.sharedWithCaller().map(\.id) == [snapshot])
        #expect(try await theirs.snapshots.list().isEmpty)
        let copy = try await theirs.volumes.create(CreateVolume(size: nil, origin: .snapshot(snapshot)))
        #expect(copy.originSnapshotId == snapshot && copy.parentSnapshotId == nil)
        for attempt in [
            { try await theirs.snapshots.delete(snapshot) },
            { _ = try await theirs.snapshots.sharing(of: snapshot) },
            { _ = try await theirs.snapshots.share(snapshot, SharingChange(adding: ["123456789012"])) },
            { _ = try await theirs.snapshots.attach(snapshot) },
            { _ = try await theirs.snapshots.verify(snapshot) },
            { _ = try await theirs.volumes.rollBack(copy.id, to: snapshot) },
        ] as [@Sendable () async throws -> Void] {
            #expect(await refusal { try await attempt() } == .missing)
        }
        // The account's own snapshot of what it made is its own.
        let own = try await theirs.snapshots.create(CreateSnapshot(volume: copy.id)).id
        _ = try await theirs.snapshots.wait(for: own)
        #expect(await refusal { _ = try await fixture.snapshots.show(own) } == .missing)
        _ = try await fixture.snapshots.share(snapshot, SharingChange(removing: [account]))
        #expect(await refusal { _ = try await theirs.snapshots.show(snapshot) } == .missing)
        try await fixture.snapshots.delete(snapshot)
        #expect(try await theirs.snapshots.verify(own).problems.isEmpty)
        try await fixture.reopen()
        let again = fixture.house.verbs(for: caller)
        #expect(try await again.volumes.show(copy.id).state == .available)
        _ = try await again.volumes.attach(copy.id)
        #expect(try await fixture.look(copy.id).prefix(9) == [7, 7, 7, 7, 8, 8, 8, 8, 0])
        // Neither hears of the other's things, in whatever became of theirs.
        let mine = try await fixture.volumes.list().map(\.id) + fixture.snapshots.list().map(\.id)
        let others = [copy.id, own]
        let told = try await "\(again.volumes.list())\(again.snapshots.list())\(again.tasks.list())"
        let heard = try await "\(fixture.volumes.list())\(fixture.snapshots.list())\(fixture.house.tasks.list())"
        #expect(!mine.isEmpty && !mine.contains { told.contains($0) }, "\(told)")
        #expect(!others.contains { heard.contains($0) }, "\(heard)")
    }

    @Test("what is public is everybody's until the account hides it, and then nothing new can be made public")
    func publicAccess() async throws {
        let (fixture, snapshot, _, theirs) = try await Self.shared()
        _ = try await fixture.snapshots.share(snapshot, SharingChange(isPublic: true))
        #expect(try await theirs.snapshots.show(snapshot).sharing == SnapshotSharing(isPublic: true))
        try await fixture.snapshots.set(publicAccess: .blockNewSharing)
        #expect(try await theirs.snapshots.sharedWithCaller().map(\.id) == [snapshot])
        try await fixture.snapshots.set(publicAccess: .blockAllSharing)
        #expect(try await theirs.snapshots.sharedWithCaller().isEmpty)
        #expect(await refusal { _ = try await theirs.snapshots.show(snapshot) } == .missing)
        #expect(try await fixture.snapshots.sharing(of: snapshot).isPublic, "hidden, not changed")
        let again = SharingChange(isPublic: true)
        #expect(await refusal { _ = try await fixture.snapshots.share(snapshot, again) } == .forbidden)
        #expect(try await theirs.snapshots.publicAccess() == .unblocked, "each account settles it for itself")
        try await fixture.snapshots.set(publicAccess: .unblocked)
        #expect(try await theirs.snapshots.sharedWithCaller().map(\.id) == [snapshot])
    }

    @Test("refused changes change nothing")
    func refusals() async throws {
        let (fixture, snapshot, caller, _) = try await Self.shared()
        for wrong in ["", "1", "12345678901x", "1234567890123", "all", "１２３４５６７８９０１２"] {
            let change = SharingChange(adding: [caller.account, wrong], isPublic: true)
            #expect(await refusal { _ = try await fixture.snapshots.share(snapshot, change) } == .invalid)
        }
        let many = SharingChange(adding: (0..<1001).map { String(200_000_000_000 + $0) })
        #expect(await refusal { _ = try await fixture.snapshots.share(snapshot, many) } == .limitExceeded)
        #expect(try await fixture.snapshots.sharing(of: snapshot) == SnapshotSharing())
        let reader = fixture.house.verbs(for: Caller(account: "100000000000", principal: "ann", role: .reader))
        #expect(await refusal { _ = try await reader.snapshots.share(snapshot, SharingChange()) } == .forbidden)
        #expect(try await reader.snapshots.sharing(of: snapshot) == SnapshotSharing())
        let clerk = fixture.house.verbs(for: Caller(account: "100000000000", principal: "ci", role: .operator))
        #expect(await refusal { try await clerk.snapshots.set(publicAccess: .blockAllSharing) } == .forbidden)
    }
}
