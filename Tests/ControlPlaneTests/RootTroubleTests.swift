import Blocks
import Catalog
import TestSupport
import Testing

@testable import ControlPlane

/// New disks for instances to start from, where keys and sharing come into it.
@Suite(.serialized) struct RootTroubleTests {
    private static func setting() async throws -> RootTests.Setting {
        let scratch = try ScratchDirectory("varve-root-keys")
        let fixture = try await HouseFixture(holding: scratch, at: scratch.path + "/data")
        return try await RootTests.Setting(fixture, encryption: VolumeEncryption())
    }

    @Test("an encrypted disk is replaced by an encrypted one, of a snapshot in the clear too")
    func encrypted() async throws {
        let setting = try await Self.setting()
        let fixture = setting.fixture
        let old = try await fixture.volumes.show(setting.root)
        #expect(old.encrypted)
        #expect(try await !fixture.snapshots.show(setting.launch).encrypted)
        let made = try await fixture.house.instances.replaceRoot(RootTests.request(setting.instance))
        #expect(made.state == .succeeded, "\(made.reason ?? "")")
        let new = try await fixture.volumes.show(#require(made.newVolumeId))
        #expect(new.encrypted && new.keyId == old.keyId)
        #expect(try await fixture.look(new.id).prefix(256) == [UInt8](repeating: 1, count: 256)[...])
        // And of one that is encrypted, with what that has.
        let later = try await fixture.snapshot(new.id)
        let again = try await fixture.house.instances.replaceRoot(
            ReplaceRootVolume(setting.instance, with: .snapshot(later)))
        #expect(again.state == .succeeded, "\(again.reason ?? "")")
        #expect(try await fixture.volumes.show(#require(again.newVolumeId)).keyId == old.keyId)
        await fixture.house.close()
    }

    @Test("without the key it fails, rather than to wait for good and to keep the disk from being replaced otherwise")
    func keyGone() async throws {
        let setting = try await Self.setting()
        let fixture = setting.fixture
        let later = try await fixture.snapshot(setting.root)
        try await fixture.settled(setting.root)
        try await fixture.reopen { $0.keyFiles = [] }
        for content in [ReplaceRootVolume.Content.snapshot(later), .launch] {
            let made = try await fixture.house.instances.replaceRoot(
                ReplaceRootVolume(setting.instance, with: content))
            #expect(made.state == .failed && made.reason != nil, "\(content): \(made.reason ?? "")")
            let disks = try await fixture.house.instances.show(setting.instance).disks
            #expect(disks.map(\.volumeId) == [setting.root])
        }
        try await fixture.reopen()
        let made = try await fixture.house.instances.replaceRoot(
            ReplaceRootVolume(setting.instance, with: .snapshot(later)))
        #expect(made.state == .succeeded, "\(made.reason ?? "")")
        await fixture.house.close()
    }

    @Test(
        "an instance that was started while its new disk waited for the store keeps the old one, and what it wrote there",
        arguments: [false, true])
    func startedMeanwhile(isStoppedAgain: Bool) async throws {
        let setting = try await Self.setting()
        let (fixture, instance) = (setting.fixture, setting.instance)
        let later = try await fixture.snapshot(setting.root)
        try await fixture.settled(setting.root)
        _ = try await fixture.house.instances.set(.stopped, of: instance)
        // What the snapshot consists of is nowhere but in the store then.
        try await fixture.reopen()
        try fixture.hideStore()
        var request = ReplaceRootVolume(instance, with: .snapshot(later))
        request.state = .stopped
        request.deletesOld = true
        let waiting = try await fixture.house.instances.replaceRoot(request)
        #expect(waiting.state == .pending, "\(waiting)")
        // Instants are told apart by milliseconds.
        try await Task.sleep(for: .milliseconds(5))
        _ = try await fixture.house.instances.set(.running, of: instance)
        try await fixture.write(setting.root, 0..<8, 9)
        if isStoppedAgain { _ = try await fixture.house.instances.set(.stopped, of: instance) }
        try fixture.showStore()
        try await fixture.eventually("it is over") {
            try await fixture.house.instances.rootReplacements().allSatisfy { $0.endedAt != nil }
        }
        let over = try #require(try await fixture.house.instances.rootReplacements().first)
        #expect(over.state == .failed && over.reason?.contains(instance) == true, "\(over)")
        #expect(try await setting.disk().volumeId == setting.root)
        #expect(try await fixture.look(setting.root)[7...8] == [9, 2])
        await fixture.house.close()
    }

    /// What is recorded and not done yet, as the next start finds it.
    private static func resume(
        _ setting: RootTests.Setting, _ change: (inout RootReplacementRecord) -> Void = { _ in }
    ) async throws -> RootReplacementView {
        let house = setting.fixture.house.household
        var one = RootReplacementRecord(
            id: Identifier.replacement.next(), account: Caller.root.account, instanceID: setting.instance,
            device: "/dev/sda1", snapshotID: setting.launch, size: .mebibytes(1), oldVolume: setting.root,
            deletesOld: true, startedAt: house.clock.now())
        change(&one)
        let planned = one, task = house.newTask(.replaceRoot, about: one.id, of: Caller.root.account)
        try await house.catalog.change { session in
            try session.insert(planned)
            try session.insert(task)
        }
        await ReplaceRoot(house: house).run(task)
        let found = try await setting.fixture.house.instances.rootReplacements().first { $0.id == planned.id }
        return try #require(found)
    }

    @Test("the new disk is as large as the old one when it is made, not when it was asked for")
    func grown() async throws {
        let setting = try await RootTests.Setting(HouseFixture())
        _ = try await setting.fixture.volumes.modify(setting.root, ModifyVolume(size: .mebibytes(5)))
        let made = try await Self.resume(setting)
        #expect(made.state == .succeeded, "\(made.reason ?? "")")
        let new = try await setting.fixture.volumes.show(#require(made.newVolumeId))
        #expect(new.sizeBytes == 5 << 20)
        #expect(await refusal { try await setting.fixture.volumes.show(setting.root) } == .missing)
        await setting.fixture.house.close()
    }

    @Test("the old disk is not deleted when the new one cannot be opened")
    func newIsSpoilt() async throws {
        let setting = try await RootTests.Setting(HouseFixture())
        let house = setting.fixture.house.household
        let request = CreateVolume(size: nil, origin: .snapshot(setting.launch))
        let new = try await setting.fixture.volumes.create(request).id
        try await house.catalog.change { session in
            var attachment = try #require(try session.volumeAttachment(setting.root))
            attachment.objectID = new
            try session.detachVolume(setting.root)
            try session.attachVolume(attachment)
        }
        let entry = house.live[new]
        house.live.set(new, .quarantined("as if"))
        let made = try await Self.resume(setting) {
            $0.state = .exchanged
            $0.newVolume = new
        }
        #expect(made.state == .succeeded && made.reason?.contains(setting.root) == true)
        #expect(try await setting.fixture.volumes.show(setting.root).state == .available)
        house.live.set(new, entry)
        await setting.fixture.house.close()
    }

    @Test("what fails after the old disk was withdrawn offers it again, also where that failed at first")
    func offeredAgain() async throws {
        let setting = try await RootTests.Setting(HouseFixture())
        let (fixture, root, instance) = (setting.fixture, setting.root, setting.instance)
        let house = fixture.house.household
        let elsewhere = try await fixture.house.instances.launch(NewInstances())[0].id
        var hooks = MemoryBoard.Hooks()
        hooks.refused = [root]
        hooks.withdrawing = { name in
            guard name == root else { return }
            // The new disk goes to another place between the check and the exchange.
            try? await house.catalog.change { session in
                guard let new = try session.rootReplacements(ofInstance: instance).first?.newVolume,
                    try session.volumeAttachment(new) == nil
                else { return }
                try session.attachVolume(
                    AttachmentRecord(
                        objectID: new, host: elsewhere, device: "/dev/sdb", attachedAt: house.clock.now()))
            }
        }
        fixture.board.set(hooks)
        let made = try await fixture.house.instances.replaceRoot(RootTests.request(instance))
        fixture.board.set(MemoryBoard.Hooks())
        #expect(made.state == .failed && made.reason?.contains(elsewhere) == true, "\(made)")
        #expect(try await setting.disk().volumeId == root)
        #expect(fixture.board.names.contains(root))
        #expect(try await fixture.look(root)[63] == 2)
        await fixture.house.close()
    }

    @Test("one that was put off asks again whether it may use the snapshot, by itself or through an image")
    func sharingEnds() async throws {
        let fixture = try await HouseFixture()
        let account = try await fixture.house.accounts.create(named: "others").id
        let theirs = fixture.house.verbs(for: Caller(account: account, principal: "eve", role: .administrator))
        let volume = try await theirs.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let shared = try await theirs.snapshots.create(CreateSnapshot(volume: volume)).id
        _ = try await theirs.snapshots.wait(for: shared)
        let me = [Caller.root.account]
        _ = try await theirs.snapshots.share(shared, SharingChange(adding: me))
        var request = NewInstances()
        request.disks = [
            NewInstances.Disk(
                device: "/dev/sda1", volume: CreateVolume(size: nil, origin: .snapshot(shared)),
                goesWithInstance: true)
        ]
        let launched = try await fixture.house.instances.launch(request)[0]
        let image = try await ImageTests.register(shared, "base", theirs.images).id
        _ = try await theirs.images.share(image, SharingChange(adding: me))
        _ = try await theirs.snapshots.share(shared, SharingChange(removing: me))

        /// As the next start takes up what was recorded before the sharing ended.
        func resume(of image: String?) async throws -> RootReplacementView? {
            let house = fixture.house.household
            let old = try #require(try await fixture.house.instances.show(launched.id).disks.first).volumeId
            var one = RootReplacementRecord(
                id: Identifier.replacement.next(), account: Caller.root.account, instanceID: launched.id,
                device: "/dev/sda1", snapshotID: shared, size: .mebibytes(1), oldVolume: old, deletesOld: false,
                startedAt: house.clock.now())
            one.imageID = image
            let planned = one, task = house.newTask(.replaceRoot, about: one.id, of: Caller.root.account)
            try await house.catalog.change { session in
                try session.insert(planned)
                try session.insert(task)
            }
            await ReplaceRoot(house: house).run(task)
            return try await fixture.house.instances.rootReplacements().first { $0.id == planned.id }
        }
        let failed = try await resume(of: nil)
        #expect(failed?.state == .failed && failed?.reason?.contains(shared) == true, "\(failed?.reason ?? "")")
        #expect(try await fixture.volumes.list().count == 1)
        #expect(try await resume(of: image)?.state == .succeeded)
        _ = try await theirs.images.share(image, SharingChange(removing: me))
        #expect(try await resume(of: image)?.state == .failed)
        await fixture.house.close()
    }
}
