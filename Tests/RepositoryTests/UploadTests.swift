import Blocks
import ObjectStore
import Repository
import Testing

@Suite struct UploadTests {
    @Test("a snapshot restores byte for byte", arguments: [512, 4096, 5000 * 512, 8 << 20, (8 << 20) + 512, 50 << 20])
    func roundTrip(_ size: Int) throws {
        let fixture = try Fixture()
        var image = TestImage(size: ByteCount(size))
        var random = SeededRandom(UInt64(size))
        for block in 0..<image.blockCount where random.next() % 3 != 0 {
            image.set(block, TestImage.block(random.next(), isText: random.next() % 2 == 0))
        }
        let manifest = try fixture.take(1, image)
        #expect(try fixture.restore(1) == image)
        #expect(manifest.fullBytes.bytes == image.blocks.count * 4096)
        #expect(manifest.changedBytes == manifest.fullBytes)
        #expect(try fixture.keys(under: "uploads/") == [])
        #expect(try manifest.storedBytes.bytes == fixture.bytes(under: "packs/"))
        #expect(try fixture.repository.manifest(of: Fixture.id(1)) == manifest)
    }

    @Test("zeros are never stored")
    func zeros() throws {
        let fixture = try Fixture()
        let empty = TestImage(size: .mebibytes(64))
        let manifest = try fixture.take(1, empty)
        #expect(manifest.root == nil)
        #expect(try fixture.keys(under: "packs/") == [])
        var image = empty
        image.set(5, TestImage.block(1))
        try fixture.take(2, image, parent: 1, changed: [5])
        try fixture.take(3, empty, parent: 2, changed: [5])
        #expect(try fixture.restore(2) == image)
        #expect(try fixture.restore(3) == empty)
    }

    @Test("an unchanged snapshot stores nothing but its manifest", arguments: [false, true])
    func unchanged(_ isEncrypted: Bool) throws {
        let fixture = try Fixture(isEncrypted: isEncrypted)
        var image = TestImage(size: .mebibytes(20))
        for block in 0..<3000 { image.set(block, TestImage.block(UInt64(block + 1))) }
        let first = try fixture.take(1, image)
        let packs = try fixture.keys(under: "packs/")
        let second = try fixture.take(2, image, parent: 1, changed: [])
        #expect(try fixture.keys(under: "packs/") == packs)
        #expect(second.root == first.root && second.changedBytes == .zero && second.storedBytes == .zero)
        #expect(try fixture.restore(2) == image)
    }

    @Test(
        "a change that was not recorded fails the snapshot loudly, when the audit comes across it",
        arguments: [false, true])
    func audited(_ isEncrypted: Bool) throws {
        let fixture = try Fixture(isEncrypted: isEncrypted)
        var image = TestImage(size: .mebibytes(20))
        for block in 0..<3000 { image.set(block, TestImage.block(UInt64(block + 1))) }
        try fixture.take(1, image)
        var options = UploadOptions(workers: 2)
        options.auditedFrames = 2000
        image.set(1234, TestImage.block(99_999))
        #expect(throws: RepositoryFailure.self) {
            try fixture.take(2, image, parent: 1, changed: [7], options: options)
        }
        #expect(throws: RepositoryFailure.missing(Fixture.id(2))) { try fixture.repository.manifest(of: Fixture.id(2)) }
        try fixture.take(3, image, parent: 1, changed: [7, 1234], options: options)
        #expect(try fixture.restore(3) == image)
    }

    @Test("when everything is marked as changed, only real differences are stored", arguments: [false, true])
    func overstated(_ isEncrypted: Bool) throws {
        let fixture = try Fixture(isEncrypted: isEncrypted)
        var image = TestImage(size: .mebibytes(40))
        for block in 0..<9000 { image.set(block, TestImage.block(UInt64(block + 1))) }
        try fixture.take(1, image)
        var random = SeededRandom(7)
        for _ in 0..<30 { image.set(Int(random.next() % 9000), TestImage.block(random.next())) }
        image.set(17, nil)
        let second = try fixture.take(2, image, parent: 1, changed: nil)
        #expect(second.changedBytes.bytes <= 31 * 4096)
        #expect(second.storedBytes.bytes < 40 * 4096 + 40_000)
        #expect(try fixture.restore(2) == image)
        // Now frames are partly dead: they are read back.
        let again = try fixture.take(3, image, parent: 2, changed: nil)
        #expect(again.changedBytes == .zero)
        #expect(again.root == second.root)
        #expect(try fixture.restore(3) == image)
    }

    @Test("regions that were really rewritten do not hide that their neighbours were not", arguments: [false, true])
    func overstatedAmongRewrites(_ isEncrypted: Bool) throws {
        let fixture = try Fixture(isEncrypted: isEncrypted)
        var image = TestImage(size: .mebibytes(16))
        for block in 0..<4096 { image.set(block, TestImage.block(UInt64(block + 1))) }
        let first = image
        try fixture.take(1, image)
        // Every frame loses a block, so that no hash can tell any more.
        for block in stride(from: 3, to: 4096, by: 32) { image.set(block, TestImage.block(UInt64(block + 10_000))) }
        try fixture.take(2, image, parent: 1, changed: image.changed(from: first))
        for block in 300..<500 { image.set(block, TestImage.block(UInt64(block + 20_000))) }
        let third = try fixture.take(3, image, parent: 2, changed: nil)
        #expect(third.changedBytes.bytes == 200 * 4096)
        #expect(try fixture.restore(3) == image)
    }

    @Test("a sparse volume of 64 TiB, all marked as changed, costs what it holds")
    func sparse() throws {
        let fixture = try Fixture()
        var image = TestImage(size: .tebibytes(64))
        for block in [0, 1 << 20, (1 << 34) - 1] { image.set(block, TestImage.block(UInt64(block + 1))) }
        let first = try fixture.take(1, image)
        #expect(first.storedBytes.bytes < 3 * 4096 + 4000)
        image.set(1 << 20, nil)
        try fixture.take(2, image, parent: 1, changed: nil)
        #expect(try fixture.restore(2) == image)
    }

    @Test("growing keeps the old content; shrinking drops what lies past the end for good", arguments: [0, 512, 4608])
    func resizing(_ odd: Int) throws {
        let fixture = try Fixture()
        var image = TestImage(size: .mebibytes(24))
        for block in 0..<image.blockCount { image.set(block, TestImage.block(UInt64(block + 1))) }
        try fixture.take(1, image)
        var small = TestImage(size: ByteCount((9 << 20) + odd))
        for block in 0..<small.blockCount { small.set(block, image.blocks[block]) }
        try fixture.take(2, small, parent: 1, changed: [])
        #expect(try fixture.restore(2) == small)
        var large = small
        large.size = .mebibytes(32)
        try fixture.take(3, large, parent: 2, changed: [])
        #expect(try fixture.restore(3) == large)
    }

    @Test("bounded memory and one worker store the same content", arguments: [1, 2, 5])
    func workers(_ count: Int) throws {
        let fixture = try Fixture()
        var image = TestImage(size: .mebibytes(64))
        for block in 0..<12_000 { image.set(block, TestImage.block(UInt64(block + 1))) }
        try fixture.take(1, image, options: UploadOptions(memory: .mebibytes(64), workers: count))
        #expect(try fixture.restore(1) == image)
    }

    @Test("1 % random incompressible changes of 2 GiB store at most 1.15 bytes per changed byte")
    func ratio() throws {
        let fixture = try Fixture()
        var image = TestImage(size: .gibibytes(2))
        // Mostly equal blocks save the test memory, but no two frames are equal, so the tree is as large as any.
        let text = TestImage.block(1, isText: true)
        for block in 0..<image.blockCount {
            image.blocks[block] = block % 32 == 0 ? TestImage.block(UInt64(block + 2), isText: true) : text
        }
        try fixture.take(1, image)
        let before = try fixture.bytes()
        var random = SeededRandom(3)
        var changed: Set<Int> = []
        while changed.count < image.blockCount / 100 { changed.insert(Int(random.next() % UInt64(image.blockCount))) }
        for block in changed { image.blocks[block] = TestImage.block(random.next()) }
        let manifest = try fixture.take(2, image, parent: 1, changed: changed)
        let stored = try fixture.bytes() - before
        let ratio = Double(stored) / Double(changed.count * 4096)
        #expect(manifest.changedBytes.bytes == changed.count * 4096)
        #expect(ratio <= 1.15, "\(ratio)")
        #expect(ratio > 1.03, "frames, nodes, footers and the manifest are all counted")
    }
}
