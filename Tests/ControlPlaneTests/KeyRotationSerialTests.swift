import Blocks
import ControlPlane
import TestSupport
import Testing

/// Wrapping keys are exchanged, also by passphrases, and also when the process dies at any step of it.
@Suite(.serialized) struct KeyRotationSerialTests {
    static let points = [
        "rotate.recorded", "rotate.wrapped", "rotate.wrapped:2", "rotate.added", "rotate.unwrapped",
        "rotate.unwrapped:2", "rotate.catalogued",
    ]

    private static func write(_ text: String, to path: String) throws {
        let file = try LocalDisk().open(path, .createNew)
        try Array(text.utf8).readBytes { (bytes) throws(BlockFailure) in try file.write(bytes, at: 0, durably: false) }
    }

    @Test("after a rotation the new key opens everything, and the old one nothing")
    func rotation() async throws {
        let scratch = try ScratchDirectory("varve-rotation")
        let old = scratch.path + "/data.key", new = scratch.path + "/new"
        let newID = try KeyFiles.make(at: new)
        let fixture = try await HouseFixture(at: scratch.path + "/data")
        let volume = try await fixture.volume(encryption: VolumeEncryption())
        try await fixture.write(volume, 0..<50, 1)
        let first = try await fixture.snapshot(volume)
        let oldID = try #require(try await fixture.snapshots.show(first).keyId)
        #expect(await refusal { try await fixture.house.keys.rotate(to: newID) } == .invalid, "it is not here")

        try await fixture.reopen { $0.keyFiles = [old, new] }
        let done = try await fixture.house.keys.rotate(to: newID, from: oldID)
        #expect(done.isDone && done.dataKeyCount == 1 && done.reason == nil)
        #expect(await refusal { try await fixture.house.keys.rotate(to: newID, from: newID) } == .invalid)
        #expect(try await fixture.snapshots.show(first).keyId == newID)
        #expect(try await fixture.volumes.show(volume).keyId == newID)
        let another = try await fixture.volumes.create(
            CreateVolume(size: .mebibytes(1), encryption: VolumeEncryption()))
        #expect(another.keyId == newID, "new volumes get the new key")
        try await fixture.write(volume, 0..<10, 2)
        _ = try await fixture.snapshot(volume)

        try await fixture.reopen { $0.keyFiles = [new] }
        #expect(try await fixture.restore(first).prefix(50) == [UInt8](repeating: 1, count: 50)[...])
        try await fixture.reopen { $0.keyFiles = [old] }
        #expect(
            await refusal { try await fixture.volumes.create(CreateVolume(size: nil, origin: .snapshot(first))) }
                == .unavailable)
        await fixture.house.close()
    }

    @Test("with the store away a rotation is refused, or waits until it is back, and never calls nothing a success")
    func storeAway() async throws {
        let scratch = try ScratchDirectory("varve-rotation")
        let new = scratch.path + "/new"
        let newID = try KeyFiles.make(at: new)
        let fixture = try await HouseFixture(at: scratch.path + "/data") { $0.keyFiles.append(new) }
        let volume = try await fixture.volume(encryption: VolumeEncryption())
        try await fixture.write(volume, 0..<50, 1)
        let first = try await fixture.snapshot(volume)
        try fixture.hideStore()
        let begun = try await fixture.house.keys.rotate(to: newID)
        #expect(!begun.isDone && begun.reason != nil && begun.dataKeyCount == 0)
        try fixture.showStore()
        try await fixture.eventually("it goes on") {
            try await fixture.house.tasks.show(begun.taskId).state == .succeeded
        }
        #expect(try await fixture.snapshots.show(first).keyId == newID)
        await fixture.house.close()
    }

    @Test("a new passphrase is rotated to by that name, and then opens everything alone")
    func passphrase() async throws {
        let scratch = try ScratchDirectory("varve-rotation")
        let phrase = scratch.path + "/phrase", slip = scratch.path + "/slip"
        try Self.write("correct horse battery\n", to: phrase)
        try Self.write("correct horse batery\n", to: slip)
        let fixture = try await HouseFixture(at: scratch.path + "/data")
        let volume = try await fixture.volume(encryption: VolumeEncryption())
        try await fixture.write(volume, 0..<50, 1)
        let first = try await fixture.snapshot(volume)
        try await fixture.reopen { $0.passphraseFiles = [phrase] }
        let done = try await fixture.house.keys.rotate(to: KeyService.newPassphrase)
        #expect(done.isDone)
        #expect(await refusal { try await fixture.house.keys.rotate(to: KeyService.newPassphrase) } == .invalid)
        try await fixture.reopen {
            $0.keyFiles = []
            $0.passphraseFiles = [phrase]
        }
        #expect(try await fixture.restore(first).prefix(50) == [UInt8](repeating: 1, count: 50)[...])
        try await fixture.reopen {
            $0.keyFiles = []
            $0.passphraseFiles = [slip]
        }
        #expect(
            await refusal { try await fixture.volumes.create(CreateVolume(size: nil, origin: .snapshot(first))) }
                == .unavailable)
        #expect(
            await refusal {
                try await fixture.volumes.create(CreateVolume(size: .mebibytes(1), encryption: VolumeEncryption()))
            } == .invalid, "a slip of the pen makes no key")
        await fixture.house.close()
    }

    @Test(
        "after a kill at any step of a rotation it is finished, and nothing was ever without a key", arguments: points)
    func kill(at point: String) async throws {
        let scratch = try ScratchDirectory("varve-rotation")
        let path = scratch.path
        _ = try KeyFiles.make(at: path + "/new")
        await #expect(processExitsWith: .signal(9), "\(point) is never reached") {
            [path = path as String, point = point as String] in
            try await KeyRotationSerialTests.child(path, point)
        }
        let data = path + "/data"
        // Before it goes on: the old key alone, the new one alone, or each, reads everything there is.
        let copy = path + "/store-copy"
        try copyTree(data + "/store", copy)
        var readable = 0
        for key in [data + ".key", path + "/new"] where try await reads(copy, key, path) { readable += 1 }
        #expect(readable >= 1, "\(point): no key alone opens everything")

        let fixture = try await HouseFixture(at: data) { $0.keyFiles.append(path + "/new") }
        try await fixture.eventually("the rotation ends") {
            try await fixture.house.tasks.list().allSatisfy { $0.state != .running && $0.state != .waiting }
        }
        let task = try await fixture.house.tasks.list().first { $0.kind == .rotateKeys }
        #expect(task?.state == .succeeded)
        let snapshots = try await fixture.snapshots.list()
        #expect(snapshots.count == 2 && snapshots.allSatisfy { $0.keyId == task?.subjectId })
        await fixture.house.close()
        #expect(try await reads(data + "/store", path + "/new", path))
        #expect(try await !reads(data + "/store", data + ".key", path))
    }

    static func child(_ path: String, _ point: String) async throws {
        let fixture = try await HouseFixture(at: path + "/data") { $0.keyFiles.append(path + "/new") }
        for byte in [1, 2] as [UInt8] {
            let volume = try await fixture.volume(encryption: VolumeEncryption())
            try await fixture.write(volume, 0..<50, byte)
            _ = try await fixture.snapshot(volume)
        }
        let parts = point.split(separator: ":")
        let name = String(parts[0]), left = Guarded(parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
        Failpoint.observe { reached in
            guard reached == name else { return }
            let isNow = left.withLock { count in
                count -= 1
                return count == 0
            }
            if isNow { Machine.killSelf() }
        }
        let keys = try await fixture.house.keys.list()
        _ = try await fixture.house.keys.rotate(to: keys[1].id)
        await fixture.house.close()
    }

    /// Can everything in the store be read with this key file alone, and is it what was written?
    private func reads(_ store: String, _ key: String, _ path: String) async throws -> Bool {
        let data = path + "/reader-\(UInt32.random(in: .min ... .max))"
        _ = try await House.recover(HousePlan(data: data, store: store))
        var plan = HousePlan(data: data)
        plan.keyFiles = [key]
        let board = MemoryBoard()
        let house = try await House.open(plan, exports: board)
        var isGood = true
        for snapshot in try await house.snapshots.list() {
            do {
                let made = try await house.volumes.create(CreateVolume(size: nil, origin: .snapshot(snapshot.id)))
                _ = try await house.volumes.attach(made.id)
                let device = try #require(board.device(made.id))
                let content = try await onThread { try HouseFixture.readAll(device) }
                #expect(Set(content.prefix(50 * 4096)).count == 1 && (1...2).contains(content[0]))
            } catch let error as ServiceError {
                #expect(error.code == .unavailable)
                isGood = false
            }
        }
        await house.close()
        return isGood
    }

    private func copyTree(_ source: String, _ target: String) throws {
        let disk = LocalDisk()
        try disk.makeDirectory(target)
        for name in try disk.list(source) {
            guard try disk.facts(source + "/" + name)?.isDirectory != true else {
                try copyTree(source + "/" + name, target + "/" + name)
                continue
            }
            let file = try disk.open(source + "/" + name, .readOnly)
            var bytes = [UInt8](repeating: 0, count: try file.size().bytes)
            try bytes.writeBytes { (all) throws(BlockFailure) in try file.read(at: 0, into: &all) }
            let copy = try disk.open(target + "/" + name, .createNew)
            try bytes.readBytes { (all) throws(BlockFailure) in try copy.write(all, at: 0, durably: false) }
        }
    }
}
