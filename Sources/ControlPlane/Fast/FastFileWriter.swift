internal import Blocks

/// Writes the local copy of a snapshot, front to back.
///
/// Data, table and map are synced before the header is written, and the header before anybody learns of the copy: so a file
/// whose header is right is whole, whenever the power went.
struct FastFileWriter {
    private let file: any DiskFile
    private let snapshot: String
    private let layout: FastLayout
    private var map: [UInt8]
    private var page = FastPage()
    /// The number of `page`, once it has anything.
    private var number: Int?
    private var dataCount = BlockCount(0)

    /// Begins anew, whatever was there. Blocks, like everything here.
    init(at path: String, of snapshot: String, size: ByteCount, in directory: String, on disk: any Disk) throws {
        try SegmentedFile.remove(path, on: disk)
        let segments = try SegmentedFile.open(path, .create, on: disk)
        self.snapshot = snapshot
        layout = FastLayout(size: size)
        map = [UInt8](repeating: 0, count: layout.mapSize.bytes)
        try segments.resize(to: layout.fileSize)
        try disk.syncDirectory(directory)
        file = segments
    }

    /// Keeps the blocks of a run that are not all zeros. Runs ascend.
    mutating func write(_ run: BlockRange, _ bytes: RawSpan) throws(BlockFailure) {
        precondition(bytes.byteCount == run.count.size.bytes)
        var dataStart: Int?
        for index in 0..<run.count.count {
            let block = run.start + BlockCount(index), place = BlockCount(index).size.bytes
            let content = bytes.extracting(place..<place + Block.size.bytes)
            if content.isAllZero {
                try put(bytes, of: run, from: dataStart, to: index)
                dataStart = nil
            } else {
                try note(content, block)
                dataStart = dataStart ?? index
            }
        }
        try put(bytes, of: run, from: dataStart, to: run.count.count)
        file.startWriting(ByteRange(at: layout.data(run.start), count: run.count.size))
    }

    private func put(_ bytes: RawSpan, of run: BlockRange, from start: Int?, to end: Int) throws(BlockFailure) {
        guard let start else { return }
        let part = bytes.extracting(BlockCount(start).size.bytes..<BlockCount(end).size.bytes)
        try file.write(part, at: layout.data(run.start + BlockCount(start)), durably: false)
    }

    private mutating func note(_ content: RawSpan, _ block: BlockIndex) throws(BlockFailure) {
        let wanted = FastLayout.page(of: block)
        if number != wanted {
            precondition(number.map { $0 < wanted } ?? true, "runs ascend")
            try flush()
            number = wanted
        }
        page[(block - FastLayout.start(of: wanted)).count] = FastPage.checksum(content, of: block)
        dataCount += BlockCount(1)
    }

    private mutating func flush() throws(BlockFailure) {
        guard let number else { return }
        page.seal(number: number)
        try page.bytes.readBytes { (bytes) throws(BlockFailure) in
            try file.write(bytes, at: layout.page(number), durably: false)
        }
        map[number / 8] |= 1 << (number % 8)
        page = FastPage()
        self.number = nil
    }

    /// Makes the copy whole and durable.
    mutating func finish() throws(BlockFailure) -> FastFile {
        try flush()
        try map.readBytes { (bytes) throws(BlockFailure) in try file.write(bytes, at: layout.map, durably: false) }
        try file.sync()
        Failpoint.hit("fast.synced")
        let header = FastHeader(
            snapshot: snapshot, size: layout.size, dataSize: dataCount.size, mapChecksum: Checksum.crc32c(map))
        try header.bytes.readBytes { (bytes) throws(BlockFailure) in try file.write(bytes, at: 0, durably: false) }
        try file.sync()
        return FastFile(file, header, map: map)
    }
}
