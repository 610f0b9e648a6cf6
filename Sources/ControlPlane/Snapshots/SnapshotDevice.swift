internal import Blocks

/// A snapshot's content as a read-only disk.
final class SnapshotDevice: BlockDevice {
    private let source: any BlockSource
    let size: ByteCount
    var isReadOnly: Bool { true }
    /// Blocks asked of the source at once.
    private static let step = BlockCount(1024)

    init(_ source: any BlockSource) {
        self.source = source
        size = source.size
    }

    func read(_ range: ByteRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        precondition(target.byteCount == range.count.bytes)
        guard range.fits(in: size) else { throw .outOfRange }
        var block = range.touchedBlocks.start
        let end = range.touchedBlocks.end
        while block < end {
            let piece = BlockRange(from: block, to: min(end, block + Self.step))
            try read(piece, for: range, into: &target)
            block = piece.end
        }
    }

    /// Whole blocks go straight to `target`; those that `range` covers partly, through a buffer.
    private func read(
        _ piece: BlockRange, for range: ByteRange, into target: inout MutableRawSpan
    ) throws(BlockFailure) {
        guard let wanted = piece.bytes.intersection(range) else { return }
        let at = (wanted.start - range.start).bytes
        if wanted == piece.bytes {
            return try target.withPart(at..<at + wanted.count.bytes) { (part) throws(BlockFailure) in
                try source.read(piece, into: &part)
            }
        }
        var buffer = AlignedBuffer(count: piece.count.size.bytes)
        try buffer.write(0..<buffer.count) { (all) throws(BlockFailure) in try source.read(piece, into: &all) }
        let start = (wanted.start - piece.start.offset).bytes
        buffer.read(start..<start + wanted.count.bytes) { target.copy($0, at: at) }
    }

    func write(_ range: ByteRange, from source: RawSpan, durably: Bool) throws(BlockFailure) { throw .readOnly }
    func zero(_ range: ByteRange, mayPunch: Bool, durably: Bool) throws(BlockFailure) { throw .readOnly }
    func trim(_ range: ByteRange, durably: Bool) throws(BlockFailure) { throw .readOnly }
    func flush() throws(BlockFailure) {}

    /// The most extents one answer lists.
    private static let extentLimit = 1024

    func allocation(in range: ByteRange) throws(BlockFailure) -> [Extent] {
        guard range.fits(in: size) else { throw .outOfRange }
        var extents: [Extent] = []
        var position = range.start
        while position < range.end, extents.count < Self.extentLimit {
            let rest = ByteRange(from: position, to: range.end)
            let data = try source.nextData(from: BlockIndex(holding: position))?.bytes.intersection(rest)
            let start = data?.start ?? range.end
            if start > position { extents.append(Extent(ByteRange(from: position, to: start), isSet: false)) }
            if let data {
                if let last = extents.last, last.isSet {
                    extents[extents.count - 1] = Extent(ByteRange(from: last.range.start, to: data.end), isSet: true)
                } else {
                    extents.append(Extent(data, isSet: true))
                }
            }
            position = data?.end ?? range.end
        }
        return extents
    }
}
