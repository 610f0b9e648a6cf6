internal import Blocks

/// Where everything lies in the local copy of a snapshot, `<data>/fast/<snapshot>` (docs/formats.md), in blocks of 4096 bytes:
///
/// ```
/// header | map: a bit for each page | table: pages of checksums | data: every block at its place
/// ```
struct FastLayout: Equatable, Sendable {
    /// Blocks that one page of the table tells of.
    static let entries = 1023
    /// The disk's.
    let size: ByteCount
    /// The disk's blocks.
    let blocks: BlockCount
    /// Pages of the table.
    let pages: Int
    private let mapBlocks: Int

    init(size: ByteCount) {
        self.size = size
        blocks = BlockCount(covering: size)
        pages = (blocks.count + Self.entries - 1) / Self.entries
        mapBlocks = BlockCount(covering: ByteCount((pages + 7) / 8)).count
    }

    /// Bytes of the map.
    var mapSize: ByteCount { BlockCount(mapBlocks).size }
    var map: ByteOffset { (BlockIndex(0) + BlockCount(1)).offset }
    func page(_ number: Int) -> ByteOffset { BlockIndex(1 + mapBlocks + number).offset }
    func data(_ block: BlockIndex) -> ByteOffset { BlockIndex(1 + mapBlocks + pages + block.number).offset }
    /// The file's length, holes and all.
    var fileSize: ByteCount { BlockCount(1 + mapBlocks + pages + blocks.count).size }

    /// The page that tells of a block.
    static func page(of block: BlockIndex) -> Int { max(0, block.number) / entries }
    /// The first block that a page tells of.
    static func start(of page: Int) -> BlockIndex { BlockIndex(page * entries) }

    /// What a file takes of the disk whose data blocks are so many bytes, scattered as badly as they can be.
    func space(for data: ByteCount) -> ByteCount {
        data + BlockCount(1 + mapBlocks + min(pages, BlockCount(covering: data).count)).size
    }
}

/// One page of the table: the checksum of each block that has data, 0 for each that is zeros, and the page's own checksum.
///
/// A checksum begins with the number of its block or page, so that nothing passes for what belongs elsewhere.
struct FastPage {
    private(set) var bytes = [UInt8](repeating: 0, count: Block.size.bytes)
    private static let sealAt = FastLayout.entries * 4

    init() {}

    /// Nil: these are not the bytes that were sealed as the page of this number.
    init?(_ bytes: [UInt8], number: Int) {
        self.bytes = bytes
        guard bytes.count == Block.size.bytes, self[FastLayout.entries] == Self.seal(bytes, number) else { return nil }
    }

    /// The checksum of a block that has data: never 0.
    static func checksum(_ bytes: RawSpan, of block: BlockIndex) -> UInt32 {
        max(1, Checksum.crc32c(bytes, continuing: UInt32(truncatingIfNeeded: block.number)))
    }

    subscript(_ entry: Int) -> UInt32 {
        get { bytes.number(at: entry * 4, UInt32.self) }
        set { bytes.set(newValue, at: entry * 4) }
    }

    mutating func seal(number: Int) { self[FastLayout.entries] = Self.seal(bytes, number) }

    private static func seal(_ bytes: [UInt8], _ number: Int) -> UInt32 {
        // Not like a block's, whatever that holds.
        let start = ~UInt32(truncatingIfNeeded: number)
        return bytes.readBytes { Checksum.crc32c($0.extracting(0..<sealAt), continuing: start) }
    }
}

/// The first block: what the file is a copy of. Written last, when everything else is durable, so that it alone says whether the
/// copy is whole.
struct FastHeader: Equatable {
    var snapshot: String
    var size: ByteCount
    /// Bytes of the blocks that have data.
    var dataSize: ByteCount
    /// The map's checksum.
    var mapChecksum: UInt32

    private static let magic = Array("VARVFAST".utf8)
    private static let version: UInt32 = 1
    private static let idMax = 64
    private static let sealAt = Block.size.bytes - 4

    init(snapshot: String, size: ByteCount, dataSize: ByteCount, mapChecksum: UInt32) {
        precondition(snapshot.utf8.count <= Self.idMax)
        self.snapshot = snapshot
        self.size = size
        self.dataSize = dataSize
        self.mapChecksum = mapChecksum
    }

    /// Nil: none, or one of another version.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Block.size.bytes, bytes.starts(with: Self.magic),
            bytes.number(at: Self.sealAt, UInt32.self) == Checksum.crc32c(Array(bytes[..<Self.sealAt])),
            bytes.number(at: 8, UInt32.self) == Self.version,
            let count = Int(exactly: bytes.number(at: 12, UInt32.self)), count <= Self.idMax,
            let size = Int(exactly: bytes.number(at: 16, UInt64.self)), size > 0,
            size <= ByteCount.tebibytes(1024).bytes,
            let data = Int(exactly: bytes.number(at: 24, UInt64.self)),
            data <= BlockCount(covering: ByteCount(size)).size.bytes
        else { return nil }
        snapshot = String(decoding: bytes[40..<40 + count], as: UTF8.self)
        self.size = ByteCount(size)
        dataSize = ByteCount(data)
        mapChecksum = bytes.number(at: 32, UInt32.self)
    }

    var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Block.size.bytes)
        let id = Array(snapshot.utf8)
        bytes.replaceSubrange(0..<Self.magic.count, with: Self.magic)
        bytes.set(Self.version, at: 8)
        bytes.set(UInt32(id.count), at: 12)
        bytes.set(UInt64(size.bytes), at: 16)
        bytes.set(UInt64(dataSize.bytes), at: 24)
        bytes.set(mapChecksum, at: 32)
        bytes.replaceSubrange(40..<40 + id.count, with: id)
        bytes.set(Checksum.crc32c(Array(bytes[..<Self.sealAt])), at: Self.sealAt)
        return bytes
    }
}

/// Little-endian numbers.
extension [UInt8] {
    fileprivate func number<N: FixedWidthInteger>(at place: Int, _ type: N.Type) -> N {
        var number: N = 0
        for byte in self[place..<place + N.bitWidth / 8].reversed() { number = number << 8 | N(byte) }
        return number
    }

    fileprivate mutating func set<N: FixedWidthInteger>(_ number: N, at place: Int) {
        for index in 0..<N.bitWidth / 8 { self[place + index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
    }
}
