internal import Blocks
internal import ObjectStore
@testable internal import Repository

extension FuzzTarget {
    static let snapshot = FuzzTarget("snapshot", bytesMax: 1024, seeds: SnapshotTarget.seeds, SnapshotTarget.run)
}

/// A snapshot whose objects are each well-formed, with right digests, but need not fit together: built from choices,
/// leaf first, root last. Read, compared with itself, verified and counted.
enum SnapshotTarget {
    static func run(_ bytes: [UInt8]) throws {
        var input = FuzzInput(bytes)
        var tree = CrookedTree()
        let size = [1, 2, 5000, 2048, 4096, 1 << 20][input.choice(6)] * 4096 - [0, 512, 3584][input.choice(3)]
        let root = tree.node(level: Limits.rootLevel, number: 0, &input)
        let table = tree.table(&input)
        let plan = SnapshotPlan(
            id: RepositorySamples.snapshot, volume: "vol-1", parent: nil, created: WallTime(milliseconds: 0))
        let manifest = Manifest(
            plan: plan, size: ByteCount(size), completed: plan.created, fullBytes: 0, changedBytes: 0, storedBytes: 0,
            root: root, packs: table, tool: "fuzz")
        let store = MemoryStore()
        let repository = try Repository.openOrCreate(store)
        try tree.pack.readBytes(0..<tree.pack.count) { (span) throws(StoreFailure) in
            try store.put(span, at: repository.keys.pack(RepositorySamples.pack(1)))
        }
        let record = manifest.encoded()
        try record.readBytes { (span) throws(StoreFailure) in
            try store.put(span, at: repository.keys.manifest(plan.id))
        }
        let reader: SnapshotReader
        do { reader = try repository.reader(of: plan.id) } catch { return }
        try read(reader)
        var change: BlockRange?
        ignoringRefusal { () throws(RepositoryFailure) in
            change = try repository.diff(from: plan.id, to: plan.id).nextChange(from: 0)
        }
        try demand(change == nil, "a snapshot does not differ from itself")
        ignoringRefusal { () throws(RepositoryFailure) in
            _ = try repository.diff(from: nil, to: plan.id).ranges(limit: 100)
        }
        for level in VerifyLevel.allCases { _ = try repository.verify(level) }
        ignoringRefusal { () throws(RepositoryFailure) in _ = try repository.status() }
        ignoringRefusal { () throws(RepositoryFailure) in _ = try repository.exclusiveBytes() }
    }

    private static func read(_ reader: SnapshotReader) throws {
        let end = BlockIndex(0) + BlockCount(covering: reader.size)
        var position = BlockIndex(0)
        for _ in 0..<200 {
            let found: BlockRange?
            do { found = try reader.nextData(from: position) } catch { return }
            guard let run = found else { return }
            try demand(run.start >= position && !run.isEmpty, "runs of data go on")
            try demand(run.end <= end, "the run \(run) ends within the snapshot's \(end.number) blocks")
            let part = BlockRange(at: run.start, count: min(run.count, 64))
            var bytes = [UInt8](repeating: 1, count: part.bytes.count.bytes), mended = bytes
            var failure: BlockFailure?
            bytes.writeBytes { span in
                do throws(BlockFailure) { try reader.read(part, into: &span) } catch { failure = error }
            }
            var damage: [BlockRange]?
            mended.writeBytes { span in
                do throws(BlockFailure) { damage = try reader.readSkippingDamage(part, into: &span) } catch {}
            }
            if failure == nil {
                try demand(damage == [], "what can be read has no damage")
                try demand(bytes == mended, "both ways to read give the same")
            } else if let damage {
                try demand(!damage.isEmpty, "what cannot be read has damage")
            }
            position = run.end
        }
    }

    private static func ignoringRefusal(_ body: () throws(RepositoryFailure) -> Void) {
        do { try body() } catch {}
    }

    static func seeds() -> [[UInt8]] {
        // A chain of nodes that fit, each with one child in slot 0, and a leaf with two frames.
        var good = SeedBuilder(0, 0)
        for _ in 0..<3 { good.add(0, 1, 0) }
        good.add(0, 2, 1, 9, 0, 0, 3, 8, 1, 0)
        good.add(2, 0, 0, 1, 0, 0, 0, 1, 2, 1, 0)
        var wide = SeedBuilder(2, 1)
        for _ in 0..<3 { wide.add(0, 2, 0, 1) }
        for seed in 0..<40 as Range<UInt8> { wide.add(seed) }
        return [good.bytes, wide.bytes, []]
    }
}

/// One pack, filled with frames as they are made.
private struct CrookedTree {
    private(set) var pack = PackFooter.header
    private var made: [FramePointer] = []
    private let coder = FrameCoder()

    /// A node and what is below it; now and then one that was made before, or one that lies about itself.
    mutating func node(level: Int, number: Int, _ input: inout FuzzInput) -> FramePointer {
        let truth = input.choice(16)
        if truth == 15, let known = made.last { return known }
        let number = truth == 14 ? Int(input.number(UInt32.self) & 0xff_ffff) : number
        let plain = level == 0 ? leaf(number, &input) : inner(level, number, truth == 13, &input)
        return add(plain, &input)
    }

    private mutating func inner(_ level: Int, _ number: Int, _ isCrooked: Bool, _ input: inout FuzzInput) -> [UInt8] {
        var node = InnerNode(level: isCrooked ? 1 + input.choice(3) : level, number: number)
        for _ in 0..<input.choice(4) where made.count < 60 {
            let slot = [0, 1, 2, 255][input.choice(4)]
            node.children[slot] = self.node(level: level - 1, number: number << 8 | slot, &input)
        }
        return node.encoded()
    }

    /// Written by hand, so that its runs may be wrong.
    private mutating func leaf(_ number: Int, _ input: inout FuzzInput) -> [UInt8] {
        var names = PackNames(), body = ByteWriter()
        let frames = input.choice(4)
        body.number(frames)
        for _ in 0..<frames {
            let blocks = 1 + input.choice(33)
            let plain = [UInt8](repeating: input.byte(), count: blocks * 4096 - (input.choice(32) == 31 ? 1 : 0))
            names.write(add(plain, &input), to: &body)
        }
        let runs = input.choice(8)
        body.number(runs)
        for _ in 0..<runs {
            body.number(input.choice(16) == 15 ? 2000 : Int(input.byte() & 3))
            body.number(input.choice(34))
            body.number(input.choice(4))
            body.number(input.choice(33))
        }
        var writer = ByteWriter(Array("VLF1".utf8))
        writer.number(number)
        names.write(to: &writer)
        writer.append(body.bytes)
        return writer.bytes
    }

    mutating func table(_ input: inout FuzzInput) -> FramePointer {
        var table = PackTable()
        for _ in 0..<input.choice(4) {
            let size = 1 + Int(input.number(UInt16.self))
            table.packs[RepositorySamples.pack(1 + input.choice(3))] = .init(live: size, size: size)
        }
        return add(table.encoded(), &input)
    }

    private mutating func add(_ plain: [UInt8], _ input: inout FuzzInput) -> FramePointer {
        let start = pack.count
        let codec = plain.readBytes(0..<plain.count) { coder.encode($0, onto: &pack) }
        var pointer = FramePointer(
            pack: RepositorySamples.pack(1), offset: start, storedLength: pack.count - start, plainLength: plain.count,
            codec: codec, digest: Digest(of: plain))
        switch input.choice(40) {
        case 35: pointer.offset = Limits.packBytesMax
        case 36: pointer.storedLength = Limits.packBytesMax
        case 37: pointer.plainLength += 4096
        case 38: pointer.digest = Digest(of: [1])
        case 39: pointer.pack = RepositorySamples.pack(2)
        default: break
        }
        made.append(pointer)
        return pointer
    }
}
