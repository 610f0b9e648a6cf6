internal import Blocks

/// What a pack holds, so that it can be read without anything else.
///
/// ```
/// pack    = "VARVPCK1" { frame } footer trailer
/// trailer = footer-length:u32le sha256(footer) "VARVEND1"
/// footer  = "VPD1" snapshot-id pack-number count { entry } zero-runs same-runs
/// entry   = kind codec stored-length plain-length digest what
/// what    = leaf-number count { gap blocks }   (kind 0, data)
///         | level number                       (kind 1, node)
///         |                                    (kind 2, pack table)
/// ```
/// A sealed pack has "VARVPCK2" and "VARVEND2", its frames but the table are sealed, and so is its footer.
/// Frames lie back to back from byte 8, in the footer's order. `zero-runs` and `same-runs` are blocks that the upload
/// found to be zero, or as in the parent, and that this pack settles too. See docs/formats.md, "Pack".
struct PackFooter: Equatable {
    enum What: Equatable {
        /// Blocks of one leaf, in the frame's order; numbers of the volume.
        case data(leaf: Int, blocks: [BlockRange])
        case node(level: Int, number: Int)
        case table
    }
    struct Entry: Equatable {
        var offset: Int
        var storedLength: Int
        var plainLength: Int
        var codec: FrameCodec
        var digest: Digest
        var what: What
    }

    var name: PackName
    var entries: [Entry] = []
    var zeroRuns: [BlockRange] = []
    var sameRuns: [BlockRange] = []

    init(name: PackName) { self.name = name }

    static let header = Array("VARVPCK1".utf8)
    static let sealedHeader = Array("VARVPCK2".utf8)
    static let trailerBytes = 4 + Digest.byteCount + 8
    private static let trailerMagic = Array("VARVEND1".utf8)
    static let sealedTrailerMagic = Array("VARVEND2".utf8)
    private static let magic = Array("VPD1".utf8)
    private static let allBlocks = BlockRange(at: 0, count: BlockCount(Limits.leaves * Limits.leafBlocks))

    /// Where the pointer of an entry points.
    func pointer(_ entry: Entry) -> FramePointer {
        FramePointer(
            pack: name, offset: entry.offset, storedLength: entry.storedLength, plainLength: entry.plainLength,
            codec: entry.codec, digest: entry.digest)
    }

    /// Every block that this pack settles: stored, zero, or as in the parent; ascending and joined.
    var settledRuns: [BlockRange] {
        var runs = zeroRuns + sameRuns
        for case .data(_, let blocks) in entries.map(\.what) { runs += blocks }
        return BlockRuns.joined(runs.sorted { $0.start < $1.start })
    }

    // MARK: Bytes

    /// The footer and the trailer.
    func encoded() -> [UInt8] {
        let footer = body()
        return footer + footer.readBytes(0..<footer.count) { PackFooter.trailer(of: $0, isSealed: false) }
    }

    /// The footer alone.
    func body() -> [UInt8] {
        var writer = ByteWriter(PackFooter.magic)
        writer.snapshotID(name.snapshot)
        writer.number(name.number)
        writer.number(entries.count)
        for entry in entries { PackFooter.write(entry, to: &writer) }
        BlockRuns.write(zeroRuns, to: &writer)
        BlockRuns.write(sameRuns, to: &writer)
        return writer.bytes
    }

    /// The trailer of a footer as it is stored.
    static func trailer(of footer: RawSpan, isSealed: Bool) -> [UInt8] {
        var trailer = ByteWriter()
        for shift in [0, 8, 16, 24] { trailer.byte(UInt8(truncatingIfNeeded: footer.byteCount >> shift)) }
        trailer.digest(Digest(of: footer))
        trailer.append(isSealed ? sealedTrailerMagic : trailerMagic)
        return trailer.bytes
    }

    private static func write(_ entry: Entry, to writer: inout ByteWriter) {
        switch entry.what {
        case .data: writer.byte(0)
        case .node: writer.byte(1)
        case .table: writer.byte(2)
        }
        writer.byte(entry.codec.rawValue)
        writer.number(entry.storedLength)
        writer.number(entry.plainLength)
        writer.digest(entry.digest)
        switch entry.what {
        case .data(let leaf, let blocks):
            writer.number(leaf)
            BlockRuns.write(blocks, to: &writer, origin: leaf * Limits.leafBlocks)
        case .node(let level, let number):
            writer.number(level)
            writer.number(number)
        case .table: break
        }
    }

    /// How long the footer is as it is stored, from a pack's last ``trailerBytes`` bytes, its digest, and if it is sealed.
    static func trailer(_ bytes: [UInt8]) throws(FormatFailure) -> (length: Int, digest: Digest, isSealed: Bool) {
        var reader = ByteReader(bytes)
        var length = 0
        for shift in [0, 8, 16, 24] { length |= Int(try reader.byte()) << shift }
        let digest = try reader.digest()
        let isSealed = bytes.suffix(sealedTrailerMagic.count).elementsEqual(sealedTrailerMagic)
        try reader.expect(isSealed ? sealedTrailerMagic : trailerMagic)
        try reader.expectEnd()
        guard length <= Limits.packBytesMax else { throw FormatFailure("a footer of \(length) bytes") }
        return (length, digest, isSealed)
    }

    /// Decodes a footer whose digest was checked, of a pack of `packBytes` bytes, where it took `storedBytes` (nil: as
    /// many as it has).
    init(decoding bytes: [UInt8], storedBytes: Int? = nil, packBytes: Int) throws(FormatFailure) {
        var reader = ByteReader(bytes)
        try reader.expect(PackFooter.magic)
        let snapshot = try reader.snapshotID()
        name = PackName(snapshot, try reader.number(in: 1...Int.max, "a pack number"))
        var offset = PackFooter.header.count
        for _ in 0..<(try reader.count(each: 36, limit: .max, "frames")) {
            let entry = try PackFooter.entry(from: &reader, at: offset)
            offset += entry.storedLength
            entries.append(entry)
        }
        zeroRuns = try BlockRuns.read(from: &reader, within: PackFooter.allBlocks)
        sameRuns = try BlockRuns.read(from: &reader, within: PackFooter.allBlocks)
        try reader.expectEnd()
        guard offset + (storedBytes ?? bytes.count) + PackFooter.trailerBytes == packBytes else {
            throw FormatFailure("frames and footer do not fill the pack of \(packBytes) bytes")
        }
    }

    private static func entry(from reader: inout ByteReader, at offset: Int) throws(FormatFailure) -> Entry {
        let kind = try reader.byte()
        guard let codec = FrameCodec(rawValue: try reader.byte()) else { throw FormatFailure("an unknown codec") }
        let stored = try reader.number(in: 1...Limits.packBytesMax, "a stored length")
        let plain = try reader.number(in: 1...Limits.nodeBytesMax, "a plain length")
        let digest = try reader.digest()
        let what: What
        switch kind {
        case 0: what = try data(from: &reader, plain)
        case 1:
            let level = try reader.number(in: 0...Limits.rootLevel, "a level")
            what = .node(level: level, number: try reader.number(in: 0...Limits.leaves, "a node's number"))
        case 2: what = .table
        default: throw FormatFailure("a frame of unknown kind \(kind)")
        }
        return Entry(
            offset: offset, storedLength: stored, plainLength: plain, codec: codec, digest: digest, what: what)
    }

    private static func data(from reader: inout ByteReader, _ plain: Int) throws(FormatFailure) -> What {
        let leaf = try reader.number(in: 0...Limits.leaves - 1, "a leaf's number")
        let range = BlockRange(at: BlockIndex(leaf * Limits.leafBlocks), count: BlockCount(Limits.leafBlocks))
        let blocks = try BlockRuns.read(from: &reader, within: range)
        guard blocks.reduce(0, { $0 + $1.bytes.count.bytes }) == plain, plain <= Limits.frameBlocks * Block.size.bytes
        else { throw FormatFailure("a frame whose blocks do not fill it") }
        return .data(leaf: leaf, blocks: blocks)
    }
}
