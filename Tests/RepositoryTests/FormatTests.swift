import Blocks
import TestSupport
import Testing

@testable import Repository

/// A record as docs/formats.md says: JSON, line end, checksum line.
func seal(_ json: [UInt8]) -> [UInt8] { SealedText.sealed(json) }

@Suite struct FormatTests {
    private func pointer(_ random: inout SeededRandom, plain: Int) -> FramePointer {
        let isRaw = random.next() % 2 == 0
        return FramePointer(
            pack: PackName(Fixture.id(Int(random.next() % 4)), 1 + Int(random.next() % 300)),
            offset: Int(random.next() % (16 << 20)), storedLength: isRaw ? plain : 1 + plain / 3, plainLength: plain,
            codec: isRaw ? .raw : .zstd, digest: Digest(of: [UInt8(truncatingIfNeeded: random.next())]))
    }

    private func leaf(_ random: inout SeededRandom) -> Leaf {
        var leaf = Leaf(number: Int(random.next() % 5000))
        var end = 0
        while true {
            let gap = Int(random.next() % 40)
            let count = 1 + Int(random.next() % 32)
            guard end + gap + count <= 2048 else { return leaf }
            let first = Int(random.next() % UInt64(33 - count))
            leaf.frames.append(pointer(&random, plain: (first + count) * 4096))
            leaf.runs.append(.init(start: end + gap, count: count, frame: leaf.frames.count - 1, first: first))
            end += gap + count
        }
    }

    private func inner(_ random: inout SeededRandom) -> InnerNode {
        var node = InnerNode(level: 1 + Int(random.next() % 3), number: Int(random.next() % 60_000))
        for slot in 0..<256 where random.next() % 3 == 0 { node.children[slot] = pointer(&random, plain: 5000) }
        return node
    }

    private func table(_ random: inout SeededRandom) -> PackTable {
        var table = PackTable()
        for _ in 0..<(random.next() % 200) {
            let live = 1 + Int(random.next() % 1000)
            table.packs[pointer(&random, plain: 1).pack] = .init(live: live, size: live + Int(random.next() % 1000))
        }
        return table
    }

    private func footer(_ random: inout SeededRandom) -> (PackFooter, packBytes: Int) {
        var footer = PackFooter(name: PackName(Fixture.id(9), 3))
        var offset = 8
        for leaf in 0..<Int(random.next() % 9) {
            let blocks = [
                BlockRange(at: BlockIndex(leaf * 2048 + 3), count: 2),
                BlockRange(at: BlockIndex(leaf * 2048 + 9), count: 1),
            ]
            let entry = PackFooter.Entry(
                offset: offset, storedLength: 100 + leaf, plainLength: 3 * 4096, codec: .zstd,
                digest: Digest(of: [UInt8(leaf)]), what: leaf == 7 ? .table : .data(leaf: leaf, blocks: blocks))
            footer.entries.append(entry)
            offset += entry.storedLength
        }
        footer.zeroRuns = [BlockRange(at: 5, count: 9), BlockRange(at: BlockIndex(1 << 30), count: 1)]
        footer.sameRuns = [BlockRange(at: 99, count: 1)]
        return (footer, offset + footer.encoded().count)
    }

    @Test("leaves, inner nodes, tables and footers survive a round trip", arguments: 1...40)
    func roundTrips(_ seed: Int) throws {
        var random = SeededRandom(UInt64(seed))
        let leaf = leaf(&random), inner = inner(&random), table = table(&random)
        #expect(try Leaf(decoding: leaf.encoded()) == leaf)
        #expect(try InnerNode(decoding: inner.encoded()) == inner)
        #expect(try PackTable(decoding: table.encoded()) == table)
        let (footer, packBytes) = footer(&random)
        let bytes = footer.encoded()
        let (length, digest, isSealed) = try PackFooter.trailer(Array(bytes.suffix(PackFooter.trailerBytes)))
        #expect(length == bytes.count - PackFooter.trailerBytes && !isSealed)
        #expect(digest == Digest(of: Array(bytes.prefix(length))))
        #expect(try PackFooter(decoding: Array(bytes.prefix(length)), packBytes: packBytes) == footer)
    }

    @Test("no decoder traps or believes nonsense, on any bytes", arguments: 0..<Seed.share(of: 8))
    func hostileBytes(_ round: Int) throws {
        let seed = UInt64.random(in: 1 ... .max / 16) * 16 + UInt64(round)
        var random = SeededRandom(seed)
        let (footer, packBytes) = footer(&random)
        let samples = [
            leaf(&random).encoded(), inner(&random).encoded(), table(&random).encoded(),
            Array(footer.encoded().dropLast(PackFooter.trailerBytes)),
        ]
        for _ in 0..<3000 {
            var bytes = samples[Int(random.next() % 4)]
            for _ in 0...random.next() % 4 { mutilate(&bytes, &random) }
            if let leaf = try? Leaf(decoding: bytes) { check(leaf, seed) }
            if let node = try? InnerNode(decoding: bytes) { #expect(node.children.count <= 256) }
            _ = try? PackTable(decoding: bytes)
            _ = try? PackFooter(decoding: bytes, packBytes: packBytes)
            _ = try? PackFooter.trailer(bytes)
            _ = try? Manifest(decoding: bytes)
            _ = try? Manifest(decoding: SealedText.sealed(bytes.filter { $0 != 10 }))
            _ = try? UploadPin(decoding: bytes)
        }
    }

    private func mutilate(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        guard !bytes.isEmpty else { return bytes.append(0xFF) }
        let place = Int(random.next() % UInt64(bytes.count))
        switch random.next() % 5 {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.removeSubrange(place...)
        case 2: bytes.insert(0xFF, at: place)
        case 3:
            bytes.replaceSubrange(
                place..<min(bytes.count, place + 9), with: [UInt8](repeating: 0xFF, count: 8) + [0x7F])
        default: bytes[min(place, 12)] ^= UInt8(1 << (random.next() % 8))
        }
    }

    /// What a decoded leaf promises to whoever uses it.
    private func check(_ leaf: Leaf, _ seed: UInt64) {
        var end = 0
        for run in leaf.runs {
            #expect(run.start >= end && run.start + run.count <= 2048, "seed \(seed)")
            #expect(leaf.frames.indices.contains(run.frame) && run.first + run.count <= leaf.frames[run.frame].blocks)
            end = run.start + run.count
        }
    }

    @Test("the worked example of docs/formats.md")
    func workedExample() throws {
        var block = [UInt8](repeating: 0, count: 4096)
        block.replaceSubrange(0..<5, with: Array("varve".utf8))
        var leaf = Leaf(number: 0)
        leaf.frames = [
            FramePointer(
                pack: PackName(Fixture.id(1), 1), offset: 8, storedLength: 23, plainLength: 4096, codec: .zstd,
                digest: Digest(of: block))
        ]
        leaf.runs = [.init(start: 1, count: 1, frame: 0, first: 0)]
        let text = """
            564c4631 00 01 16 736e61702d3030303030303030303030303030303031 01 00 01
            01 00 08 17 8020 01 2db45b2868f1b6d2009249f766144da3e505311ae2dd778b57ffdedd7089ca8f
            01 01 01 00 00
            """
        #expect(Hexadecimal.text(of: leaf.encoded()) == text.filter { !$0.isWhitespace })
    }

    @Test("a manifest keeps everything, whatever is in its texts")
    func manifest() throws {
        var random = SeededRandom(5)
        let plan = SnapshotPlan(
            id: Fixture.id(1), volume: "vol-\u{1F600}", parent: Fixture.id(2), created: WallTime(milliseconds: 12345),
            name: "a\nb\"c\\", description: "\u{0}\u{7f} \u{2028}", tags: ["k\n": "v\r\n", "": ""])
        let manifest = Manifest(
            plan: plan, size: .tebibytes(64), completed: WallTime(milliseconds: 1), fullBytes: 4096, changedBytes: 0,
            storedBytes: 77, root: pointer(&random, plain: 500), packs: pointer(&random, plain: 500), tool: "varve 0")
        let bytes = manifest.encoded()
        #expect(try Manifest(decoding: bytes) == manifest)
        for index in 0..<bytes.count {
            var damaged = bytes
            damaged[index] ^= 1
            #expect(throws: FormatFailure.self) { try Manifest(decoding: damaged) }
        }
    }

    @Test(
        "frames keep their bytes, and are stored raw when compression gains under 3 %", arguments: [1, 4096, 131_072])
    func codec(_ count: Int) throws {
        let coder = FrameCoder()
        var random = SeededRandom(9)
        let noise = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next() >> 20) }
        let text = [UInt8](repeating: 65, count: count)
        for (plain, isNoise) in [(noise, true), (text, count == 1)] {
            var stored: [UInt8] = [9, 9]
            let codec = plain.readBytes { coder.encode($0, onto: &stored) }
            #expect((codec == .raw) == isNoise)
            let found = Array(stored.dropFirst(2)).readBytes { coder.decode($0, codec, plainLength: count) }
            #expect(found == plain)
            #expect(Array(stored.dropFirst(2)).readBytes { coder.decode($0, codec, plainLength: count + 1) } == nil)
            #expect(Array(stored.dropFirst(3)).readBytes { coder.decode($0, codec, plainLength: count) } != plain)
        }
    }

    @Test("names that cannot be part of a key are no snapshot names")
    func names() {
        for bad in ["", "a/b", "..", "a b", "\u{e4}", "a\n", String(repeating: "a", count: 65)] {
            #expect(SnapshotID(bad) == nil)
        }
        #expect(SnapshotID("snap-0123456789abcdef0")?.text == "snap-0123456789abcdef0")
    }
}
