import Blocks
import ObjectStore
import Repository
import TestSupport
import Testing

/// Every object damaged in every way: wrong bytes are never served, and verification finds what reading would hit.
@Suite struct DamageTests {
    enum Damage: CaseIterable { case flipStart, flipMiddle, flipNearEnd, flipEnd, truncate, empty, delete }

    private struct Chain {
        let store: MemoryStore
        let images: [TestImage]
        let options: RepositoryOptions

        init(isEncrypted: Bool = false) throws {
            let clock = TestClock()
            store = MemoryStore(clock: clock)
            let fixture = try Fixture(store, isEncrypted: isEncrypted)
            options = fixture.options
            var image = TestImage(size: .mebibytes(20))
            for block in 0..<2600 { image.set(block, TestImage.block(UInt64(block + 1), isText: block % 3 == 0)) }
            try fixture.take(1, image)
            let first = image
            for block in stride(from: 5, to: 2600, by: 97) { image.set(block, TestImage.block(UInt64(block + 9000))) }
            try fixture.take(2, image, parent: 1, changed: image.changed(from: first))
            images = [first, image]
        }

        private init(_ store: MemoryStore, _ images: [TestImage], _ options: RepositoryOptions) {
            self.store = store
            self.images = images
            self.options = options
        }

        func copy() throws -> Chain {
            let other = MemoryStore(clock: options.clock)
            for key in try keys() {
                try store.get(key, range: nil).readBytes { (span) throws(StoreFailure) in try other.put(span, at: key) }
            }
            return Chain(other, images, options)
        }

        func damage(_ key: String, _ damage: Damage) throws {
            var bytes = try store.get(key, range: nil)
            switch damage {
            case .flipStart: bytes[0] ^= 1
            case .flipMiddle: bytes[bytes.count / 2] ^= 0x80
            case .flipNearEnd: bytes[max(0, bytes.count - 60)] ^= 4
            case .flipEnd: bytes[bytes.count - 1] ^= 1
            case .truncate: bytes.removeLast((bytes.count + 1) / 2)
            case .empty: bytes = []
            case .delete: return try store.delete([key])
            }
            try bytes.readBytes { (span) throws(StoreFailure) in try store.put(span, at: key) }
        }

        func keys() throws -> [String] { try store.list(prefix: "", startAfter: nil, limit: .max).map(\.key) }
    }

    @Test("wrong bytes are never served, and every damage is found", arguments: Damage.allCases, [false, true])
    func everyObject(_ damage: Damage, _ isEncrypted: Bool) throws {
        let fresh = try Chain(isEncrypted: isEncrypted)
        let keys = try fresh.keys()
        #expect(keys.count >= 8)
        for key in keys.shuffled().prefix(Seed.share(of: keys.count)) {
            // Copies are cheap: what is in a memory store are arrays.
            let chain = try fresh.copy()
            try chain.damage(key, damage)
            if key == "repository.json" {
                #expect(throws: RepositoryFailure.self) { try Repository.open(chain.store) }
                continue
            }
            let repository = try Repository.open(chain.store, options: chain.options)
            let damaged = try read(chain, repository)
            let findings = try repository.verify(.everything).findings
            let isHeader = damage == .flipStart && key.hasPrefix("packs/")
            let isGone = damage == .delete && key.hasPrefix("snapshots/")
            if !isHeader && !isGone { #expect(!findings.isEmpty, "\(key)") }
            if damaged { #expect(!findings.isEmpty || isGone, "\(key)") }
            if findings.contains(where: { $0.blocks != nil }) { #expect(key.hasPrefix("packs/")) }
        }
    }

    /// Reads both snapshots wholly; says whether anything could not be read.
    private func read(_ chain: Chain, _ repository: Repository) throws -> Bool {
        let fixture = try Fixture(chain.store)
        var isDamaged = false
        for number in 1...2 {
            do {
                #expect(try fixture.restore(number, in: repository) == chain.images[number - 1])
            } catch let failure as RepositoryFailure {
                isDamaged = true
                switch failure {
                case .corrupt, .missing: break
                default: Issue.record("\(failure)")
                }
            } catch let failure as BlockFailure {
                isDamaged = true
                guard case .corrupt(let offset) = failure else {
                    Issue.record("\(failure)")
                    continue
                }
                #expect(offset.bytes < chain.images[0].size.bytes && offset.bytes % 4096 == 0)
            }
        }
        return isDamaged
    }

    @Test("a bad frame is reported with its blocks, and the rest can still be restored")
    func skipping() throws {
        let chain = try Chain()
        let pack = "packs/\(Fixture.id(1))/00000001"
        var bytes = try chain.store.get(pack, range: nil)
        bytes[100_000] ^= 1
        try bytes.readBytes { (span) throws(StoreFailure) in try chain.store.put(span, at: pack) }
        let repository = try Repository.open(chain.store)
        let reader = try repository.reader(of: Fixture.id(1))
        let all = BlockRange(at: 0, count: 2600)
        var target = [UInt8](repeating: 1, count: 2600 * 4096)
        let damaged = try target.writeBytes { (span) throws(BlockFailure) in
            try reader.readSkippingDamage(all, into: &span)
        }
        #expect(damaged.count == 1 && damaged[0].count.count <= 32)
        for block in 0..<2600 {
            let found = Array(target[block * 4096..<(block + 1) * 4096])
            let isDamaged = damaged.contains { $0.contains(BlockIndex(block)) }
            #expect(found == (isDamaged ? [UInt8](repeating: 0, count: 4096) : chain.images[0].blocks[block]))
        }
        #expect(throws: BlockFailure.corrupt(at: damaged[0].start.offset)) {
            try target.writeBytes { (span) throws(BlockFailure) in try reader.read(all, into: &span) }
        }
        let findings = try repository.verify(.everything).findings
        #expect(Set(findings.compactMap(\.snapshot)) == [Fixture.id(1), Fixture.id(2)], "both need the frame")
        #expect(findings.allSatisfy { $0.object == pack && $0.blocks?.start == damaged[0].start })
    }

    @Test("damage that is known heals from the volume, while that holds the same content")
    func healing() throws {
        let chain = try Chain()
        let pack = "packs/\(Fixture.id(1))/00000001"
        var bytes = try chain.store.get(pack, range: nil)
        bytes[100_000] ^= 1
        try bytes.readBytes { (span) throws(StoreFailure) in try chain.store.put(span, at: pack) }
        let fixture = try Fixture(chain.store)
        let known = try fixture.repository.verify(.everything, snapshots: [Fixture.id(2)]).findings.compactMap(\.blocks)
        #expect(known.count == 1)
        var options = UploadOptions(workers: 2)
        options.distrusted = known
        try fixture.take(3, chain.images[1], parent: 2, changed: nil, options: options)
        #expect(try fixture.repository.verify(.everything, snapshots: [Fixture.id(3)]).findings == [])
        #expect(try fixture.restore(3) == chain.images[1])
    }

    @Test("a newer format is refused with both versions")
    func newerFormat() throws {
        let store = MemoryStore()
        _ = try Repository.openOrCreate(store)
        let json = Array(#"{"format":"varve-repository","version":7,"new":[]}"#.utf8)
        try seal(json).readBytes { (span) throws(StoreFailure) in try store.put(span, at: "repository.json") }
        let failure = RepositoryFailure.newerFormat(found: 7, supported: 1)
        #expect(throws: failure) { try Repository.open(store) }
        #expect(throws: failure) { try Repository.openOrCreate(store) }
        #expect("\(failure)".contains("7") && "\(failure)".contains("newer"))
    }

    @Test("a store without a repository, or with encryption asked for, is refused")
    func notARepository() throws {
        let store = MemoryStore()
        #expect(throws: RepositoryFailure.notARepository("there is no object repository.json")) {
            try Repository.open(store)
        }
        let json = Array(
            #"{"created":1,"crypto":"aes","format":"varve-repository","id":"repo-1","version":1}"#.utf8)
        try seal(json).readBytes { (span) throws(StoreFailure) in try store.put(span, at: "repository.json") }
        #expect(throws: RepositoryFailure.self) { try Repository.open(store) }
    }
}
