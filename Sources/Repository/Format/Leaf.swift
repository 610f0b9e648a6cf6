internal import Blocks

/// 8 MiB of a volume: which frame holds each block. What no run covers is zero.
///
/// ```
/// leaf  = "VLF1" leaf-number body-names count { pointer } count { gap blocks frame first }
/// ```
/// `gap`: blocks of zeros since the end of the run before; `frame`: index into the pointers; `first`: the run's first
/// block within the frame. See docs/formats.md, "Leaf".
struct Leaf: Equatable {
    /// A run of blocks whose content lies in one frame, in order.
    struct Run: Equatable {
        /// The first block, from the start of the leaf.
        var start: Int
        /// How many.
        var count: Int
        /// Which of the leaf's frames.
        var frame: Int
        /// The first block's place in the frame, in blocks.
        var first: Int
    }

    /// Which leaf of the volume: blocks from `number` x 2048.
    var number: Int
    /// Data frames, whole blocks each.
    var frames: [FramePointer] = []
    /// Ascending, not touching the same block twice.
    var runs: [Run] = []

    init(number: Int) { self.number = number }

    /// Blocks that are not zero.
    var liveBlocks: Int { runs.reduce(0) { $0 + $1.count } }
    /// Blocks in all its frames, needed or not.
    var frameBlocks: Int { frames.reduce(0) { $0 + $1.blocks } }

    private static let magic = Array("VLF1".utf8)

    func encoded() -> [UInt8] {
        var names = PackNames()
        var body = ByteWriter()
        body.number(frames.count)
        for frame in frames { names.write(frame, to: &body) }
        body.number(runs.count)
        var end = 0
        for run in runs {
            precondition(run.start >= end && run.count > 0 && run.start + run.count <= Limits.leafBlocks)
            precondition(run.first + run.count <= frames[run.frame].blocks)
            body.number(run.start - end)
            body.number(run.count)
            body.number(run.frame)
            body.number(run.first)
            end = run.start + run.count
        }
        var writer = ByteWriter(Leaf.magic)
        writer.number(number)
        names.write(to: &writer)
        writer.append(body.bytes)
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws(FormatFailure) {
        var reader = ByteReader(bytes)
        try reader.expect(Leaf.magic)
        number = try reader.number(in: 0...Limits.leaves - 1, "a leaf's number")
        let names = try PackNames(from: &reader)
        let frameCount = try reader.count(each: PackNames.pointerBytesMin, limit: Limits.leafBlocks, "frames")
        for _ in 0..<frameCount {
            let frame = try names.pointer(from: &reader, plainMax: Limits.frameBlocks * Block.size.bytes)
            guard frame.plainLength % Block.size.bytes == 0 else { throw FormatFailure("a frame of part blocks") }
            frames.append(frame)
        }
        var end = 0
        for _ in 0..<(try reader.count(each: 4, limit: Limits.leafBlocks, "runs")) {
            let run = try Leaf.run(from: &reader, after: end, frames)
            runs.append(run)
            end = run.start + run.count
        }
        try reader.expectEnd()
    }

    private static func run(
        from reader: inout ByteReader, after end: Int, _ frames: [FramePointer]
    ) throws(FormatFailure) -> Run {
        let gap = try reader.number(in: 0...Limits.leafBlocks, "a gap")
        let count = try reader.number(in: 1...Limits.frameBlocks, "a run's length")
        let frame = try reader.number()
        let first = try reader.number(in: 0...Limits.frameBlocks, "a place in a frame")
        guard frame < frames.count, first + count <= frames[frame].blocks else {
            throw FormatFailure("a run beyond its frame")
        }
        guard end + gap + count <= Limits.leafBlocks else { throw FormatFailure("a run beyond its leaf") }
        return Run(start: end + gap, count: count, frame: frame, first: first)
    }
}

extension FramePointer {
    /// Whole blocks of plain bytes.
    var blocks: Int { plainLength / Block.size.bytes }
}
