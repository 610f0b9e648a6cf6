import Blocks
import ObjectStore
import Repository
import Testing

/// Damage named to the block, not inherited, and healed from whoever still has the content.
@Suite struct CareTests {
    /// Snapshots of one volume, each on the one before, and what each must read as.
    private struct Chain {
        let store: MemoryStore
        let fixture: Fixture
        var images: [TestImage] = []
        var random: SeededRandom

        init(seed: UInt64, count: Int = 4, isEncrypted: Bool = false) throws {
            store = MemoryStore(clock: TestClock())
            fixture = try Fixture(store, isEncrypted: isEncrypted)
            random = SeededRandom(seed)
            var image = TestImage(size: .mebibytes(20) + ByteCount(512))
            for block in 0..<5121 where block % 3 != 2 || block < 600 {
                image.set(block, TestImage.block(UInt64(block + 1), isText: block % 5 != 0))
            }
            for number in 1...count {
                let before = images.last
                for _ in 0..<(number == 1 ? 0 : 40) {
                    let start = Int.random(in: 0..<5121, using: &random)
                    let seed = UInt64.random(in: 1...UInt64.max, using: &random)
                    for block in start..<min(5121, start + Int.random(in: 1...20, using: &random)) {
                        image.set(
                            block, seed % 7 == 0 ? nil : TestImage.block(seed &+ UInt64(block), isText: seed % 2 == 0))
                    }
                }
                try fixture.take(
                    number, image, parent: number == 1 ? nil : number - 1,
                    changed: before.map { image.changed(from: $0) })
                images.append(image)
            }
        }

        /// Damages one object in one of the ways that objects are.
        mutating func damage(_ key: String) throws {
            var bytes = try store.get(key, range: nil)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: return try store.delete([key])
            case 1: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
            default:
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    bytes[Int.random(in: bytes.indices, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                }
            }
            try bytes.readBytes { (span) throws(StoreFailure) in try store.put(span, at: key) }
        }

        var sizes: [(id: SnapshotID, size: ByteCount)] {
            images.enumerated().map { (Fixture.id($0.offset + 1), $0.element.size) }
        }
        func open() throws -> Repository { try Repository.open(store, options: fixture.options) }
        func keys(_ prefix: String) throws -> [String] {
            try store.list(prefix: prefix, startAfter: nil, limit: .max).map(\.key)
        }

        /// Every block either reads as it was at the cut, or is named.
        func expectExact(_ damage: SnapshotDamage, _ number: Int) throws {
            let image = images[number - 1]
            let all = BlockRange(at: 0, count: BlockCount(covering: image.size))
            let repository = try open()
            guard let reader = try? repository.reader(of: Fixture.id(number)) else {
                #expect(damage.blocks == [all] && damage.isMapDamaged)
                return
            }
            var bytes = [UInt8](repeating: 1, count: all.count.size.bytes)
            let unreadable = try bytes.writeBytes { (span) throws(BlockFailure) in
                try reader.readSkippingDamage(all, into: &span)
            }
            // A hole in what a damaged node maps is as unreadable as the rest of it.
            #expect(damage.blocks == unreadable, "snapshot \(number)")
            let wrong = (0..<all.count.count).first { block in
                guard !unreadable.contains(where: { $0.contains(BlockIndex(block)) }) else { return false }
                let expected = image.blocks[block] ?? [UInt8](repeating: 0, count: 4096)
                return !bytes[block * 4096..<(block + 1) * 4096].elementsEqual(expected)
            }
            #expect(wrong == nil, "snapshot \(number)")
        }
    }

    @Test("after any damage each snapshot reads as its model but for exactly what is named", arguments: 0..<12)
    func exact(_ round: Int) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var chain = try Chain(seed: seed, isEncrypted: round % 2 == 1)
        let objects = try chain.keys("packs/") + chain.keys("snapshots/")
        for _ in 0...round / 4 {
            guard let key = objects.randomElement(using: &chain.random), (try? chain.store.get(key, range: nil)) != nil
            else { continue }
            try chain.damage(key)
        }
        let repository = try chain.open()
        // As a scrub goes about it: pack by pack, then those at risk.
        var suspects: Set<PackName> = []
        var last: PackName?
        while let next = try repository.packs(after: last, limit: 3).first {
            suspects.formUnion(repository.packs(in: try repository.check(next.name, size: next.size)))
            last = next.name
        }
        let risk = try repository.atRisk(suspects)
        let found = try repository.damage(of: chain.sizes, suspects: risk.packs)
        #expect(try repository.damage(of: chain.sizes, suspects: nil) == found, "seed \(seed)")
        for (index, damage) in found.enumerated() {
            try chain.expectExact(damage, index + 1)
            let isGone = !risk.committed.contains(damage.snapshot)
            #expect(damage.isWhole || isGone || risk.snapshots.contains(damage.snapshot), "seed \(seed)")
        }
        // Healing from the last image: what it holds comes back, nothing gets worse, and every snapshot stands alone.
        let report = try repository.heal(found, from: chain.images.reversed().map { Donor($0) })
        let healed = try repository.damage(of: chain.sizes, suspects: nil)
        for (index, (before, after)) in zip(found, healed).enumerated() {
            #expect(after.bytes <= before.bytes, "seed \(seed)")
            try chain.expectExact(after, index + 1)
        }
        #expect(try chain.keys("uploads/").isEmpty)
        if healed[3].isWhole {
            for number in 1...3 { try? repository.delete(Fixture.id(number)) }
            _ = try? repository.reclaim(ReclaimPlan(grace: .zero))
            try chain.expectExact(healed[3], 4)
            let later = try chain.fixture.take(5, chain.images[3], parent: 4, changed: [7])
            #expect(later.plan.parent == Fixture.id(4))
        }
        if report.frames > 0 { #expect(!report.snapshots.isEmpty && report.bytes > .zero) }
    }

    @Test("a frame that several snapshots share is healed for all of them, and only once", arguments: [false, true])
    func shared(_ isEncrypted: Bool) throws {
        let chain = try Chain(seed: 3, isEncrypted: isEncrypted)
        try flip(chain.store, "packs/\(Fixture.id(1))/00000001", at: 100_000)
        let repository = chain.fixture.repository
        let found = try repository.damage(of: chain.sizes, suspects: nil)
        #expect(found.allSatisfy { !$0.blocks.isEmpty && !$0.isMapDamaged })
        #expect(try repository.heal(found, from: []).frames == 0)
        let report = try repository.heal(found, from: [Donor(chain.images[0])])
        #expect(report.frames == 1 && report.snapshots == (1...4).map(Fixture.id))
        let after = try repository.damage(of: chain.sizes, suspects: nil)
        #expect(after.allSatisfy { $0.isWhole })
        for number in 1...4 {
            #expect(try chain.fixture.restore(number, in: chain.open()) == chain.images[number - 1])
        }
        // A later one of the chain may go: the first wrote the new frame, and the last refers to it.
        for number in 1...3 { try repository.delete(Fixture.id(number)) }
        _ = try repository.reclaim(ReclaimPlan(grace: .zero))
        #expect(try chain.fixture.restore(4, in: chain.open()) == chain.images[3])
    }

    @Test(
        "without its key an encrypted snapshot is neither healed nor called damaged; with it, healing seals what it puts"
    )
    func sealed() throws {
        let chain = try Chain(seed: 7, isEncrypted: true)
        let pack = PackName(Fixture.id(1), 1)
        let key = "packs/\(Fixture.id(1))/00000001"
        let size = try #require(try chain.store.size(of: key))
        try flip(chain.store, key, at: 100_000)
        let stranger = try Repository.open(chain.store, options: RepositoryOptions(clock: chain.fixture.clock))
        #expect(try stranger.check(pack, size: size) == [])
        let unseen = try stranger.damage(of: chain.sizes, suspects: nil)
        #expect(unseen.allSatisfy { $0.isLocked && $0.isWhole })
        let found = try chain.open().damage(of: chain.sizes, suspects: nil)
        #expect(found.allSatisfy { !$0.isLocked && !$0.blocks.isEmpty })
        let before = try chain.keys("")
        #expect(try stranger.heal(found, from: [Donor(chain.images[0])]) == HealReport())
        #expect(try chain.keys("") == before)
        #expect(try chain.open().heal(found, from: [Donor(chain.images[0])]).frames == 1)
        for added in Set(try chain.keys("packs/")).subtracting(before) {
            let bytes = try chain.store.get(added, range: nil)
            #expect(bytes.starts(with: Array("VARVPCK2".utf8)))
            for block in found[0].blocks {
                let plain = try #require(chain.images[0].blocks[block.start.number])
                #expect(bytes.firstRange(of: plain.prefix(64)) == nil)
            }
        }
        #expect(try chain.open().verify(.everything).findings.filter { $0.snapshot != nil } == [])
        for number in 1...4 {
            #expect(try chain.fixture.restore(number, in: chain.open()) == chain.images[number - 1])
        }
        // Packs of a snapshot whose manifest is gone are still looked into.
        try chain.fixture.repository.delete(Fixture.id(1))
        try chain.store.delete(["trash/\(Fixture.id(1))"])
        #expect(try !chain.open().check(pack, size: size).isEmpty)
    }

    @Test("looking for damage and healing end when they are told to, with every snapshot as it was")
    func stopped() throws {
        let chain = try Chain(seed: 8)
        try flip(chain.store, "packs/\(Fixture.id(1))/00000001", at: 100_000)
        let repository = chain.fixture.repository
        let found = try repository.damage(of: chain.sizes, suspects: nil)
        let manifests = try chain.keys("snapshots/").map { try chain.store.get($0, range: nil) }
        for steps in 0..<12 {
            let left = Guarded(steps)
            let isStopped: @Sendable () -> Bool = {
                left.withLock { count in
                    count -= 1
                    return count < 0
                }
            }
            #expect(throws: RepositoryFailure.cancelled) {
                try repository.damage(of: chain.sizes, suspects: nil, isStopped: isStopped)
            }
        }
        #expect(throws: RepositoryFailure.cancelled) {
            try repository.heal(found, from: [Donor(chain.images[0])], isStopped: { true })
        }
        #expect(try chain.keys("snapshots/").map { try chain.store.get($0, range: nil) } == manifests)
        // What that left is cleared away, and the next one does it all.
        #expect(try repository.heal(found, from: [Donor(chain.images[0])]).frames == 1)
        #expect(try chain.keys("uploads/").isEmpty)
    }

    @Test("other content is never taken for what was lost")
    func digest() throws {
        let chain = try Chain(seed: 4)
        try flip(chain.store, "packs/\(Fixture.id(1))/00000001", at: 100_000)
        let found = try chain.fixture.repository.damage(of: chain.sizes, suspects: nil)
        var other = chain.images[0]
        for run in found[0].blocks { other.set(run.start.number, TestImage.block(77)) }
        let before = try chain.keys("")
        #expect(try chain.fixture.repository.heal(found, from: [Donor(other)]) == HealReport())
        let after = try chain.keys("")
        #expect(after == before)
    }

    @Test("a snapshot does not inherit damage that is known, though its blocks did not change")
    func inheritance() throws {
        let chain = try Chain(seed: 5)
        try flip(chain.store, "packs/\(Fixture.id(1))/00000001", at: 100_000)
        let known = try chain.fixture.repository.damage(of: chain.sizes, suspects: nil)[3]
        #expect(!known.blocks.isEmpty)
        var options = UploadOptions(workers: 2)
        try chain.fixture.take(5, chain.images[3], parent: 4, changed: [], options: options)
        options.distrusted = known.blocks
        try chain.fixture.take(6, chain.images[3], parent: 4, changed: [], options: options)
        let sizes = (5...6).map { (id: Fixture.id($0), size: chain.images[3].size) }
        let found = try chain.fixture.repository.damage(of: sizes, suspects: nil)
        #expect(found[0].blocks == known.blocks, "nobody told that one")
        #expect(found[1].isWhole)
        #expect(try chain.fixture.restore(6, in: chain.open()) == chain.images[3])
    }

    @Test(
        "a pack that is gone, cut short or altered anywhere is found by looking at it alone", arguments: [false, true])
    func packs(_ isEncrypted: Bool) throws {
        let chain = try Chain(seed: 6, count: 2, isEncrypted: isEncrypted)
        let repository = chain.fixture.repository
        let listed = try repository.packs(after: nil, limit: 100)
        let keys = try chain.keys("packs/")
        #expect(listed.count == keys.count)
        for (pack, size) in listed {
            #expect(try repository.check(pack, size: size) == [])
            let key = "packs/\(pack.snapshot)/0000000\(pack.number)"
            let good = try chain.store.get(key, range: nil)
            for place in stride(from: 0, to: good.count, by: max(1, good.count / 37)) {
                try flip(chain.store, key, at: place)
                let findings = try repository.check(pack, size: size)
                if findings.isEmpty {
                    // A flag of the compressor that changes nothing: the content still hashes right.
                    let whole = try repository.damage(of: chain.sizes, suspects: nil).allSatisfy { $0.isWhole }
                    #expect(whole, "byte \(place) of \(key)")
                }
                try flip(chain.store, key, at: place)
            }
            try put(chain.store, Array(good.dropLast(good.count / 3)), at: key)
            let short = try repository.check(pack, size: size)
            #expect(!short.isEmpty)
            try chain.store.delete([key])
            #expect(try repository.check(pack, size: size) == [], "nobody may need it")
            #expect(try repository.atRisk([]).snapshots.contains(pack.snapshot))
            try put(chain.store, good, at: key)
        }
        #expect(try repository.atRisk([]).snapshots == [])
    }

    private func flip(_ store: MemoryStore, _ key: String, at place: Int) throws {
        var bytes = try store.get(key, range: nil)
        bytes[place] ^= 0x20
        try put(store, bytes, at: key)
    }
    private func put(_ store: MemoryStore, _ bytes: [UInt8], at key: String) throws {
        try bytes.readBytes { (span) throws(StoreFailure) in try store.put(span, at: key) }
    }
}

/// A volume that holds an image.
private final class Donor: FrameDonor {
    private let image: TestImage
    init(_ image: TestImage) { self.image = image }

    func bytes(of blocks: BlockRange) -> [UInt8]? {
        (blocks.start.number..<blocks.end.number).flatMap { image.blocks[$0] ?? [UInt8](repeating: 0, count: 4096) }
    }
}
