import Blocks
import ObjectStore
import Repository
import Testing

/// Encrypted snapshots in a store: what they hide, what they share, and what happens without their key.
@Suite struct EncryptionTests {
    private func image() -> TestImage {
        var image = TestImage(size: .mebibytes(20))
        for block in 0..<2600 { image.set(block, TestImage.block(UInt64(block + 1), isText: block % 3 == 0)) }
        return image
    }

    private func ring(_ first: UInt8?) -> Keyring {
        let ring = Keyring()
        guard let first else { return ring }
        var key = [UInt8](repeating: first, count: 32)
        ring.add(key: &key)
        return ring
    }

    private func open(_ fixture: Fixture, _ ring: Keyring) throws -> Repository {
        try Repository.open(fixture.store, options: RepositoryOptions(clock: fixture.clock, keyring: ring))
    }

    @Test("nothing of the content is in the store, and equal content of two lineages cannot be told")
    func secrecy() throws {
        let clock = TestClock()
        let store = MemoryStore(clock: clock)
        let one = try Fixture(store, isEncrypted: true), two = try Fixture(store, isEncrypted: true)
        #expect(one.dataKey != two.dataKey)
        var image = TestImage(size: .mebibytes(4))
        let mark = Array("a secret that must not be found in any object ".utf8)
        for block in 0..<100 {
            image.set(block, Array((mark + TestImage.block(UInt64(block + 1))).prefix(4096)))
        }
        try one.take(1, image)
        try two.take(2, image)
        var windows: [[UInt8]: String] = [:]
        for key in try one.keys(under: "packs/") {
            let bytes = try store.get(key, range: nil)
            #expect(!contains(bytes, mark), "\(key)")
            #expect(!contains(bytes, Array("VLF1".utf8)) && !contains(bytes, Array("VPD1".utf8)), "\(key)")
            // No sixteen bytes, aligned or not, that both lineages have but for the pack tables and constants.
            guard key.hasSuffix("/00000001") else { continue }
            for start in stride(from: 24, to: bytes.count - 60, by: 1) where start % 7 == 0 || key.contains("2/") {
                let window = Array(bytes[start..<start + 16])
                if let other = windows[window], other != key { Issue.record("\(key) shares bytes with \(other)") }
                windows[window] = key
            }
        }
        #expect(try one.restore(1) == image)
        #expect(try two.restore(2) == image)
    }

    private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        guard let first = part.first, bytes.count >= part.count else { return false }
        return (0...bytes.count - part.count).contains {
            bytes[$0] == first && bytes[$0..<$0 + part.count].elementsEqual(part)
        }
    }

    @Test(
        "without the key, or with a wrong one, what needs it says so and the rest works",
        arguments: [nil, 99] as [UInt8?])
    func missingKey(_ other: UInt8?) throws {
        let fixture = try Fixture(isEncrypted: true)
        let image = image()
        try fixture.take(1, image)
        // A plain lineage beside it.
        let plain = try Fixture(fixture.store)
        try plain.take(7, image)
        let repository = try open(fixture, ring(other))
        let wrappedBy = try repository.dataKeys()[0].wrappedBy
        let dataKey = try #require(fixture.dataKey)
        let failure = RepositoryFailure.keyMissing(dataKey, wrappedBy: wrappedBy)
        #expect("\(failure)".contains(wrappedBy[0].description) && "\(failure)".contains("--key-file"))
        #expect(throws: failure) { try repository.reader(of: Fixture.id(1)) }
        #expect(throws: failure) { try repository.diff(from: nil, to: Fixture.id(1)) }
        #expect(throws: failure) {
            try repository.writer(
                fixture.plan(2, parent: 1), content: TestContent(image, changed: [1]))
        }
        #expect(try fixture.keys(under: "packs/\(Fixture.id(2))/") == [], "nothing was begun")
        #expect(try plain.restore(7, in: repository) == image)
        #expect(try repository.manifest(of: Fixture.id(1)).plan.dataKey == dataKey)
        #expect(try repository.inventory().manifests.count == 2)
        #expect(try repository.status().unneededBytes == .zero)
        #expect(try repository.exclusiveBytes()[Fixture.id(1)] != .zero)
        for level in VerifyLevel.allCases {
            let report = try repository.verify(level)
            #expect(report.findings == [] && report.snapshots == 2 && report.locked == [Fixture.id(1)])
        }
        try repository.delete(Fixture.id(1))
        #expect(try repository.reclaim(ReclaimPlan(grace: .zero)).packsFreed > 0)
        #expect(try fixture.keys(under: "packs/\(Fixture.id(1))/") == [])
        #expect(try plain.restore(7, in: repository) == image)
    }

    @Test("damage that shows without the key is found without it")
    func keylessScrub() throws {
        let fixture = try Fixture(isEncrypted: true)
        try fixture.take(1, image())
        let repository = try open(fixture, ring(nil))
        let key = "packs/\(Fixture.id(1))/00000001"
        var bytes = try fixture.store.get(key, range: nil)
        bytes[bytes.count - 100] ^= 1
        try bytes.readBytes { (span) throws(StoreFailure) in try fixture.store.put(span, at: key) }
        #expect(try repository.verify(.listing).findings == [])
        #expect(try repository.verify(.structure).findings.map(\.object) == [key])
    }

    @Test("a manifest that someone changed without the key is refused, however right its checksum")
    func forgedManifest() throws {
        let fixture = try Fixture(isEncrypted: true)
        try fixture.take(1, image())
        let key = "snapshots/\(Fixture.id(1))"
        let text = String(decoding: try fixture.store.get(key, range: nil), as: UTF8.self)
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.count == 3 && lines[2].hasPrefix("hmac "))
        let forged = lines[0].replacing("\"name\":\"n1\"", with: "\"name\":\"n2\"")
        let record = seal(Array(forged.utf8)) + Array((lines[2] + "\n").utf8)
        try record.readBytes { (span) throws(StoreFailure) in try fixture.store.put(span, at: key) }
        #expect(throws: RepositoryFailure.self) { try fixture.repository.reader(of: Fixture.id(1)) }
        let found = try fixture.repository.verify(.listing).findings
        #expect(found.map(\.object) == [key] && found[0].problem.contains("without its key"))
    }

    @Test("a child never has another key than its parent, and plain and encrypted never mix")
    func mixing() throws {
        let fixture = try Fixture(isEncrypted: true)
        let image = image()
        try fixture.take(1, image)
        let another = try Fixture(fixture.store, isEncrypted: true), plain = try Fixture(fixture.store)
        try plain.take(7, image)
        func refused(_ fixture: Fixture, _ number: Int, parent: Int) {
            do {
                try fixture.take(number, image, parent: parent, changed: [1])
                Issue.record("\(number) was taken")
            } catch {
                guard case RepositoryFailure.invalid(let reason) = error else {
                    Issue.record("\(error)")
                    return
                }
                #expect(reason.contains("full snapshot"))
            }
        }
        refused(plain, 8, parent: 1)
        refused(another, 9, parent: 1)
        refused(fixture, 10, parent: 7)
    }

    @Test("snapshots of different keys, or none, can be compared, as everything")
    func diffAcrossKeys() throws {
        let fixture = try Fixture(isEncrypted: true)
        var image = image()
        try fixture.take(1, image)
        let plain = try Fixture(fixture.store)
        image.set(5, TestImage.block(123_456))
        try plain.take(7, image)
        let diff = try fixture.repository.diff(from: Fixture.id(1), to: Fixture.id(7))
        let ranges = try diff.ranges()
        #expect(ranges.map(\.count.count).reduce(0, +) == 2600)
        let confirmed = try ranges.flatMap { try diff.confirmed($0) }
        #expect(confirmed == [BlockRange(at: 5, count: 1)])
    }

    @Test("a passphrase opens what it encrypted, in another process too; another one does not")
    func passphrase() throws {
        func phrase(_ text: String) -> Keyring {
            let ring = Keyring()
            var bytes = Array(text.utf8)
            ring.add(passphrase: &bytes)
            return ring
        }
        let fixture = try Fixture(isEncrypted: true, keyring: phrase("correct horse"))
        let image = image()
        try fixture.take(1, image)
        #expect(try fixture.keys(under: "keys/passphrase/").count == 1)
        #expect(try fixture.restore(1, in: open(fixture, phrase("correct horse"))) == image)
        let wrong = try open(fixture, phrase("wrong horse"))
        #expect(throws: RepositoryFailure.self) { try wrong.reader(of: Fixture.id(1)) }
        // A slip of the pen does not become a second passphrase by itself.
        #expect(throws: RepositoryFailure.self) { try wrong.makeDataKey() }
        #expect(try fixture.keys(under: "keys/passphrase/").count == 1)
    }

    @Test("encrypted increments follow the change as plain ones do")
    func increments() throws {
        var stored: [Int] = []
        for isEncrypted in [false, true] {
            let fixture = try Fixture(isEncrypted: isEncrypted)
            var image = TestImage(size: .mebibytes(64))
            for block in 0..<16_000 { image.set(block, TestImage.block(UInt64(block + 1))) }
            let first = image
            try fixture.take(1, image)
            var random = SeededRandom(11)
            for _ in 0..<160 { image.set(Int(random.next() % 16_000), TestImage.block(random.next())) }
            let changed = image.changed(from: first)
            let manifest = try fixture.take(2, image, parent: 1, changed: changed)
            stored.append(manifest.storedBytes.bytes)
            #expect(try fixture.restore(2) == image)
        }
        #expect(Double(stored[1]) < Double(stored[0]) * 1.02 + 4096, "\(stored)")
    }
}
