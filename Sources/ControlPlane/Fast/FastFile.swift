internal import Blocks

/// The local copy of a whole snapshot. Immutable, and every block is checked when it is read: a block whose bytes are not those
/// that came from the store, or a page that is not what was written, is ``BlockFailure/corrupt(at:)``, never other bytes.
///
/// Thread-safe. The map is in memory, since a page of the table that the disk lost would otherwise look like zeros.
final class FastFile: Sendable {
    let snapshot: String
    let layout: FastLayout
    /// Of the blocks that have data.
    let dataSize: ByteCount
    private let file: any DiskFile
    private let map: [UInt8]

    init(_ file: any DiskFile, _ header: FastHeader, map: [UInt8]) {
        self.file = file
        self.map = map
        snapshot = header.snapshot
        layout = FastLayout(size: header.size)
        dataSize = header.dataSize
    }

    /// Opens a copy. Blocks.
    ///
    /// - Returns: nil if it is not whole, or not of this snapshot.
    static func open(_ path: String, of snapshot: String, on disk: any Disk) throws -> FastFile? {
        let file = try SegmentedFile.open(path, .readWrite, on: disk)
        guard let header = FastHeader(try read(file, at: 0, count: Block.size)), header.snapshot == snapshot
        else { return nil }
        let layout = FastLayout(size: header.size)
        guard try file.size() == layout.fileSize else { return nil }
        let map = try read(file, at: layout.map, count: layout.mapSize)
        guard Checksum.crc32c(map) == header.mapChecksum else { return nil }
        return FastFile(file, header, map: map)
    }

    private static func read(
        _ file: any DiskFile, at offset: ByteOffset, count: ByteCount
    ) throws(BlockFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count.bytes)
        try bytes.writeBytes { (all) throws(BlockFailure) in try file.read(at: offset, into: &all) }
        return bytes
    }

    /// Fills `target`; holes, and what lies past the end, are zeros.
    func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        precondition(target.byteCount == blocks.count.size.bytes)
        var rest = blocks
        while !rest.isEmpty {
            let number = FastLayout.page(of: rest.start)
            let part = BlockRange(from: rest.start, to: min(rest.end, FastLayout.start(of: number + 1)))
            let start = (part.start - blocks.start).size.bytes
            try target.withPart(start..<start + part.count.size.bytes) { (some) throws(BlockFailure) in
                try read(part, of: number, into: &some)
            }
            rest = BlockRange(from: part.end, to: rest.end)
        }
    }

    private func read(
        _ blocks: BlockRange, of number: Int, into target: inout MutableRawSpan
    ) throws(BlockFailure) {
        guard has(number) else { return target.fillWithZeros() }
        let page = try page(number)
        try file.read(at: layout.data(blocks.start), into: &target)
        for index in 0..<blocks.count.count {
            let block = blocks.start + BlockCount(index), start = BlockCount(index).size.bytes
            let wanted = page[(block - FastLayout.start(of: number)).count]
            let isSound = target.withPart(start..<start + Block.size.bytes) { bytes in
                if wanted == 0 {
                    bytes.fillWithZeros()
                    return true
                }
                return FastPage.checksum(bytes.bytes, of: block) == wanted
            }
            guard isSound else { throw .corrupt(at: block.offset) }
        }
    }

    /// The next run of blocks that have data, as far as one page tells of it. See ``BlockSource``.
    func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? {
        var number = FastLayout.page(of: block)
        while number < layout.pages {
            if number % 8 == 0, map[number / 8] == 0 {
                number += 8
                continue
            }
            if has(number), let run = try run(of: number, from: block) { return run }
            number += 1
        }
        return nil
    }

    private func run(of number: Int, from block: BlockIndex) throws(BlockFailure) -> BlockRange? {
        let page = try page(number), origin = FastLayout.start(of: number)
        let first = max(0, (block - origin).count)
        guard let start = (first..<FastLayout.entries).first(where: { page[$0] != 0 }) else { return nil }
        let end = (start..<FastLayout.entries).first { page[$0] == 0 } ?? FastLayout.entries
        return BlockRange(from: origin + BlockCount(start), to: origin + BlockCount(end))
    }

    /// Has any block that the page tells of data?
    private func has(_ number: Int) -> Bool {
        number < layout.pages && map[number / 8] >> (number % 8) & 1 == 1
    }

    private func page(_ number: Int) throws(BlockFailure) -> FastPage {
        let bytes = try Self.read(file, at: layout.page(number), count: Block.size)
        guard let page = FastPage(bytes, number: number) else {
            throw .corrupt(at: FastLayout.start(of: number).offset)
        }
        return page
    }
}
