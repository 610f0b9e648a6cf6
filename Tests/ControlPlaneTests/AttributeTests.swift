import Blocks
import ControlPlane
import TestSupport
import Testing

/// What is settled about accounts, volumes, instances and snapshots, beside what they are.
@Suite struct AttributeTests {
    @Test("while encryption is the account's default new empty volumes are encrypted, also after a restart")
    func encryptionByDefault() async throws {
        let scratch = try ScratchDirectory("varve-attributes")
        let fixture = try await HouseFixture(holding: scratch, at: scratch.path + "/data")
        let accounts = fixture.house.accounts
        #expect(try await accounts.encryptionByDefault() == EncryptionByDefault())
        #expect(try await !fixture.volumes.create(CreateVolume(size: .mebibytes(1))).encrypted)
        #expect(try await accounts.set(encryptsByDefault: true).isOn)
        #expect(await refusal { try await accounts.set(defaultKey: "nonsense") } == .invalid)
        let strange = "01234567-89ab-cdef-0123-456789abcdef"
        #expect(await refusal { try await accounts.set(defaultKey: strange) } == .invalid)
        let key = try #require(try await fixture.house.keys.list().first).id
        #expect(try await accounts.set(defaultKey: key).keyId == key)
        try await fixture.reopen()
        let made = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1)))
        #expect(made.encrypted && made.keyId == key)
        let again = fixture.house.accounts
        #expect(try await again.set(encryptsByDefault: false) == EncryptionByDefault(isOn: false, keyId: key))
        #expect(try await !fixture.volumes.create(CreateVolume(size: .mebibytes(1))).encrypted)
        #expect(try await again.set(defaultKey: nil).keyId == nil)
        let other = Caller(account: "100000000000", principal: "op", role: .operator)
        let theirs = fixture.house.verbs(for: other).accounts
        #expect(await refusal { try await theirs.set(encryptsByDefault: true) } == .forbidden)
    }

    @Test("without a key nothing can be encrypted by default")
    func noKey() async throws {
        let fixture = try await HouseFixture()
        #expect(await refusal { try await fixture.house.accounts.set(encryptsByDefault: true) } == .wrongState)
        #expect(try await !fixture.volumes.create(CreateVolume(size: .mebibytes(1))).encrypted)
    }

    @Test("five snapshots are restored fast, each as long as it is there")
    func fastRestores() async throws {
        let fixture = try await HouseFixture()
        let volume = try await fixture.volume()
        var snapshots: [String] = []
        for _ in 0..<6 { snapshots.append(try await fixture.snapshot(volume)) }
        let zone = fixture.house.region.zones[0]
        for id in snapshots.prefix(5) { _ = try await fixture.snapshots.restoreFast(id, in: zone.name) }
        let snapshotService = fixture.snapshots
        let first = try await snapshotService.restoreFast(snapshots[0], in: zone.id)
        #expect(first.zone == zone.name, "again is no error")
        #expect(await refusal { try await snapshotService.restoreFast(snapshots[5], in: zone.name) } == .limitExceeded)
        #expect(await refusal { try await fixture.snapshots.restoreFast(snapshots[0], in: "mars") } == .missing)
        try await fixture.reopen()
        try await fixture.snapshots.delete(snapshots[0])
        #expect(try await fixture.snapshots.fastRestores().map(\.snapshotId) == snapshots[1..<5].sorted())
        _ = try await fixture.snapshots.restoreFast(snapshots[5], in: zone.name)
        _ = try await fixture.snapshots.restoreNoMoreFast(snapshots[1], in: zone.name)
        let again = await refusal { try await fixture.snapshots.restoreNoMoreFast(snapshots[1], in: zone.name) }
        #expect(again == .wrongState)
        #expect(try await fixture.snapshots.fastRestores().count { $0.disablingAt == nil } == 4)
    }

    @Test("what is settled about a volume and an instance stays over a restart, and changes all together or not at all")
    func attributes() async throws {
        let fixture = try await HouseFixture()
        var request = NewInstances()
        request.disks = [
            NewInstances.Disk(device: "/dev/sda1", volume: CreateVolume(size: .mebibytes(1)), goesWithInstance: true)
        ]
        request.attributes.userData = "aGk="
        let made = try await fixture.house.instances.launch(request)[0]
        #expect(made.rootDevice == "/dev/sda1")
        var change = InstanceChange()
        change.kind = "t3.large"
        change.isKeptRunning = true
        change.endsOnShutdown = true
        change.goesWithInstance = ["/dev/xvda1": false]
        try await fixture.house.instances.change(made.id, change)
        let volume = made.disks[0].volumeId
        #expect(try await !fixture.volumes.startsIOItself(volume))
        try await fixture.volumes.set(startsIOItself: true, of: volume)
        try await fixture.reopen()
        let instances = fixture.house.instances
        #expect(try await fixture.volumes.startsIOItself(volume))
        let shown = try await instances.show(made.id), attributes = try await instances.attributes(of: made.id)
        #expect(shown.kind == "t3.large" && !shown.disks[0].goesWithInstance)
        #expect(attributes.isKeptRunning && attributes.endsOnShutdown && attributes.userData == "aGk=")
        #expect(await refusal { try await instances.set(.stopped, of: made.id) } == .locked)
        var wrong = InstanceChange()
        wrong.isKeptRunning = false
        wrong.goesWithInstance = ["/dev/sdz": true]
        let refused = wrong
        #expect(await refusal { try await instances.change(made.id, refused) } == .missing)
        #expect(try await instances.attributes(of: made.id).isKeptRunning, "nothing of it was done")
        var tooMuch = InstanceChange()
        tooMuch.userData = String(repeating: "A", count: 30_000)
        let large = tooMuch
        #expect(await refusal { try await instances.change(made.id, large) } == .invalid)
        _ = try await instances.terminate(made.id)
        #expect(await refusal { try await instances.change(made.id, change) } == .wrongState)
    }
}
