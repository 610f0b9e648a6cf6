internal import Blocks
@testable internal import Repository

extension FuzzTarget {
    static let nodes = FuzzTarget("nodes", bytesMax: 8192, seeds: NodesTarget.seeds, NodesTarget.run)
}

/// Leaves, inner nodes, pack tables and footers as they are, without their digests: the first byte says which.
enum NodesTarget {
    private enum Kind: UInt8, CaseIterable {
        case leaf, inner, table, footer
    }

    static func run(_ bytes: [UInt8]) throws {
        guard let first = bytes.first, let kind = Kind(rawValue: first & 3) else { return }
        let object = Array(bytes.dropFirst())
        switch kind {
        case .leaf: try check(object, { (b) throws(FormatFailure) in try Leaf(decoding: b) }, { $0.encoded() })
        case .inner: try check(object, { (b) throws(FormatFailure) in try InnerNode(decoding: b) }, { $0.encoded() })
        case .table: try check(object, { (b) throws(FormatFailure) in try PackTable(decoding: b) }, { $0.encoded() })
        case .footer: try footer(object)
        }
        if kind == .leaf, let leaf = try? Leaf(decoding: object) {
            try demand(leaf.liveBlocks <= Limits.leafBlocks, "a leaf's runs do not overlap")
            for index in leaf.frames.indices { try demand(!leaf.blocks(of: index).isEmpty, "a frame has a place") }
        }
    }

    /// What decodes must encode, to about as many bytes, and decode to the same.
    private static func check<Object: Equatable>(
        _ bytes: [UInt8], _ decode: ([UInt8]) throws(FormatFailure) -> Object, _ encode: (Object) -> [UInt8]
    ) throws {
        let object: Object
        do { object = try decode(bytes) } catch { return }
        let again = encode(object)
        try demand(again.count <= bytes.count * 2 + 64, "\(bytes.count) bytes become \(again.count)")
        do {
            let same = try decode(again)
            try demand(same == object, "decoding what was encoded gives the same")
        } catch { throw BrokenProperty(description: "what was encoded decodes: \(error)") }
    }

    private static func footer(_ bytes: [UInt8]) throws {
        guard let frames = PackShape.framesLength(in: bytes) else { return }
        let size = PackFooter.header.count + frames + bytes.count + PackFooter.trailerBytes
        let footer: PackFooter
        do { footer = try PackFooter(decoding: bytes, packBytes: size) } catch { return }
        let again = Array(footer.encoded().dropLast(PackFooter.trailerBytes))
        let sizeAgain = size - bytes.count + again.count
        do {
            let same = try PackFooter(decoding: again, packBytes: sizeAgain)
            try demand(same == footer, "a footer decodes to what was encoded")
        } catch { throw BrokenProperty(description: "an encoded footer decodes: \(error)") }
        let settled = footer.settledRuns
        for (run, next) in zip(settled, settled.dropFirst()) {
            try demand(run.start <= next.start && !run.isEmpty, "settled runs ascend")
        }
    }

    static func seeds() -> [[UInt8]] {
        var leaf = Leaf(number: 3)
        leaf.frames = [RepositorySamples.pointer(1, blocks: 2), RepositorySamples.pointer(2, blocks: 32, offset: 4104)]
        leaf.runs = [
            .init(start: 0, count: 1, frame: 0, first: 1), .init(start: 5, count: 32, frame: 1, first: 0),
            .init(start: 2047, count: 1, frame: 0, first: 0),
        ]
        var inner = InnerNode(level: 2, number: 1)
        inner.children = [0: RepositorySamples.pointer(1, blocks: 1), 255: RepositorySamples.pointer(9, blocks: 1)]
        var table = PackTable()
        table.packs = [
            RepositorySamples.pack(1): .init(live: 10, size: 200), RepositorySamples.pack(300): .init(live: 1, size: 1),
        ]
        let footer = RepositorySamples.footer.encoded().dropLast(PackFooter.trailerBytes)
        return [[0] + leaf.encoded(), [1] + inner.encoded(), [2] + table.encoded(), [3] + footer]
    }
}

/// Objects to begin with.
enum RepositorySamples {
    static let snapshot: SnapshotID = {
        guard let id = SnapshotID("snap-1") else { preconditionFailure("a name by construction") }
        return id
    }()

    static func pack(_ number: Int) -> PackName { PackName(snapshot, number) }

    static func pointer(_ pack: Int, blocks: Int, offset: Int = 8) -> FramePointer {
        FramePointer(
            pack: self.pack(pack), offset: offset, storedLength: blocks * 4096, plainLength: blocks * 4096, codec: .raw,
            digest: Digest(of: [UInt8(truncatingIfNeeded: pack)]))
    }

    static let footer: PackFooter = {
        var footer = PackFooter(name: pack(1))
        let block = [UInt8](repeating: 7, count: 4096)
        footer.entries = [
            .init(
                offset: 8, storedLength: 4096, plainLength: 4096, codec: .raw, digest: Digest(of: block),
                what: .data(leaf: 0, blocks: [BlockRange(at: 3, count: 1)])),
            .init(
                offset: 4104, storedLength: 20, plainLength: 20, codec: .raw, digest: Digest(of: [1]),
                what: .node(level: 1, number: 0)),
            .init(offset: 4124, storedLength: 9, plainLength: 9, codec: .raw, digest: Digest(of: [2]), what: .table),
        ]
        footer.zeroRuns = [BlockRange(at: 0, count: 2)]
        footer.sameRuns = [BlockRange(at: 8, count: 100)]
        return footer
    }()
}

/// Reads just enough of a footer to say how long the frames before it are.
enum PackShape {
    static func framesLength(in footer: [UInt8]) -> Int? {
        var reader = ByteReader(footer)
        do throws(FormatFailure) {
            _ = try reader.take(4)
            _ = try reader.snapshotID()
            _ = try reader.number()
            var length = 0
            for _ in 0..<(try reader.count(each: 36, limit: 1000, "frames")) {
                let kind = try reader.byte()
                _ = try reader.byte()
                length += try reader.number(in: 0...Limits.packBytesMax, "a length")
                _ = try reader.number()
                _ = try reader.digest()
                guard kind < 2 else { continue }
                let items = try reader.number()
                if kind == 1 { _ = try reader.number() } else { try skipRuns(&reader) }
                _ = items
            }
            return length
        } catch { return nil }
    }

    private static func skipRuns(_ reader: inout ByteReader) throws(FormatFailure) {
        for _ in 0..<(try reader.count(each: 2, limit: .max, "runs")) {
            _ = try reader.number()
            _ = try reader.number()
        }
    }
}
