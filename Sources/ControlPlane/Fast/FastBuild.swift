internal import Blocks
internal import Repository

/// Why a local copy could not be made for now.
enum FastFault: Error {
    /// What the store said, or that what it has is damaged.
    case source(BlockFailure)
    /// What the local disk said: what is there of the copy must go.
    case disk(BlockFailure)
}

/// One local copy on its way: what has come so far, and the rest, step by step. For one thread.
final class FastBuild {
    let snapshot: String
    let total: ByteCount
    private(set) var done: ByteCount = 0
    /// How many steps failed since one did not.
    var failures = 0
    private let reader: SnapshotReader
    private var writer: FastFileWriter
    private var position: BlockIndex = 0
    private var buffer = AlignedBuffer(count: span.size.bytes)

    /// What one step brings at most, and the hole that ends one early.
    private static let span = BlockCount(1024)
    private static let gap = BlockCount(32)

    init(_ reader: SnapshotReader, of snapshot: String, _ writer: FastFileWriter) {
        self.snapshot = snapshot
        self.reader = reader
        self.writer = writer
        total = reader.manifest.fullBytes
    }

    /// Brings the next part. Everything that comes from the store was checked against its hashes by the reader.
    ///
    /// - Returns: the copy when all is there, durably; nil: there is more.
    func step() throws(FastFault) -> FastFile? {
        let part: Part?
        do throws(BlockFailure) { part = try next() } catch { throw .source(error) }
        guard let part else {
            do throws(BlockFailure) { return try writer.finish() } catch { throw .disk(error) }
        }
        let count = part.blocks.count.size.bytes
        do throws(BlockFailure) {
            try buffer.write(0..<count) { (all) throws(BlockFailure) in try reader.read(part.blocks, into: &all) }
        } catch { throw .source(error) }
        do throws(BlockFailure) {
            try buffer.read(0..<count) { (bytes) throws(BlockFailure) in try writer.write(part.blocks, bytes) }
        } catch { throw .disk(error) }
        Failpoint.hit("fast.step")
        position = part.blocks.end
        done = min(total, done + part.data.size)
        return nil
    }

    private struct Part {
        var blocks: BlockRange
        /// Of the blocks, without the holes between.
        var data: BlockCount
    }

    /// Runs of data that lie close together; nil at the end.
    private func next() throws(BlockFailure) -> Part? {
        guard let first = try reader.nextData(from: position) else { return nil }
        let limit = first.start + Self.span
        var part = Part(blocks: BlockRange(from: first.start, to: min(first.end, limit)), data: 0)
        part.data = part.blocks.count
        while part.blocks.end < limit, let run = try reader.nextData(from: part.blocks.end),
            run.start - part.blocks.end <= Self.gap, run.start < limit
        {
            let end = min(run.end, limit)
            part.data += end - run.start
            part.blocks = BlockRange(from: part.blocks.start, to: end)
        }
        return part
    }
}
