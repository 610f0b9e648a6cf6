internal import Blocks
internal import Catalog

/// A damaged snapshot's content for a volume that is to be restored with holes: what cannot be read is zeros.
///
/// A hole is recorded with the volume before anyone sees its zeros, and stays one: should the store get the lost content
/// back while the volume is being restored, the disk does not change under its user.
final class HoleySource: BlockSource {
    private let source: any BlockSource
    private let holes: Guarded<[BlockRange]>
    private let record: @Sendable ([BlockRange]) throws -> Void
    var size: ByteCount { source.size }
    var dataSize: ByteCount? { source.dataSize }

    /// - Parameters:
    ///   - holes: those known from before.
    ///   - record: writes more of them down, durably. Blocks.
    init(_ source: any BlockSource, holes: [BlockRange], record: @escaping @Sendable ([BlockRange]) throws -> Void) {
        self.source = source
        self.holes = Guarded(holes)
        self.record = record
    }

    func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        let known = holes.withLock { $0 }
        var lost: [BlockRange] = []
        var position = blocks.start
        while position < blocks.end {
            let rest = BlockRange(from: position, to: blocks.end)
            let hole = known.compactMap { $0.intersection(rest) }.min { $0.start < $1.start }
            let good = BlockRange(from: position, to: hole?.start ?? blocks.end)
            if !good.isEmpty { try readAround(good, from: blocks.start, into: &target, &lost) }
            if let hole { target.withPart(Self.place(of: hole, from: blocks.start)) { $0.fillWithZeros() } }
            position = hole?.end ?? blocks.end
        }
        if !lost.isEmpty { try note(lost) }
    }

    private static func place(of blocks: BlockRange, from origin: BlockIndex) -> Range<Int> {
        let start = (blocks.start - origin).size.bytes
        return start..<start + blocks.count.size.bytes
    }

    /// Reads all at once, or what is damaged in halves, down to the blocks that are to blame.
    private func readAround(
        _ blocks: BlockRange, from origin: BlockIndex, into target: inout MutableRawSpan, _ lost: inout [BlockRange]
    ) throws(BlockFailure) {
        do throws(BlockFailure) {
            try target.withPart(Self.place(of: blocks, from: origin)) { (part) throws(BlockFailure) in
                try source.read(blocks, into: &part)
            }
        } catch {
            guard case .corrupt = error else { throw error }
            guard blocks.count.count > 1 else {
                lost.append(blocks)
                return target.withPart(Self.place(of: blocks, from: origin)) { $0.fillWithZeros() }
            }
            let middle = blocks.start + BlockCount(blocks.count.count / 2)
            try readAround(BlockRange(from: blocks.start, to: middle), from: origin, into: &target, &lost)
            try readAround(BlockRange(from: middle, to: blocks.end), from: origin, into: &target, &lost)
        }
    }

    /// Where not even the map can be read all is one hole, to the end of that piece of the map.
    func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? {
        let end = BlockIndex(0) + BlockCount(covering: size)
        var position = block
        while position < end {
            do { return try source.nextData(from: position) } catch {
                guard case .corrupt(let offset) = error else { throw error }
                let start = max(position, BlockIndex(holding: offset))
                let next = min(end, BlockIndex((start.number / Self.mapStep + 1) * Self.mapStep))
                let found = holes.withLock { known in
                    known.contains { $0.start <= start && $0.end >= next }
                }
                if !found { try note([BlockRange(from: start, to: next)]) }
                position = next
            }
        }
        return nil
    }
    /// Blocks of the smallest piece of a snapshot's map: 8 MiB.
    private static let mapStep = 2048

    private func note(_ more: [BlockRange]) throws(BlockFailure) {
        do { try record(more) } catch { throw .unavailable }
        holes.withLock { $0 = $0.joined(with: more) }
    }
}

extension [BlockRange] {
    /// Both, ascending, no two touching.
    func joined(with more: [BlockRange]) -> [BlockRange] {
        var joined: [BlockRange] = []
        for run in (self + more).sorted(by: { $0.start < $1.start }) {
            if let last = joined.last, run.start <= last.end {
                joined[joined.count - 1] = BlockRange(from: last.start, to: Swift.max(last.end, run.end))
            } else {
                joined.append(run)
            }
        }
        return joined
    }
}
