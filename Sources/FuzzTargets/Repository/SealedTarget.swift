internal import Blocks
internal import ObjectStore
@testable internal import Repository

extension FuzzTarget {
    static let sealed = FuzzTarget("sealed", bytesMax: 1024, seeds: SealedTarget.seeds, SealedTarget.run)
}

/// A store with encrypted snapshots, and someone who may change every object but has no key: flips and moves bytes, swaps
/// objects, rewrites records, and makes every checksum right that needs no key. What can still be read is what was stored.
enum SealedTarget {
    static func run(_ bytes: [UInt8]) throws {
        var input = FuzzInput(bytes)
        let sample = try SealedSample.shared.get()
        let isRotated = input.flag()
        var crime = StoreEdits(sample.objects)
        for _ in 0..<8 where !input.isEmpty { crime.edit(&input) }
        let store = try crime.store()
        let keyring = SealedSample.ring()
        guard let repository = opened(store, keyring) else { return }
        try check(repository, sample)
        ignoringRefusal { () throws(RepositoryFailure) in _ = try repository.dataKeys() }
        ignoringRefusal { () throws(RepositoryFailure) in _ = try repository.heldKeys() }
        ignoringRefusal { () throws(RepositoryFailure) in _ = try repository.verify(.everything) }
        ignoringRefusal { () throws(RepositoryFailure) in _ = try repository.status() }
        guard isRotated else { return }
        var second = [UInt8](repeating: 2, count: 32)
        let target = keyring.add(key: &second)
        ignoringRefusal { () throws(RepositoryFailure) in _ = try repository.rotate(to: target) }
        if let again = opened(store, keyring) { try check(again, sample) }
    }

    private static func opened(_ store: any ObjectStore, _ keyring: Keyring) -> Repository? {
        try? Repository.open(store, options: RepositoryOptions(keyring: keyring))
    }

    /// Every encrypted snapshot reads as it was taken, or says that it cannot.
    private static func check(_ repository: Repository, _ sample: SealedSample) throws {
        for (id, image) in sample.images {
            guard let reader = try? repository.reader(of: id), reader.manifest.plan.dataKey != nil else { continue }
            try demand(reader.size.bytes == image.count, "the size of \(id) is authenticated")
            let all = BlockRange(at: 0, count: BlockCount(covering: reader.size))
            var found = [UInt8](repeating: 7, count: image.count)
            var isRead = true
            found.writeBytes { span in
                do throws(BlockFailure) { try reader.read(all, into: &span) } catch { isRead = false }
            }
            if isRead { try demand(found == image, "\(id) reads as it was taken") }
        }
    }

    private static func ignoringRefusal(_ body: () throws(RepositoryFailure) -> Void) {
        do { try body() } catch {}
    }

    static func seeds() throws -> [[UInt8]] {
        let count = UInt8(clamping: try SealedSample.shared.get().objects.count)
        var all: [[UInt8]] = [[0], [1]]
        for object in 0..<count {
            for kind in 0..<StoreEdits.kinds {
                all.append([1, kind, object, 20, 0, (object + 1) % count, 40, 0, 16, 0])
            }
        }
        // A record rewritten: another version, another number.
        for object in 0..<count {
            var seed = SeedBuilder(1, 5, object)
            seed.add(text: "\"version\":2")
            seed.add(text: "\"version\":1")
            all.append(seed.bytes)
        }
        return all
    }
}

/// Three encrypted snapshots, the second on top of the first and the third with a data key of its own.
struct SealedSample: Sendable {
    private(set) var objects: [(key: String, bytes: [UInt8])] = []
    private(set) var images: [(id: SnapshotID, image: [UInt8])] = []

    static let shared = Result { try SealedSample() }

    /// The key that the process has.
    static func ring() -> Keyring {
        let ring = Keyring()
        var key = [UInt8](repeating: 1, count: 32)
        ring.add(key: &key)
        return ring
    }

    private init() throws {
        let store = MemoryStore()
        let repository = try Repository.openOrCreate(store, options: RepositoryOptions(keyring: Self.ring()))
        let keys = [try repository.makeDataKey().id, try repository.makeDataKey().id]
        var last: (id: SnapshotID, image: [UInt8])?
        for number in 1...3 {
            let id = try demand(SnapshotID("snap-\(number)"), "a name by construction")
            var image = last?.image ?? [UInt8](repeating: 0, count: 16 * 4096)
            if number == 3 { (last, image) = (nil, image.map { ~$0 }) }
            for block in [number, 2 * number + 3, 15] {
                for byte in 0..<4096 { image[block * 4096 + byte] = UInt8(truncatingIfNeeded: byte * number / 64) }
            }
            let plan = SnapshotPlan(
                id: id, volume: "vol-1", parent: last?.id, created: WallTime(milliseconds: 1_764_000_000_000),
                dataKey: keys[number / 3])
            _ = try repository.writer(plan, content: WholeImage(image), options: UploadOptions(workers: 1)).run()
            images.append((id, image))
            last = (id, image)
        }
        for entry in try store.list(prefix: "", startAfter: nil, limit: .max) {
            objects.append((entry.key, try store.get(entry.key, range: nil)))
        }
    }

    /// A disk of which every block may have changed.
    private final class WholeImage: SnapshotContent {
        private let image: [UInt8]
        init(_ image: [UInt8]) { self.image = image }

        var size: ByteCount { ByteCount(image.count) }
        var capturedPacks: [CapturedPack] { [] }
        var brokenReason: String? { nil }
        func nextChange(from block: BlockIndex) throws(BlockFailure) -> BlockRange? { try nextData(from: block) }
        func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? {
            let end = BlockIndex(0) + BlockCount(covering: size)
            return block < end ? BlockRange(from: block, to: end) : nil
        }
        func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
            image.readBytes { target.copy($0.extracting(blocks.bytes.start.bytes..<blocks.bytes.end.bytes), at: 0) }
        }
        func captured(pack: Int, runs: [BlockRange]) throws(BlockFailure) {}
    }
}
