import Blocks
import Glibc
import ObjectStore
import Repository
import Testing

/// Tests/Independent/restore.py was written from docs/formats.md alone; what it restores must be what was stored.
@Suite struct IndependentReaderTests {
    private final class Scratch: Sendable {
        let path = "/tmp/varve-independent-\(UInt64.random(in: .min ... .max))"
        init() throws { try LocalDisk().makeDirectory(path) }
        deinit { try? LocalDisk().removeTree(path) }
    }

    private static var script: String {
        let here = "\(#filePath)".split(separator: "/").dropLast(2).joined(separator: "/")
        return "/\(here)/Independent/restore.py"
    }

    /// Runs the reader; its exit status, or nil where there is no python3.
    private func restore(
        _ store: String, _ snapshot: SnapshotID, to target: String, _ more: [String] = []
    ) -> Int32? {
        let words = ["/usr/bin/python3", Self.script, store, snapshot.text, target] + more
        guard unsafe access(words[0], X_OK) == 0 else { return nil }
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) } + [nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        var pid = pid_t()
        guard unsafe posix_spawn(&pid, words[0], nil, nil, &arguments, environ) == 0 else { return nil }
        var status: Int32 = 0
        unsafe waitpid(pid, &status, 0)
        return status >> 8 & 0xFF
    }

    private func bytes(of path: String) throws -> [UInt8] {
        let file = try LocalDisk().open(path, .readOnly)
        var bytes = [UInt8](repeating: 0, count: try file.size().bytes)
        try bytes.writeBytes { (span) throws(BlockFailure) in try file.read(at: 0, into: &span) }
        return bytes
    }

    private func chain(_ fixture: Fixture) throws -> [TestImage] {
        var image = TestImage(size: ByteCount((21 << 20) + 512))
        var images: [TestImage] = []
        for number in 1...3 {
            for step in 0..<700 {
                let block = (number * 911 + step * 7) % image.blockCount
                image.set(
                    block, step % 9 == 0 ? nil : TestImage.block(UInt64(number * 5000 + step), isText: step % 2 == 0))
            }
            image.set(image.blockCount - 1, TestImage.block(UInt64(number)))
            try fixture.take(
                number, image, parent: number == 1 ? nil : number - 1,
                changed: number == 1 ? nil : image.changed(from: images[number - 2]))
            images.append(image)
        }
        return images
    }

    @Test("a reader written from the document alone restores every snapshot byte for byte")
    func restores() throws {
        let scratch = try Scratch()
        let fixture = try Fixture(DirectoryStore(at: scratch.path + "/store"))
        let images = try chain(fixture)
        try fixture.repository.delete(Fixture.id(1))
        _ = try fixture.repository.reclaim(ReclaimPlan(grace: .zero))
        for number in 2...3 {
            let target = scratch.path + "/image"
            guard let status = restore(scratch.path + "/store", Fixture.id(number), to: target) else { return }
            #expect(status == 0)
            try expect(target, images[number - 1])
        }
    }

    @Test(
        "it restores encrypted snapshots with the key file or the passphrase file, and refuses without",
        arguments: [false, true])
    func encrypted(_ hasPassphrase: Bool) throws {
        let scratch = try Scratch()
        var secret = hasPassphrase ? Array("correct horse".utf8) : Fixture.wrappingKey
        let text =
            hasPassphrase
            ? "correct horse\n" : secret.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "\n"
        try write(Array(text.utf8), to: scratch.path + "/key")
        try write(Array("wrong horse".utf8), to: scratch.path + "/wrong")
        let keyring = Keyring()
        if hasPassphrase { keyring.add(passphrase: &secret) } else { keyring.add(key: &secret) }
        let fixture = try Fixture(
            DirectoryStore(at: scratch.path + "/store"), isEncrypted: true, keyring: keyring)
        let images = try chain(fixture)
        let option = hasPassphrase ? "--passphrase-file" : "--key-file"
        let target = scratch.path + "/image"
        for number in 1...3 {
            let status = restore(
                scratch.path + "/store", Fixture.id(number), to: target, [option, scratch.path + "/key"])
            guard let status else { return }
            #expect(status == 0)
            try expect(target, images[number - 1])
        }
        #expect(restore(scratch.path + "/store", Fixture.id(3), to: target) == 1)
        let wrong = ["--passphrase-file", scratch.path + "/wrong"]
        #expect(restore(scratch.path + "/store", Fixture.id(3), to: target, wrong) == 1)
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        let file = try LocalDisk().open(path, .createNew)
        try bytes.readBytes { (span) throws(BlockFailure) in try file.write(span, at: 0, durably: false) }
    }

    private func expect(_ path: String, _ image: TestImage) throws {
        let found = try bytes(of: path)
        #expect(found.count == image.size.bytes)
        for block in 0..<image.blockCount {
            let expected = image.blocks[block] ?? [UInt8](repeating: 0, count: 4096)
            let part = found[block * 4096..<min(found.count, (block + 1) * 4096)]
            #expect(part.elementsEqual(expected.prefix(part.count)), "block \(block)")
        }
    }

    @Test("it refuses a damaged byte too")
    func refusesDamage() throws {
        let scratch = try Scratch()
        let store = try DirectoryStore(at: scratch.path + "/store")
        _ = try chain(Fixture(store))
        let key = "packs/\(Fixture.id(1))/00000001"
        var bytes = try store.get(key, range: nil)
        bytes[5000] ^= 1
        try bytes.readBytes { (span) throws(StoreFailure) in try store.put(span, at: key) }
        if let status = restore(scratch.path + "/store", Fixture.id(1), to: scratch.path + "/image") {
            #expect(status == 1)
        }
    }
}
