import Blocks
import ControlPlane
import Glibc
import TestSupport
import Testing

/// Volumes whose snapshots are encrypted, with their key, with another, and without.
@Suite(.serialized) struct EncryptedVolumeTests {
    /// A house with one key file.
    private func house() async throws -> HouseFixture {
        let scratch = try ScratchDirectory("varve-keys")
        let data = scratch.path + "/data"
        return try await HouseFixture(holding: scratch, at: data)
    }

    private func withoutKeys(_ plan: inout HousePlan) { plan.keyFiles = [] }

    @Test("what is made of an encrypted snapshot is encrypted with the same key, and shares what it stored")
    func lineage() async throws {
        let fixture = try await house()
        let volume = try await fixture.volume(encryption: VolumeEncryption())
        let key = try await fixture.house.keys.list()[0]
        #expect(key.isHere && key.isDefault && key.dataKeyCount == 1)
        let shown = try await fixture.volumes.show(volume)
        #expect(shown.encrypted && shown.keyId == key.id)
        try await fixture.write(volume, 0..<200, 1)
        let first = try await fixture.snapshot(volume)
        try await fixture.write(volume, 5..<10, 2)
        let second = try await fixture.snapshot(volume)
        let view = try await fixture.snapshots.show(second)
        #expect(view.encrypted && view.keyId == key.id && view.changedBytes == 5 * 4096)
        #expect(try await fixture.snapshots.diff(first, second).bytes == 5 * 4096)
        let now = try await fixture.look(volume)
        #expect(try await fixture.restore(second) == now)
        #expect(try await fixture.look(snapshot: second) == now)

        let restored = try await fixture.volumes.create(CreateVolume(size: nil, origin: .snapshot(first)))
        let clone = try await fixture.volumes.create(CreateVolume(size: nil, origin: .volume(volume)))
        for made in [restored, clone] { #expect(made.encrypted && made.keyId == key.id) }
        _ = try await fixture.volumes.attach(clone.id)
        #expect(try await fixture.look(clone.id) == now)
        try await fixture.write(clone.id, 100..<101, 3)
        let ofClone = try await fixture.snapshots.show(fixture.snapshot(clone.id))
        #expect(ofClone.encrypted && ofClone.keyId == key.id && (ofClone.changedBytes ?? .max) < 64 * 4096)
        #expect(try await fixture.house.keys.list()[0].dataKeyCount == 1, "one lineage, one data key")

        _ = try await fixture.volumes.detach(volume)
        _ = try await fixture.volumes.rollBack(volume, to: first)
        _ = try await fixture.volumes.attach(volume)
        #expect(try await fixture.look(volume).prefix(200) == [UInt8](repeating: 1, count: 200)[...])
        try await fixture.snapshots.delete(first)
        _ = try await fixture.house.store.reclaim(grace: .zero)
        for level in VerifyLevel.allCases {
            let report = try await fixture.house.store.verify(level)
            #expect(report.isSound && report.lockedSnapshotIds == nil, "\(level): \(report.problems)")
        }
        await fixture.house.close()
    }

    @Test("one that its token made already is there without the store, and no further key is made")
    func token() async throws {
        let fixture = try await house()
        var request = CreateVolume(size: .mebibytes(1), encryption: VolumeEncryption())
        request.token = RequestToken("once", fingerprint: "a")
        let first = try await fixture.volumes.create(request).id
        try fixture.hideStore()
        #expect(try await fixture.volumes.create(request).id == first)
        try fixture.showStore()
        #expect(try await fixture.house.keys.list()[0].dataKeyCount == 1)
        await fixture.house.close()
    }

    @Test("a pending snapshot is used at once, while the store is away, and completed later")
    func pending() async throws {
        let fixture = try await house()
        let volume = try await fixture.volume(encryption: VolumeEncryption())
        try await fixture.write(volume, 0..<50, 1)
        try fixture.hideStore()
        let snapshot = try await fixture.snapshot(volume, wait: false)
        try await fixture.write(volume, 0..<50, 2)
        let content = try await fixture.restore(snapshot)
        #expect(content.prefix(50) == [UInt8](repeating: 1, count: 50)[...])
        try fixture.showStore()
        fixture.house.store.retryUploads()
        #expect(try await fixture.snapshots.wait(for: snapshot).encrypted)
        #expect(try await fixture.restore(snapshot) == content)
        await fixture.house.close()
    }

    @Test("without the key what needs it waits or is refused by its name, and everything else goes on")
    func missingKey() async throws {
        let fixture = try await house()
        let secret = try await fixture.volume(encryption: VolumeEncryption())
        let plain = try await fixture.volume()
        try await fixture.write(secret, 0..<50, 1)
        try await fixture.write(plain, 0..<50, 7)
        let first = try await fixture.snapshot(secret)
        let key = try #require(try await fixture.snapshots.show(first).keyId)

        try await fixture.reopen(withoutKeys)
        #expect(try await fixture.look(secret).prefix(50) == [UInt8](repeating: 1, count: 50)[...])
        try await fixture.write(secret, 0..<10, 2)
        let waiting = try await fixture.snapshot(secret, wait: false)
        try await fixture.eventually("it says which key it waits for") {
            try await fixture.snapshots.show(waiting).reason?.contains(key) == true
        }
        #expect(try await fixture.snapshots.show(waiting).state == .pending)
        let other = try await fixture.snapshot(plain)
        #expect(try await fixture.restore(other).prefix(50) == [UInt8](repeating: 7, count: 50)[...])
        do {
            _ = try await fixture.volumes.create(CreateVolume(size: nil, origin: .snapshot(first)))
            Issue.record("a volume without its key was made")
        } catch let error as ServiceError {
            #expect(error.code == .unavailable && error.message.contains(key) && error.message.contains("--key-file"))
        }
        #expect(try await fixture.volumes.list().count == 2, "nothing is half made")
        let report = try await fixture.house.store.verify()
        #expect(report.isSound && report.lockedSnapshotIds == [first])
        #expect(try await fixture.house.keys.list().map(\.isHere) == [false])

        try await fixture.reopen()
        _ = try await fixture.snapshots.wait(for: waiting)
        #expect(try await fixture.restore(waiting).prefix(10) == [UInt8](repeating: 2, count: 10)[...])

        // What is encrypted can be deleted without its key, the volume's own parent too.
        try await fixture.reopen(withoutKeys)
        for id in [waiting, first] { try await fixture.snapshots.delete(id) }
        try await fixture.eventually("the deletions end") {
            try await fixture.house.tasks.list().allSatisfy { $0.state != .running && $0.state != .waiting }
        }
        #expect(try await fixture.house.store.status().snapshotCount == 1)
        try await fixture.reopen()
        let full = try await fixture.snapshot(secret)
        #expect(try await fixture.snapshots.show(full).parentId == nil)
        #expect(try await fixture.restore(full).prefix(10) == [UInt8](repeating: 2, count: 10)[...])
        await fixture.house.close()
    }

    @Test("what cannot be encrypted as asked is refused, and nothing is made")
    func refusals() async throws {
        let fixture = try await house()
        let plain = try await fixture.volume()
        try await fixture.write(plain, 0..<5, 1)
        let snapshot = try await fixture.snapshot(plain)
        let stranger = "arn:aws:kms:local:000000000000:key/01234567-89ab-cdef-0123-456789abcdef"
        let wanted: [CreateVolume] = [
            CreateVolume(size: nil, origin: .snapshot(snapshot), encryption: VolumeEncryption(key: stranger)),
            CreateVolume(size: nil, origin: .volume(plain), encryption: VolumeEncryption()),
            CreateVolume(size: .mebibytes(1), encryption: VolumeEncryption(key: stranger)),
            CreateVolume(size: .mebibytes(1), encryption: VolumeEncryption(key: "no key")),
        ]
        for request in wanted { #expect(await refusal { try await fixture.volumes.create(request) } == .invalid) }
        try await fixture.reopen(withoutKeys)
        #expect(
            await refusal {
                try await fixture.volumes.create(CreateVolume(size: .mebibytes(1), encryption: VolumeEncryption()))
            } == .invalid)
        #expect(try await fixture.volumes.list().count == 1)
        await fixture.house.close()
    }

    @Test("an encrypted volume of an unencrypted snapshot shares nothing with it: its first snapshot is full")
    func ofUnencrypted() async throws {
        let fixture = try await house()
        let plain = try await fixture.volume()
        try await fixture.write(plain, 0..<200, 1)
        let origin = try await fixture.snapshot(plain)
        let asked = CreateVolume(size: nil, origin: .snapshot(origin), encryption: VolumeEncryption())
        let made = try await fixture.volumes.create(asked)
        let key = try await fixture.house.keys.list()[0]
        #expect(made.encrypted && made.keyId == key.id && made.parentSnapshotId == nil && key.dataKeyCount == 1)
        _ = try await fixture.volumes.attach(made.id)
        try await fixture.write(made.id, 0..<1, 2)
        let content = try await fixture.look(made.id)
        let first = try await fixture.snapshots.show(fixture.snapshot(made.id))
        #expect(first.encrypted && first.keyId == key.id && first.parentId == nil && first.changedBytes == 200 * 4096)
        try await fixture.write(made.id, 1..<2, 3)
        let second = try await fixture.snapshots.show(fixture.snapshot(made.id))
        #expect(second.parentId == first.id && second.changedBytes == 4096)
        #expect(try await fixture.restore(first.id) == content)
        _ = try await fixture.volumes.detach(made.id)
        #expect(await refusal { try await fixture.volumes.rollBack(made.id, to: origin) } == .invalid)

        // The account wants it of all new volumes: also of a pending snapshot; a clone stays as its volume is.
        _ = try await fixture.house.accounts.set(encryptsByDefault: true)
        try fixture.hideStore()
        try await fixture.write(plain, 7..<8, 4)
        let pending = try await fixture.snapshot(plain, wait: false)
        try fixture.showStore()
        let request = CreateVolume(size: nil, origin: .snapshot(pending))
        let ofPending = try await fixture.volumes.create(request)
        #expect(ofPending.encrypted)
        let clone = try await fixture.volumes.create(CreateVolume(size: nil, origin: .volume(plain)))
        #expect(!clone.encrypted)
        fixture.house.store.retryUploads()
        _ = try await fixture.snapshots.wait(for: pending)
        let full = try await fixture.snapshots.show(fixture.snapshot(ofPending.id))
        #expect(full.encrypted && full.parentId == nil && full.changedBytes == 200 * 4096)
        #expect(try await fixture.restore(full.id) == fixture.look(plain))
        try await fixture.snapshots.delete(origin)
        try await fixture.reopen()
        #expect(try await fixture.restore(first.id) == content)
        try await fixture.quiet()
        for level in VerifyLevel.allCases { #expect(try await fixture.house.store.verify(level).isSound) }
        await fixture.house.close()
    }

    @Test("a key file that others can read, or that is none, keeps the server from starting and says why")
    func keyFiles() async throws {
        let scratch = try ScratchDirectory("varve-keys")
        func file(_ name: String, _ text: String, _ mode: mode_t) throws -> String {
            let path = scratch.path + "/" + name
            let file = try LocalDisk().open(path, .createNew)
            try Array(text.utf8).readBytes { (bytes) throws(BlockFailure) in
                try file.write(bytes, at: 0, durably: false)
            }
            let status = unsafe chmod(path, mode)
            #expect(status == 0)
            return path
        }
        let digits = String(repeating: "0f", count: 32)
        func tried(_ change: (inout HousePlan) -> Void) async -> String? {
            var plan = HousePlan(data: scratch.path + "/data")
            change(&plan)
            do {
                let house = try await House.open(plan, exports: MemoryBoard())
                await house.close()
                return nil
            } catch let error as ServiceError {
                #expect(!error.description.contains(digits), "a key is never told")
                return error.message
            } catch {
                return "no service error: \(error)"
            }
        }
        for mode in [0o644, 0o640, 0o604, 0o620] as [mode_t] {
            let path = try file("open-\(mode)", digits, mode)
            for message in [await tried { $0.keyFiles = [path] }, await tried { $0.passphraseFiles = [path] }] {
                #expect(message?.contains(path) == true && message?.contains("0" + String(mode, radix: 8)) == true)
            }
        }
        let short = try file("short", "0123", 0o600), empty = try file("empty", "\n", 0o600)
        let letters = try file("letters", String(repeating: "x", count: 64), 0o600)
        for path in [short, empty, letters, scratch.path + "/missing", scratch.path] {
            #expect(await tried { $0.keyFiles = [path] }?.contains(path) == true, "\(path)")
        }
        #expect(await tried { $0.passphraseFiles = [empty] }?.contains(empty) == true)
        let good = try file("good", digits + "\n", 0o600), readOnly = try file("read-only", digits.uppercased(), 0o400)
        #expect(await tried { $0.keyFiles = [good, readOnly] } == nil)
        let made = try KeyFiles.make(at: scratch.path + "/made")
        #expect(try LocalDisk().facts(scratch.path + "/made")?.permissions == 0o600)
        #expect(made.hasPrefix("arn:aws:kms:local:000000000000:key/"))
        #expect(throws: ServiceError.self) { try KeyFiles.make(at: scratch.path + "/made") }
    }

    @Test("the store alone and the key file bring everything back")
    func recover() async throws {
        let fixture = try await house()
        let volume = try await fixture.volume(encryption: VolumeEncryption())
        try await fixture.write(volume, 0..<50, 1)
        let snapshot = try await fixture.snapshot(volume)
        let key = try await fixture.snapshots.show(snapshot).keyId
        await fixture.house.close()

        // Recovering needs no key; reading does.
        let other = fixture.data + "-new"
        let report = try await House.recover(HousePlan(data: other, store: fixture.data + "/store"))
        #expect(report.snapshotCount == 1 && report.problems == [])
        var plan = HousePlan(data: other)
        let locked = try await House.open(plan, exports: MemoryBoard())
        let view = try await locked.snapshots.show(snapshot)
        #expect(view.encrypted && view.keyId == key && key != nil)
        #expect(
            await refusal { try await locked.volumes.create(CreateVolume(size: nil, origin: .snapshot(snapshot))) }
                == .unavailable)
        await locked.close()
        plan.keyFiles = [fixture.data + ".key"]
        let board = MemoryBoard()
        let open = try await House.open(plan, exports: board)
        let made = try await open.volumes.create(CreateVolume(size: nil, origin: .snapshot(snapshot)))
        #expect(made.encrypted && made.keyId == key)
        _ = try await open.volumes.attach(made.id)
        let device = try #require(board.device(made.id))
        let content = try await onThread { try HouseFixture.readAll(device) }
        #expect(content.prefix(50 * 4096).allSatisfy { $0 == 1 })
        await open.close()
    }
}
